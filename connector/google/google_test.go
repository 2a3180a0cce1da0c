package google_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/google"
	"github.com/tenurehq/tenure/connector/google/googletest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

const staff = "staff@example.com"

// create makes an account.
func create(t *testing.T, c connector.Connector, username, personID string, attributes map[string]any) connector.Account {
	t.Helper()
	made, err := c.Create(t.Context(), connector.Spec{Username: username, PersonID: personID, Active: true, Attributes: attributes})
	require.NoError(t, err)
	return made
}

func read(t *testing.T, c connector.Connector, id string) connector.Account {
	t.Helper()
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	return account
}

func refused(t *testing.T, err error, kind connector.ErrorKind, words ...string) *connector.Error {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, kind, failed.Kind, err)
	for _, text := range words {
		assert.Contains(t, failed.Message, text)
	}
	return failed
}

// Google keeps nobody without names. The username stands in for them in a new account, and in one
// whose names are empty by now.
func TestTheUsernameStandsInForEmptyNames(t *testing.T) {
	_, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", map[string]any{"givenName": "Zoë", "familyName": "Doe"})
	empty := map[string]any{"givenName": "Zoë", "familyName": ""}
	require.NoError(t, c.Update(t.Context(), made.ID, empty))
	account := read(t, c, made.ID)
	assert.Equal(t, "Zoë", account.Attributes["givenName"])
	assert.Equal(t, "zoe", account.Attributes["familyName"])
	dropped, err := connector.Dropped(t.Context(), c, account, empty)
	require.NoError(t, err)
	assert.Empty(t, dropped)
}

func TestSettings(t *testing.T) {
	_, good := serve(t, nil)
	connectortest.Settings(t, google.Kind, good, map[string]connectortest.Setting{
		"least": {},
		"all": {Change: connector.Settings{
			"customer": "C01", "externalID": "tenure", "groupRoles": true, "roles": true, "licences": []any{starter}, "aliases": true,
			"handOver": []any{"drive", "calendar", "lookerStudio"}, "restoreTo": "/Staff",
		}},
		"no hand-over": {Change: connector.Settings{"handOver": []any{}}, Check: func(t *testing.T, c connector.Connector) {
			assert.False(t, c.Capabilities().HandOver)
		}},
		"key":       {Change: connector.Settings{"key": connectortest.SettingsSecret}, Want: `"key" must hold the JSON key file`},
		"other key": {Change: connector.Settings{"key": `{"client_email":"a@b","private_key":"s3cret"}`}, Want: `"key" must hold the JSON key file`},
		"admin":     {Change: connector.Settings{"admin": "admin"}, Want: `"admin" must be an address`},
		"domain":    {Change: connector.Settings{"domain": "@example.com"}, Want: `"domain" must be a domain`},
		"licences":  {Change: connector.Settings{"licences": []any{"Google-Apps"}}, Want: `"licences" holds one that is not PRODUCT/SKU`},
		"hand over": {Change: connector.Settings{"handOver": []any{"gmail"}}, Want: `"handOver" holds what cannot be handed over`},
		"restoreTo": {Change: connector.Settings{"restoreTo": "Staff"}, Want: `"restoreTo" must be the path`},
		"url":       {Change: connector.Settings{"url": "http://admin.googleapis.com"}, Want: `"url" must be https`},
		"unknown":   {Change: connector.Settings{"tokn": "s3cret"}, Want: `"tokn" is not known`},
	})
}

func TestForesight(t *testing.T) {
	_, settings := serve(t, connector.Settings{"licences": []any{starter}})
	sight := google.Kind.Foresees(settings)
	assert.Equal(t, []string{"givenName", "familyName"}, sight.Required)
	for _, good := range []string{"title", "orgUnitPath", "manager", "customSchemas.HR.costCentre"} {
		assert.Empty(t, sight.Attribute(good), good)
	}
	for _, bad := range []string{"employeeNumber", "aliases", "titel", "customSchemas.HR", "customSchemas.HR.a.b"} {
		assert.NotEmpty(t, sight.Attribute(bad), bad)
	}
	for _, good := range []string{staff, "licence:" + starter} {
		assert.Empty(t, sight.Entitlement(good), good)
	}
	for _, bad := range []string{"staff", staff + ":OWNER", "role:Helpdesk", "licence:" + plus} {
		assert.NotEmpty(t, sight.Entitlement(bad), bad)
	}
}

func TestLicencesAreGivenAndTaken(t *testing.T) {
	app, settings := serve(t, connector.Settings{"licences": []any{starter, plus}})
	c := open(t, settings)
	first, second := create(t, c, "zoe", "p-1", nil), create(t, c, "kim", "p-2", nil)
	require.NoError(t, c.Grant(t.Context(), first.ID, []string{"licence:" + starter}))
	require.NoError(t, c.Grant(t.Context(), first.ID, []string{"licence:" + starter}), "again")
	assert.Equal(t, []string{"licence:" + starter}, read(t, c, first.ID).Entitlements)

	require.NoError(t, c.Grant(t.Context(), first.ID, []string{"licence:" + plus}), "a user has one licence of a product: it is exchanged")
	require.NoError(t, c.Revoke(t.Context(), first.ID, []string{"licence:" + starter}))
	assert.Equal(t, []string{"licence:" + plus}, read(t, c, first.ID).Entitlements)

	refused(t, c.Grant(t.Context(), second.ID, []string{"licence:" + plus}), connector.KindInvalid, "no seat")
	app.Change(first.ID, map[string]any{"primaryEmail": "zoe.new@example.com"})
	assert.Equal(t, []string{"licence:" + plus}, read(t, c, first.ID).Entitlements, "by the address of now")
	require.NoError(t, c.Revoke(t.Context(), first.ID, []string{"licence:" + plus}))
	require.NoError(t, c.Grant(t.Context(), second.ID, []string{"licence:" + plus}))

	seats := map[string]connector.Seats{}
	for e, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		seats[e.Name] = e.Seats
	}
	assert.Equal(t, connector.Seats{Used: 1}, seats["licence:"+plus], "Google does not tell how many there are")
	assert.Contains(t, seats, staff)
}

func TestLicensingHasAPaceOfItsOwn(t *testing.T) {
	_, settings := serve(t, connector.Settings{"licences": []any{starter, plus}, "licensingInterval": "10m"})
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := c.Read(ctx, made.ID)
	refused(t, err, connector.KindUnavailable)
	_, err = c.Read(connector.SparingEntitlements(ctx), made.ID)
	assert.NoError(t, err, "the other API is not slowed down")
}

func TestRolesOfAGroupAreEntitlementsOfTheirOwn(t *testing.T) {
	_, settings := serve(t, connector.Settings{"groupRoles": true})
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	has := func(want ...string) {
		t.Helper()
		assert.Equal(t, want, read(t, c, id).Entitlements)
	}
	require.NoError(t, c.Grant(t.Context(), id, []string{staff}))
	has(staff)
	require.NoError(t, c.Grant(t.Context(), id, []string{staff + ":OWNER"}))
	has(staff + ":OWNER")
	require.NoError(t, c.Revoke(t.Context(), id, []string{staff}), "who has another role by now keeps it")
	has(staff + ":OWNER")
	require.NoError(t, c.Revoke(t.Context(), id, []string{staff + ":OWNER"}))
	assert.Empty(t, read(t, c, id).Entitlements)
}

func TestAnAdminRoleForOneOrgUnitIsAnother(t *testing.T) {
	app, settings := serve(t, connector.Settings{"roles": true})
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	app.Assign(id, "102", "id:03ph8a2z")
	require.NoError(t, c.Grant(t.Context(), id, []string{"role:Helpdesk"}))
	assert.Equal(t, []string{"role:Helpdesk", "role:Helpdesk@id:03ph8a2z"}, read(t, c, id).Entitlements)
	require.NoError(t, c.Revoke(t.Context(), id, []string{"role:Helpdesk@id:03ph8a2z"}))
	assert.Equal(t, []string{"role:Helpdesk"}, read(t, c, id).Entitlements)
	refused(t, c.Grant(t.Context(), id, []string{"role:No such"}), connector.KindInvalid, `"No such"`)
}

func TestAnAliasIsNobodysKey(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	id := app.AddUser(map[string]any{"primaryEmail": "kim@example.com", "aliases": []any{"zoe@example.com"}})
	for name, keys := range map[string]connector.Keys{"username": {Username: "zoe"}, "email": {Email: "zoe@example.com"}, "ID": {AccountID: "zoe@example.com"}, "own address as ID": {AccountID: "kim@example.com"}} {
		matches, err := c.Find(t.Context(), keys)
		require.NoError(t, err, name)
		assert.Empty(t, matches, name)
	}
	matches, err := c.Find(t.Context(), connector.Keys{Email: "KIM@example.com"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, id, matches[0].Account.ID)
	_, err = c.Create(t.Context(), connector.Spec{Username: "zoe", PersonID: "p-1", Active: true})
	refused(t, err, connector.KindExists)
}

func TestASearchThatLagsDoesNotHideAPersonsAccount(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{SearchesLag: 1000})
	made := create(t, c, "zoe", "p-1", nil)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "zoe"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, made.ID, matches[0].Account.ID)
	assert.Equal(t, connector.ByExternalID, matches[0].By)
}

func TestAProxysAnswerProvesNothing(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	app.SetSwitches(googletest.Switches{Empty: true})
	for _, keys := range []connector.Keys{{PersonID: "p-1"}, {Username: "zoe"}, {AccountID: made.ID}} {
		_, err := c.Find(t.Context(), keys)
		refused(t, err, connector.KindContradictory)
	}
	_, err := c.Create(t.Context(), connector.Spec{Username: "kim", PersonID: "p-2"})
	refused(t, err, connector.KindContradictory)
	for _, err := range c.List(t.Context()) {
		refused(t, err, connector.KindContradictory)
	}
}

func TestAMemberWhoWasAddedAndAnsweredBy404(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	app.SetSwitches(googletest.Switches{MemberAddedBut404: true})
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{staff}))
	assert.Equal(t, []string{staff}, read(t, c, made.ID).Entitlements)
	refused(t, c.Grant(t.Context(), made.ID, []string{"nobody@example.com"}), connector.KindInvalid, `no group "nobody@example.com"`)
}

func TestExternalIDsOfOthersStay(t *testing.T) {
	app, settings := serve(t, connector.Settings{"externalID": "tenure"})
	c := open(t, settings)
	badge := map[string]any{"type": "custom", "customType": "badge", "value": "77"}
	number := map[string]any{"type": "organization", "value": "4711"}
	id := app.AddUser(map[string]any{"primaryEmail": "zoe@example.com", "externalIds": []any{badge, number}})
	require.NoError(t, c.Adopt(t.Context(), id, "p-1"))
	ours := map[string]any{"type": "custom", "customType": "tenure", "value": "p-1"}
	assert.Equal(t, []any{badge, number, ours}, app.User(id)["externalIds"])

	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "p-1"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	matches, err = c.Find(t.Context(), connector.Keys{PersonID: "4711"})
	require.NoError(t, err)
	assert.Empty(t, matches, "an ID of another type is no person ID")
	matches, err = c.Find(t.Context(), connector.Keys{EmployeeNumber: "4711"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, connector.ByEmployeeNumber, matches[0].By)

	require.NoError(t, c.Update(t.Context(), id, map[string]any{"employeeNumber": ""}))
	assert.Equal(t, []any{badge, ours}, app.User(id)["externalIds"])
}

func TestAttributesOfListsKeepWhatElseIsThere(t *testing.T) {
	app, settings := serve(t, connector.Settings{"aliases": true})
	c := open(t, settings)
	boss := create(t, c, "boss", "p-0", nil)
	id := app.AddUser(map[string]any{
		"primaryEmail": "zoe@example.com", "name": map[string]any{"givenName": "Zoe", "familyName": "Ek", "displayName": "Zoe E"},
		"organizations": []any{map[string]any{"type": "school", "name": "KTH"}, map[string]any{"primary": true, "title": "Dr", "symbol": "X"}},
		"phones":        []any{map[string]any{"type": "home", "value": "+461"}}, "recoveryPhone": "+462",
		"customSchemas": map[string]any{"HR": map[string]any{"level": "4"}},
	})
	set := map[string]any{
		"familyName": "Ek-Berg", "title": "Prof", "department": "R&D", "mobilePhone": "+463", "manager": boss.ID, "building": "B1",
		"customSchemas.HR.team": "Blue", "orgUnitPath": "/Staff", "includeInGlobalAddressList": false, "recoveryPhone": "", "aliases": []string{"Zee@example.com"},
	}
	require.NoError(t, c.Update(t.Context(), id, set))
	require.NoError(t, c.Update(t.Context(), id, set), "again")
	dropped, err := connector.Dropped(t.Context(), c, read(t, c, id), set)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	user := app.User(id)
	assert.Equal(t, "Zoe", user["name"].(map[string]any)["givenName"])
	assert.Equal(t, map[string]any{"type": "school", "name": "KTH"}, user["organizations"].([]any)[0])
	assert.Equal(t, "X", user["organizations"].([]any)[1].(map[string]any)["symbol"])
	assert.Len(t, user["phones"], 2)
	assert.Equal(t, map[string]any{"level": "4", "team": "Blue"}, user["customSchemas"].(map[string]any)["HR"])
	assert.Equal(t, "boss@example.com", read(t, c, id).Attributes["manager"])
	assert.NotContains(t, user, "recoveryPhone")

	require.NoError(t, c.Update(t.Context(), id, map[string]any{"mobilePhone": "", "building": "", "customSchemas.HR.team": "", "aliases": []string{}, "manager": ""}))
	user = app.User(id)
	assert.Len(t, user["phones"], 1)
	assert.NotContains(t, user, "locations")
	assert.NotContains(t, user, "relations")
	assert.Equal(t, map[string]any{"level": "4"}, user["customSchemas"].(map[string]any)["HR"])
	assert.Empty(t, user["aliases"])
	refused(t, c.Update(t.Context(), id, map[string]any{"orgUnitPath": "/Nowhere"}), connector.KindInvalid)
	refused(t, c.Update(t.Context(), id, map[string]any{"manager": "4711"}), connector.KindInvalid, "manager")
	refused(t, c.Update(t.Context(), id, map[string]any{"includeInGlobalAddressList": "maybe"}), connector.KindInvalid, "true or false")
}

func TestAPasswordThatNobodyKnows(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	first, second := create(t, c, "zoe", "p-1", nil), create(t, c, "kim", "p-2", nil)
	assert.GreaterOrEqual(t, len(app.Left(first.ID).Password), 26)
	assert.NotEqual(t, app.Left(first.ID).Password, app.Left(second.ID).Password)
	assert.Equal(t, "zoe", first.Attributes["familyName"], "Google makes no user without names")
}

func TestALeaverKeepsNoWayIn(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	assert.Zero(t, read(t, c, id).LastUsedAt, "Google writes 1970 for never")
	app.SignIn(id)
	app.SignIn(id)
	assert.WithinDuration(t, time.Now(), read(t, c, id).LastUsedAt, time.Minute)

	require.NoError(t, c.Disable(t.Context(), id))
	require.NoError(t, c.RevokeSessions(t.Context(), id))
	left := app.Left(id)
	left.Password = ""
	assert.Equal(t, googletest.Left{SignOuts: 1}, left)
	assert.False(t, read(t, c, id).Active)
	require.NoError(t, c.Disable(t.Context(), id), "again: the codes of a suspended user are not touched")
}

func TestALeaverIsSuspendedEvenIfTheCodesStay(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	app.SetSwitches(googletest.Switches{CodesFail: true})
	refused(t, c.Disable(t.Context(), id), connector.KindUnavailable)
	assert.Equal(t, true, app.User(id)["suspended"])
}

func TestResetEndsWhatAFormerOwnerKnows(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", map[string]any{"recoveryEmail": "x@example.org", "recoveryPhone": "+461"}).ID
	app.SignIn(id)
	app.Change(id, map[string]any{"isEnrolledIn2Sv": true})
	before := app.Left(id).Password
	require.NoError(t, connector.Reset(t.Context(), c, id))
	after := app.Left(id)
	assert.NotEqual(t, before, after.Password)
	after.Password = ""
	assert.Equal(t, googletest.Left{SignOuts: 1}, after)
	assert.Equal(t, false, app.User(id)["isEnrolledIn2Sv"])
	assert.NotContains(t, app.User(id), "recoveryEmail")

	app.Change(id, map[string]any{"isEnrolledIn2Sv": true, "isEnforcedIn2Sv": true})
	require.NoError(t, connector.Reset(t.Context(), c, id), "an enforced second factor stays")
	require.NoError(t, c.Disable(t.Context(), id))
	require.NoError(t, connector.Reset(t.Context(), c, id), "a suspended account")
}

func TestAnArchivedAccountIsOff(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	app.Change(id, map[string]any{"archived": true})
	assert.False(t, read(t, c, id).Active)
	require.NoError(t, c.Enable(t.Context(), id))
	assert.True(t, read(t, c, id).Active)
}

func TestDataIsHandedOverAcrossAttempts(t *testing.T) {
	app, settings := serve(t, connector.Settings{"handOver": []any{"drive", "calendar", "lookerStudio"}})
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{TransferPolls: 2})
	from, to := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "boss", "p-0", nil).ID
	require.NoError(t, c.Disable(t.Context(), from))

	begun := refused(t, c.HandOver(t.Context(), from, to), connector.KindUnderway)
	assert.NotEmpty(t, begun.Operation)
	assert.NotZero(t, begun.RetryAfter)
	lost := refused(t, c.HandOver(t.Context(), from, to), connector.KindUnderway)
	assert.Equal(t, begun.Operation, lost.Operation, "whoever lost the operation follows the transfer that is under way")
	require.Len(t, app.Transfers(), 1)

	ctx := connector.WithOperation(t.Context(), begun.Operation)
	restarted := open(t, settings)
	refused(t, restarted.HandOver(ctx, from, to), connector.KindUnderway)
	require.NoError(t, restarted.HandOver(ctx, from, to))
	require.NoError(t, restarted.HandOver(ctx, from, to), "again")
	require.Len(t, app.Transfers(), 1)
	sent, err := json.Marshal(app.Transfers()[0]["applicationDataTransfers"])
	require.NoError(t, err)
	assert.JSONEq(t, `[
		{"applicationId": "55656082996", "applicationTransferParams": [{"key": "PRIVACY_LEVEL", "value": ["PRIVATE", "SHARED"]}]},
		{"applicationId": "435070579839", "applicationTransferParams": [{"key": "RELEASE_RESOURCES", "value": ["TRUE"]}]},
		{"applicationId": "810260081642"}]`, string(sent))

	refused(t, restarted.HandOver(ctx, to, from), connector.KindContradictory)
}

func TestATransferThatIsNotShownAnyMore(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{TransferPolls: 2})
	from, to := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "boss", "p-0", nil).ID
	unknown := connector.WithOperation(t.Context(), "AKrEtI-of-another")
	refused(t, c.HandOver(unknown, from, to), connector.KindInvalid, "Admin console")
	require.Empty(t, app.Transfers(), "it is not taken for one that never was")

	begun := refused(t, c.HandOver(t.Context(), from, to), connector.KindUnderway)
	found := refused(t, c.HandOver(unknown, from, to), connector.KindUnderway)
	assert.Equal(t, begun.Operation, found.Operation)
	require.Len(t, app.Transfers(), 1)
}

func TestTheRecipientChangesDuringATransfer(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{TransferPolls: 2})
	from, boss, head := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "boss", "p-0", nil).ID, create(t, c, "head", "p-2", nil).ID
	begun := refused(t, c.HandOver(t.Context(), from, boss), connector.KindUnderway)
	ctx := connector.WithOperation(t.Context(), begun.Operation)
	again := refused(t, c.HandOver(ctx, from, head), connector.KindUnderway, "earlier recipient")
	assert.Equal(t, begun.Operation, again.Operation)
	require.Len(t, app.Transfers(), 1, "not two at a time")
	refused(t, c.HandOver(ctx, from, head), connector.KindInvalid, "earlier recipient", "move them on")
	require.Len(t, app.Transfers(), 1, "a second one would move nothing, and count as done")
}

func TestTheRecipientChangesAfterATransferFailed(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{TransferPolls: 2, TransferFails: []string{"55656082996"}})
	from, boss, head := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "boss", "p-0", nil).ID, create(t, c, "head", "p-2", nil).ID
	begun := refused(t, c.HandOver(t.Context(), from, boss), connector.KindUnderway)
	ctx := connector.WithOperation(t.Context(), begun.Operation)
	refused(t, c.HandOver(ctx, from, head), connector.KindUnderway, "earlier recipient")
	next := refused(t, c.HandOver(ctx, from, head), connector.KindUnderway)
	assert.NotEqual(t, begun.Operation, next.Operation)
	require.Len(t, app.Transfers(), 2)
	assert.Equal(t, head, app.Transfers()[1]["newOwnerUserId"])
}

func TestATransferThatFails(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	app.SetSwitches(googletest.Switches{TransferPolls: 1, TransferFails: []string{"55656082996"}})
	from, to := create(t, c, "zoe", "p-1", nil).ID, create(t, c, "boss", "p-0", nil).ID
	begun := refused(t, c.HandOver(t.Context(), from, to), connector.KindUnderway)
	ctx := connector.WithOperation(t.Context(), begun.Operation)
	refused(t, c.HandOver(ctx, from, to), connector.KindInvalid, "drive", "by hand")

	require.NoError(t, c.Disable(t.Context(), to))
	refused(t, c.HandOver(t.Context(), from, to), connector.KindInvalid, "suspended")
	refused(t, c.HandOver(t.Context(), "4711", to), connector.KindNotFound)
}

func TestTheRecycleBin(t *testing.T) {
	app, settings := serve(t, connector.Settings{"restoreTo": "/Staff"})
	c := open(t, settings)
	id := create(t, c, "zoe", "p-1", nil).ID
	require.NoError(t, c.Delete(t.Context(), id))
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		assert.NotEqual(t, id, account.ID)
	}
	require.NoError(t, c.Restore(t.Context(), id))
	assert.False(t, read(t, c, id).Active, "Google brings it back suspended")
	assert.Equal(t, "/Staff", read(t, c, id).Attributes["orgUnitPath"])

	require.NoError(t, c.Delete(t.Context(), id))
	other := create(t, c, "zoe", "p-2", nil)
	refused(t, c.Restore(t.Context(), id), connector.KindExists, "another account's")
	require.NoError(t, c.Delete(t.Context(), other.ID))
	app.Expire()
	refused(t, c.Restore(t.Context(), id), connector.KindNotFound)
}

func TestProbeNamesTheScopeThatIsMissing(t *testing.T) {
	app, settings := serve(t, connector.Settings{"roles": true, "licences": []any{starter}})
	c := open(t, settings)
	for _, finding := range c.Probe(t.Context()) {
		assert.Empty(t, finding.Problem, finding.What)
	}
	app.TakeScope("admin.datatransfer")
	_, err := open(t, settings).Check(t.Context())
	refused(t, err, connector.KindUnauthorized, "unauthorized_client", "scopes of the domain-wide delegation")
	var missing []string
	for _, finding := range open(t, settings).Probe(t.Context()) {
		if strings.HasPrefix(finding.What, "may have the scope") && finding.Problem != "" {
			missing = append(missing, finding.What)
			assert.Contains(t, finding.Problem, "https://www.googleapis.com/auth/admin.datatransfer")
		}
	}
	assert.Equal(t, []string{"may have the scope admin.datatransfer"}, missing)
}

func TestCheckSaysAsWhom(t *testing.T) {
	_, settings := serve(t, nil)
	who, err := open(t, settings).Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "admin@example.com, by the service account "+googletest.ClientEmail, who)
}

func TestAQuotaIsNoMissingRight(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	for reason, wait := range map[string]time.Duration{"userRateLimitExceeded": 10 * time.Second, "quotaExceeded": 10 * time.Second, "rateLimitExceeded": 10 * time.Second, "dailyLimitExceeded": time.Hour} {
		app.SetSwitches(googletest.Switches{QuotaEvery: 1, QuotaReason: reason})
		_, err := c.Check(t.Context())
		assert.Equal(t, wait, refused(t, err, connector.KindRateLimited).RetryAfter, reason)
	}
	app.SetSwitches(googletest.Switches{QuotaEvery: 1, QuotaReason: "forbidden"})
	_, err := c.Check(t.Context())
	refused(t, err, connector.KindForbidden, "privilege")
	app.SetSwitches(googletest.Switches{QuotaEvery: 1, QuotaReason: "accessNotConfigured"})
	_, err = c.Check(t.Context())
	refused(t, err, connector.KindForbidden, "enable the Admin SDK API")
}

func TestErrorsHoldNoAddress(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	made := create(t, c, "zoe", "p-1", nil)
	app.Door().SetFaults(vendortest.Faults{Down: true})
	for err := range slices.Values([]error{c.Delete(t.Context(), made.ID), c.Grant(t.Context(), made.ID, []string{staff}), c.Disable(t.Context(), made.ID)}) {
		for ; err != nil; err = errors.Unwrap(err) {
			assert.NotContains(t, err.Error(), made.ID)
			assert.NotContains(t, err.Error(), settings["url"])
		}
	}
}

// Google rejects mail to a suspended user, and no API routes it.
func TestAHumanIsAskedToRouteTheMail(t *testing.T) {
	_, settings := serve(t, nil)
	_, asks := open(t, settings).Ask("HandOver")
	assert.False(t, asks, "nobody to ask")
	settings["assignee"] = "workspace-admins"
	c := open(t, settings)
	ask, asks := c.Ask("HandOver")
	require.True(t, asks)
	assert.Equal(t, "workspace-admins", ask.Assignee)
	assert.Contains(t, ask.Instructions, "Default routing")
	assert.True(t, c.Capabilities().HandOver, "and Drive is handed over besides")
	for _, step := range []string{"Provision", "Disable", "Delete"} {
		_, asks := c.Ask(step)
		assert.False(t, asks, step)
	}
}
