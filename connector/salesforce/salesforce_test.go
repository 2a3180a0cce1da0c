package salesforce_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/salesforce"
	"github.com/tenurehq/tenure/connector/salesforce/salesforcetest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

func create(t *testing.T, c connector.Connector, username, person string) connector.Account {
	t.Helper()
	account, err := c.Create(t.Context(), connector.Spec{
		Username: username, PersonID: person, Active: true,
		Attributes: map[string]any{"LastName": "Doe", "Email": "jane@example.com"},
	})
	require.NoError(t, err)
	return account
}

func failure(t *testing.T, err error, kind connector.ErrorKind) *connector.Error {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, kind, failed.Kind, err.Error())
	return failed
}

// TestBlockedDeactivation shows that a user whom Salesforce does not deactivate is cut off, and
// that a human is told what to do, without whom it is about.
func TestBlockedDeactivation(t *testing.T) {
	for reason, todo := range map[string]string{
		"hierarchy field": "Manager, or a custom one",
		"case owner":      "Support Settings",
		"lead creator":    "Web-to-Lead",
		"workflow user":   "Process Automation Settings",
		"approver":        "Approval Processes",
		"validation rule": "Validation Rules",
		"last admin":      "last administrator",
		"another":         "clear Active",
	} {
		t.Run(reason, func(t *testing.T) {
			org, settings := serve(t, nil)
			c := open(t, settings)
			account := create(t, c, "jane.doe", "p-1")
			org.SetSwitches(salesforcetest.Switches{Blocker: salesforcetest.Blockers[reason]})
			for range 2 {
				failed := failure(t, c.Disable(t.Context(), account.ID), connector.KindInvalid)
				assert.True(t, failed.Unfinished)
				assert.Contains(t, failed.Message, todo)
				assert.Contains(t, failed.Message, "cannot sign in")
				assert.NotContains(t, failed.Message, "Jane")
			}
			shown, err := c.Read(t.Context(), account.ID)
			require.NoError(t, err)
			assert.False(t, shown.Active, "frozen means that nobody can sign in")
			sessions, tokens := org.Sessions(account.ID)
			assert.Zero(t, sessions+tokens, "its sessions have been ended")
			assert.Equal(t, true, org.User(account.ID)["IsActive"])

			org.SetSwitches(salesforcetest.Switches{})
			require.NoError(t, c.Disable(t.Context(), account.ID), "a human has removed the blocker")
			assert.Equal(t, false, org.User(account.ID)["IsActive"])
			require.NoError(t, c.Enable(t.Context(), account.ID))
			assert.Equal(t, false, org.User(account.ID)["IsFrozen"])
		})
	}
}

func TestDisableWithoutTheRightToFreeze(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	account := create(t, c, "jane.doe", "p-1")
	blocked := salesforcetest.Switches{NoFreeze: true, Blocker: salesforcetest.Blockers["case owner"]}
	org.SetSwitches(blocked)
	failed := failure(t, c.Disable(t.Context(), account.ID), connector.KindInvalid)
	assert.Contains(t, failed.Message, "CAN STILL SIGN IN")

	org.SetSwitches(salesforcetest.Switches{NoFreeze: true})
	require.NoError(t, c.Disable(t.Context(), account.ID), "deactivation suffices")
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.False(t, shown.Active)
}

func TestALockedRowIsTriedAgain(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	account := create(t, c, "jane.doe", "p-1")
	org.SetSwitches(salesforcetest.Switches{Locked: true})
	failed := failure(t, c.Disable(t.Context(), account.ID), connector.KindUnavailable)
	assert.True(t, failed.Unfinished)
	org.SetSwitches(salesforcetest.Switches{})
	require.NoError(t, c.Disable(t.Context(), account.ID))
}

func TestAQuotaIsNoMissingRight(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	_, err := c.Check(t.Context())
	require.NoError(t, err)
	org.Door().SetFaults(vendortest.Faults{Limited: true})
	_, err = c.Find(t.Context(), connector.Keys{PersonID: "p-1"})
	failure(t, err, connector.KindRateLimited)
}

// TestNobodyIsGoneUnlessSalesforceShowsEverybody takes the right to see all users.
func TestNobodyIsGoneUnlessSalesforceShowsEverybody(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	account := create(t, c, "jane.doe", "p-1")
	require.NoError(t, c.Grant(t.Context(), account.ID, []string{"Everybody"}))
	org.Allow("ViewAllUsers", false)
	_, err := c.Read(t.Context(), account.ID)
	assert.Contains(t, failure(t, err, connector.KindForbidden).Message, "View All Users")
	_, err = c.Find(t.Context(), connector.Keys{PersonID: "p-1"})
	failure(t, err, connector.KindForbidden)
	failure(t, c.Revoke(connector.WithGiven(t.Context()), account.ID, []string{"role:Sales_Cloud"}), connector.KindForbidden)
	var problems []string
	for _, finding := range c.Probe(t.Context()) {
		if finding.Problem != "" {
			problems = append(problems, finding.What)
		}
	}
	assert.Equal(t, []string{"has the right View All Users"}, problems)

	org.Allow("ViewAllUsers", true)
	org.Door().SetFaults(vendortest.Faults{Proxy: true})
	_, err = c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindUnavailable)
}

func TestAnswersThatCannotBeTrue(t *testing.T) {
	org, settings := serve(t, nil)
	org.SetSwitches(salesforcetest.Switches{PageSize: 2})
	c := open(t, settings)
	for _, name := range []string{"a", "b", "c"} {
		create(t, c, name, "p-"+name)
	}
	list := func() (err error) {
		for _, err = range c.List(t.Context()) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	require.NoError(t, list())
	org.SetSwitches(salesforcetest.Switches{PageSize: 2, Elsewhere: true})
	assert.Contains(t, failure(t, list(), connector.KindContradictory).Message, "another host")
	org.SetSwitches(salesforcetest.Switches{PageSize: 2, Short: true})
	assert.Contains(t, failure(t, list(), connector.KindContradictory).Message, "rows, and shows")
	_, err := c.Find(t.Context(), connector.Keys{PersonID: "p-a"})
	failure(t, err, connector.KindContradictory)

	org.SetSwitches(salesforcetest.Switches{Undead: true})
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "p-a"})
	require.NoError(t, err)
	failure(t, c.RevokeSessions(t.Context(), matches[0].Account.ID), connector.KindContradictory)
	org.SetSwitches(salesforcetest.Switches{})
	require.NoError(t, c.RevokeSessions(t.Context(), matches[0].Account.ID))
	sessions, tokens := org.Sessions(matches[0].Account.ID)
	assert.Zero(t, sessions+tokens)
}

// TestInjection looks for people by keys that try to break out of a literal of SOQL. The
// stand-in parses what it is sent.
func TestInjection(t *testing.T) {
	_, settings := serve(t, nil)
	c := open(t, with(settings, connector.Settings{"usernameSuffix": nil}))
	owned := create(t, c, "victim@example.com", "p-victim")
	for _, text := range []string{
		`x' OR Username != '`, `x\' OR Id != null AND Username != \'`, `\`, `\\`, `'`, `''`, `\'`, "x\n' AND Id != '", `x') LIMIT 1`, `%`, "x\x00'",
	} {
		for _, keys := range []connector.Keys{{PersonID: text}, {Username: text}, {Email: text}, {EmployeeNumber: text}, {AccountID: text}} {
			matches, err := c.Find(t.Context(), keys)
			require.NoError(t, err, text)
			assert.Empty(t, matches, text)
		}
		err := c.Grant(t.Context(), owned.ID, []string{"role:" + text})
		failure(t, err, connector.KindInvalid)
		require.NoError(t, c.Revoke(t.Context(), owned.ID, []string{text}))
	}
	odd := `O'Neil \ "x"`
	made := create(t, c, "odd@example.com", odd)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: odd})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, made.ID, matches[0].Account.ID)
	matches, err = c.Find(t.Context(), connector.Keys{PersonID: `o'neil \ "X"`})
	require.NoError(t, err)
	assert.Empty(t, matches, "Salesforce compares without regard to case, Tenure does not")
}

// Some orgs give one address to everybody, until people get their own.
func TestManyUsersWithOneAddressHideNobody(t *testing.T) {
	const shared, many = "nobody@example.com", 60
	for name, owned := range map[string]bool{"of other people": true, "of nobody": false} {
		t.Run(name, func(t *testing.T) {
			org, settings := serve(t, nil)
			c := open(t, settings)
			for i := range many {
				id := ""
				if owned {
					id = fmt.Sprint("p-", i)
				}
				org.Set(org.AddUser(fmt.Sprintf("somebody%d@example.com", i), "FederationIdentifier", id, true), map[string]any{"Email": shared})
			}
			hers := org.AddUser("jane.doe@example.com", "FederationIdentifier", "p-jane", true)
			org.Set(hers, map[string]any{"Email": shared})
			matches, err := c.Find(t.Context(), connector.Keys{PersonID: "p-jane", Username: "other", Email: shared})
			require.NoError(t, err)
			require.Len(t, matches, 1)
			assert.Equal(t, hers, matches[0].Account.ID)
			assert.Equal(t, connector.ByExternalID, matches[0].By)

			unmarked := org.AddUser("joe.doe@example.com", "FederationIdentifier", "", true)
			matches, err = c.Find(t.Context(), connector.Keys{PersonID: "p-joe", Username: "joe.doe@example.com", Email: shared})
			require.NoError(t, err)
			require.Len(t, matches, 1)
			assert.Equal(t, unmarked, matches[0].Account.ID)
			assert.Equal(t, connector.ByUsername, matches[0].By)

			matches, err = c.Find(t.Context(), connector.Keys{PersonID: "p-new", Username: "new", Email: shared})
			if owned {
				require.NoError(t, err)
				assert.Empty(t, matches, "what is somebody else's is no match")
				_, err = c.Find(t.Context(), connector.Keys{Email: shared})
			}
			says := failure(t, err, connector.KindInvalid).Message
			assert.Contains(t, says, "more than 50 users")
			assert.NotContains(t, says, shared)
		})
	}
}

func TestJWTBearer(t *testing.T) {
	org, settings := serve(t, nil)
	settings = with(settings, connector.Settings{"clientSecret": nil, "username": admin, "privateKey": vendortest.PEM(vendortest.Key())})
	c := open(t, settings)
	identity, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "OAuth client client in the org Acme (sandbox)", identity)
	org.Expire()
	_, err = c.Check(t.Context())
	require.NoError(t, err, "a token that has expired is replaced")

	c = open(t, with(settings, connector.Settings{"audience": "https://test.salesforce.com"}))
	_, err = c.Check(t.Context())
	failed := failure(t, err, connector.KindUnauthorized)
	assert.Contains(t, failed.Message, "audience")
	assert.NotContains(t, failed.Message, admin)
}

func TestLicences(t *testing.T) {
	_, settings := serve(t, nil)
	c := open(t, settings)
	first, second := create(t, c, "first", "p-1"), create(t, c, "second", "p-2")
	require.NoError(t, c.Grant(t.Context(), first.ID, []string{"role:Sellers", "licence:Scarce"}))
	failed := failure(t, c.Grant(t.Context(), second.ID, []string{"licence:Scarce", "Everybody"}), connector.KindInvalid)
	assert.Contains(t, failed.Message, "no licence is left")
	seats := map[string]connector.Seats{}
	for entitlement, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		seats[entitlement.Name] = entitlement.Seats
	}
	assert.Equal(t, map[string]connector.Seats{
		"licence:SalesUser": {Total: 100000}, "licence:Scarce": {Total: 1, Used: 1}, "Everybody": {},
		"role:Sales_Cloud": {}, "role:pkg__Addon": {}, "role:Sellers": {},
		"licence:profile/Salesforce": {Total: 100000, Used: 1}, "licence:profile/Salesforce Admin": {Total: 100000, Used: 1},
	}, seats)
	shown, err := c.Read(t.Context(), first.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"licence:Scarce", "role:Sellers"}, shown.Entitlements)
	shown, err = c.Read(t.Context(), second.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"Everybody"}, shown.Entitlements, "one that cannot be had keeps nobody from the others")
	failure(t, c.Grant(t.Context(), first.ID, []string{"licence:profile/Salesforce"}), connector.KindInvalid)
}

func TestCreateSetsWhatSalesforceRequires(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	account := create(t, c, "jane.doe-2", "p-1")
	made := org.User(account.ID)
	assert.Equal(t, "jane.doe-2@example.com.crm", made["Username"])
	assert.Equal(t, "janedoe2", made["Alias"])
	assert.Equal(t, "GMT", made["TimeZoneSidKey"])
	assert.Equal(t, "Standard User", account.Attributes["Profile"])
	assert.Equal(t, "jane.doe-2", account.Username)
	assert.WithinDuration(t, time.Now(), account.CreatedAt, time.Minute)
	assert.Zero(t, account.LastUsedAt)

	org.Set(account.ID, map[string]any{"LastLoginDate": "2026-11-30T08:15:00.000+0000"})
	require.NoError(t, c.Update(t.Context(), account.ID, map[string]any{
		"Profile": "System Administrator", "UserRole": "SalesTeam", "LastName": "", "TimeZoneSidKey": "", "Phone": "1",
	}))
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.Equal(t, "System Administrator", shown.Attributes["Profile"])
	assert.Equal(t, "SalesTeam", shown.Attributes["UserRole"])
	assert.Equal(t, "Doe", shown.Attributes["LastName"])
	assert.Equal(t, time.Date(2026, 11, 30, 8, 15, 0, 0, time.UTC), shown.LastUsedAt)

	failed := failure(t, c.Update(t.Context(), account.ID, map[string]any{"Profile": "Boss"}), connector.KindInvalid)
	assert.Contains(t, failed.Message, `no Profile "Boss"`)
	failed = failure(t, c.Update(t.Context(), account.ID, map[string]any{"Tittle": "x"}), connector.KindInvalid)
	assert.Contains(t, failed.Message, `did you mean "Title"?`)
	_, err = open(t, with(settings, connector.Settings{"usernameSuffix": nil})).Create(t.Context(), connector.Spec{Username: "x"})
	assert.Contains(t, failure(t, err, connector.KindInvalid).Message, "usernameSuffix")
	_, err = open(t, with(settings, connector.Settings{"profile": nil})).Create(t.Context(), connector.Spec{Username: "y"})
	assert.Contains(t, failure(t, err, connector.KindInvalid).Message, "map the attribute Profile")
}

// TestRequests pins how many requests each call makes.
func TestRequests(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	account := create(t, c, "jane", "p-1")
	calls := func(do func() error) int {
		t.Helper()
		count := func() (n int) {
			for _, times := range org.Calls() {
				n += times
			}
			return n
		}
		before := count()
		require.NoError(t, do())
		return count() - before
	}
	ctx := t.Context()
	read := func() error { _, err := c.Read(ctx, account.ID); return err }
	assert.Equal(t, 5, calls(read))
	assert.Equal(t, 2, calls(func() error { _, err := c.Read(connector.SparingEntitlements(ctx), account.ID); return err }))
	assert.Equal(t, 2, calls(func() error { return c.Grant(ctx, account.ID, []string{"Everybody"}) }))
	assert.Equal(t, 2, calls(func() error { return c.Revoke(ctx, account.ID, []string{"Everybody"}) }))
	assert.Equal(t, 3, calls(func() error { return c.Disable(ctx, account.ID) }))
	assert.Equal(t, 3, calls(func() error { return c.Enable(ctx, account.ID) }))
	assert.Equal(t, 1, calls(func() error { return c.Update(ctx, account.ID, map[string]any{"Title": "x"}) }))
	assert.Equal(t, 6, calls(func() error { return c.RevokeSessions(ctx, account.ID) }))
	assert.Equal(t, 4, calls(func() error { return c.RevokeSessions(ctx, account.ID) }), "there are none, and the user is looked for")
	assert.Equal(t, 1, calls(func() error { return c.Grant(ctx, account.ID, []string{"Everybody"}) }), "which group it is was remembered")
	find := func() error {
		_, err := c.Find(ctx, connector.Keys{PersonID: "p-2", Username: "joe", Email: "joe@example.com"})
		return err
	}
	assert.Equal(t, 2, calls(find), "one look for all keys, and whether it would have shown everybody")
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "https://acme.my.salesforce.com", "clientID": "client", "clientSecret": connectortest.SettingsSecret}
	connectortest.Settings(t, salesforce.Kind, good, map[string]connectortest.Setting{
		"good":              {Change: nil},
		"path":              {Change: connector.Settings{"url": "https://acme.my.salesforce.com/services"}, Want: "must have no path"},
		"no credentials":    {Change: connector.Settings{"clientSecret": nil}, Want: `setting "clientSecret" is missing`},
		"both":              {Change: connector.Settings{"username": "x@example.com"}, Want: "cannot be together with username"},
		"username alone":    {Change: connector.Settings{"clientSecret": nil, "username": "x@example.com"}, Want: `setting "privateKey" is missing`},
		"no key":            {Change: connector.Settings{"clientSecret": nil, "username": "x@example.com", "privateKey": connectortest.SettingsSecret}, Want: "must hold an unencrypted private key"},
		"version":           {Change: connector.Settings{"apiVersion": "62"}, Want: "must look like v62.0"},
		"field":             {Change: connector.Settings{"externalID": "Id FROM User"}, Want: "must be the API name"},
		"fields":            {Change: connector.Settings{"fields": []any{"x, y"}}, Want: "API names of fields"},
		"suffix":            {Change: connector.Settings{"usernameSuffix": "example.com"}, Want: "must look like @example.com"},
		"suffix before at":  {Change: connector.Settings{"usernameSuffix": ".crm@example.com"}},
		"further fields":    {Change: connector.Settings{"fields": []any{"CostCentre__c"}}},
		"another person ID": {Change: connector.Settings{"externalID": "EmployeeNumber"}},
	})
}

func TestForesee(t *testing.T) {
	foresight := salesforce.Kind.Foresees(connector.Settings{
		"url": "https://acme.my.salesforce.com", "clientID": "client", "clientSecret": "x", "fields": []any{"CostCentre__c"},
	})
	assert.Equal(t, []string{"Email", "LastName", "Profile"}, foresight.Required)
	assert.Empty(t, foresight.Attribute("CostCentre__c"))
	assert.Contains(t, foresight.Attribute("FederationIdentifier"), "no field")
	assert.Contains(t, foresight.Attribute("Titel"), `"Title"`)
	assert.NotEmpty(t, foresight.Entitlement("licence:profile/Salesforce"))
	assert.Empty(t, foresight.Entitlement("licence:SalesUser"))
}

// A group that was made anew is granted, and not the one that its name stood for.
func TestRememberedNames(t *testing.T) {
	org, settings := serve(t, nil)
	c := open(t, settings)
	jane, joe := create(t, c, "jane", "p-1"), create(t, c, "joe", "p-2")
	require.NoError(t, c.Grant(t.Context(), jane.ID, []string{"Everybody"}))
	org.Remake("Everybody")
	require.NoError(t, c.Grant(t.Context(), joe.ID, []string{"Everybody"}))
	account, err := c.Read(t.Context(), joe.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"Everybody"}, account.Entitlements)
}
