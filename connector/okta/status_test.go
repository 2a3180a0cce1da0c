package okta_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
)

// What disabling and enabling do to a user of each status, by both settings.
func TestStatusByStatus(t *testing.T) {
	for _, test := range []struct {
		status               string
		active               bool
		suspended, turnedOff string // the status after Disable, by the setting
		enabled              string // the status after Enable
	}{
		{status: "STAGED", active: false, suspended: "STAGED", turnedOff: "DEPROVISIONED", enabled: "ACTIVE"},
		{status: "PROVISIONED", active: true, suspended: "DEPROVISIONED", turnedOff: "DEPROVISIONED", enabled: "PROVISIONED"},
		{status: "ACTIVE", active: true, suspended: "SUSPENDED", turnedOff: "DEPROVISIONED", enabled: "ACTIVE"},
		{status: "RECOVERY", active: true, suspended: "DEPROVISIONED", turnedOff: "DEPROVISIONED", enabled: "RECOVERY"},
		{status: "LOCKED_OUT", active: true, suspended: "SUSPENDED", turnedOff: "DEPROVISIONED", enabled: "LOCKED_OUT"},
		{status: "PASSWORD_EXPIRED", active: true, suspended: "DEPROVISIONED", turnedOff: "DEPROVISIONED", enabled: "PASSWORD_EXPIRED"},
		{status: "SUSPENDED", active: false, suspended: "SUSPENDED", turnedOff: "DEPROVISIONED", enabled: "ACTIVE"},
		{status: "DEPROVISIONED", active: false, suspended: "DEPROVISIONED", turnedOff: "DEPROVISIONED", enabled: "ACTIVE"},
	} {
		for _, answers := range []bool{false, true} {
			t.Run(test.status+map[bool]string{false: "/403", true: "/400"}[answers], func(t *testing.T) {
				org, url := serve(t, oktatest.Switches{InvalidStatus: answers})
				tries := []struct {
					do   func(c connector.Connector, id string) error
					set  string
					want string
				}{
					{func(c connector.Connector, id string) error { return c.Disable(t.Context(), id) }, "suspend", test.suspended},
					{func(c connector.Connector, id string) error { return c.Disable(t.Context(), id) }, "deactivate", test.turnedOff},
					{func(c connector.Connector, id string) error { return c.Enable(t.Context(), id) }, "suspend", test.enabled},
				}
				for i, try := range tries {
					c := open(t, connector.Settings{"url": url, "token": token, "disable": try.set})
					id := org.AddUser(oktatest.Seed{Status: test.status, Login: strings.Repeat("x", i+1) + "@example.com"})
					account, err := c.Read(t.Context(), id)
					require.NoError(t, err)
					assert.Equal(t, test.active, account.Active)
					for range 2 { // again: nothing to do
						require.NoError(t, try.do(c, id))
						user, _ := org.User(id)
						assert.Equal(t, try.want, user.Status)
					}
				}
				assert.Empty(t, org.Mails())
			})
		}
	}
}

func TestAStatusThatNobodyKnowsCountsAsActiveAndIsDeactivated(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Status: "FROZEN", Login: "zoe@example.com"})
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.True(t, account.Active)
	assert.True(t, connector.Is(c.Disable(t.Context(), id), connector.KindUnavailable), "it may be suspended one day, and is retried: the stand-in refuses to deactivate it")
}

// Nearly every account is active, and is disabled by one request.
func TestDisablingAnActiveUserTakesOneRequest(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Login: "zoe@example.com"})
	org.Requests()
	require.NoError(t, c.Disable(t.Context(), id))
	assert.Equal(t, []string{"POST /users/" + id + "/lifecycle/suspend"}, org.Requests())
}

// A transition that takes long is followed to its end, and never counted as done before.
func TestTransitionsThatTakeLong(t *testing.T) {
	const long = 12 // reads; a call looks four times
	org, url := serve(t, oktatest.Switches{Slow: long, Passwordless: true})
	c := named{open(t, connector.Settings{"url": url, "token": token, "disable": "deactivate"})}

	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "zoe@example.com", Active: true})
	require.NoError(t, err)
	assert.True(t, made.Active, "it becomes active without anybody's doing: whoever has to be cut off meanwhile must not be taken for off")
	err = c.Disable(t.Context(), made.ID)
	assertUnderway(t, err, connector.OpDisable, "activate")
	assertUnderway(t, c.Enable(t.Context(), made.ID), connector.OpEnable, "activate")
	require.NoError(t, c.Enable(t.Context(), made.ID))
	user, _ := org.User(made.ID)
	assert.Equal(t, "ACTIVE", user.Status)

	assertUnderway(t, c.Disable(t.Context(), made.ID), connector.OpDisable, "deactivate")
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.True(t, account.Active, "not off yet")
	assertUnderway(t, c.Delete(t.Context(), made.ID), connector.OpDelete, "deactivate")
	for range long {
		_, err = c.Read(t.Context(), made.ID)
		require.NoError(t, err)
	}
	require.NoError(t, c.Disable(t.Context(), made.ID))
	account, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, account.Active)
	assertUnderway(t, c.Enable(t.Context(), made.ID), connector.OpEnable, "activate")
}

func assertUnderway(t *testing.T, err error, op, operation string) {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindUnderway, failed.Kind, err.Error())
	assert.Equal(t, op, failed.Op)
	assert.Equal(t, operation, failed.Operation)
	assert.Positive(t, failed.RetryAfter)
}

func TestAnActivationThatFailsLeavesAnAccountThatIsOff(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := named{open(t, connector.Settings{"url": url, "token": token})}
	org.SetSwitches(oktatest.Switches{WithoutRight: "POST /users/"})
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "zoe@example.com", Active: true})
	require.NoError(t, err, "the account is there: an error would say that none was made")
	assert.False(t, made.Active)
	assert.True(t, connector.Is(c.Enable(t.Context(), made.ID), connector.KindForbidden), "enabling says why")
}

func TestOnlyActivationMailSendsMail(t *testing.T) {
	for mail, want := range map[bool]int{false: 0, true: 1} {
		org, url := serve(t, oktatest.Switches{})
		c := named{open(t, connector.Settings{"url": url, "token": token, "activationMail": mail})}
		made, err := c.Create(t.Context(), connector.Spec{Username: "zoe@example.com", Active: true})
		require.NoError(t, err)
		require.NoError(t, c.ResetCredentials(t.Context(), made.ID))
		require.NoError(t, c.Disable(t.Context(), made.ID))
		require.NoError(t, c.Delete(t.Context(), made.ID))
		assert.Len(t, org.Mails(), want)
	}
}

func TestAnAccountThatADirectoryLockedOutIsNotSaidToBeSuspended(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Status: "LOCKED_OUT", Login: "zoe@example.com", Provider: "ACTIVE_DIRECTORY"})
	err := c.Disable(t.Context(), id)
	assert.True(t, connector.Is(err, connector.KindInvalid), err)
	assert.ErrorContains(t, err, "directory")
}

// Whatever state an account is in, and however often Delete is called, it is gone in the end.
func TestDeleteFromEveryStatus(t *testing.T) {
	for _, status := range []string{"STAGED", "PROVISIONED", "ACTIVE", "RECOVERY", "LOCKED_OUT", "PASSWORD_EXPIRED", "SUSPENDED", "DEPROVISIONED"} {
		org, url := serve(t, oktatest.Switches{})
		c := open(t, connector.Settings{"url": url, "token": token})
		id := org.AddUser(oktatest.Seed{Status: status, Login: "zoe@example.com"})
		for range 2 {
			require.NoError(t, c.Delete(t.Context(), id))
			_, there := org.User(id)
			assert.False(t, there, status)
		}
	}
}

func TestResetCredentials(t *testing.T) {
	for status, changed := range map[string]bool{
		"STAGED": true, "PROVISIONED": false, "ACTIVE": true, "RECOVERY": true, "LOCKED_OUT": true, "PASSWORD_EXPIRED": true, "SUSPENDED": true, "DEPROVISIONED": false,
	} {
		t.Run(status, func(t *testing.T) {
			org, url := serve(t, oktatest.Switches{})
			c := open(t, connector.Settings{"url": url, "token": token})
			id := org.AddUser(oktatest.Seed{Status: status, Login: "zoe@example.com", Question: "Pet?", Profile: map[string]any{"secondEmail": "zoe@home.example"}})
			org.SignIn(id)
			require.NoError(t, c.ResetCredentials(t.Context(), id))
			user, _ := org.User(id)
			assert.Equal(t, status, user.Status, "nothing else changes")
			assert.Equal(t, changed, user.Password != "known")
			assert.Equal(t, changed, !user.Factors)
			assert.Equal(t, changed, user.Answer != "")
			assert.Equal(t, changed, user.Profile["secondEmail"] == nil, "recovery links go to it")
		})
	}
	t.Run("kept elsewhere", func(t *testing.T) {
		org, url := serve(t, oktatest.Switches{})
		c := open(t, connector.Settings{"url": url, "token": token})
		id := org.AddUser(oktatest.Seed{Login: "zoe@example.com", Provider: "ACTIVE_DIRECTORY"})
		assert.True(t, connector.Is(c.ResetCredentials(t.Context(), id), connector.KindUnsupported))
	})
	t.Run("not while suspended", func(t *testing.T) {
		org, url := serve(t, oktatest.Switches{NoSuspendedReset: true})
		c := open(t, connector.Settings{"url": url, "token": token})
		id := org.AddUser(oktatest.Seed{Status: "SUSPENDED", Login: "zoe@example.com"})
		err := c.ResetCredentials(t.Context(), id)
		assert.True(t, connector.Is(err, connector.KindInvalid), err)
		assert.ErrorContains(t, err, "by hand")
	})
}

func TestSessionsEndWithTheirTokens(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Login: "zoe@example.com"})
	org.SignIn(id)
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, account.LastUsedAt.IsZero())
	require.NoError(t, c.RevokeSessions(t.Context(), id))
	user, _ := org.User(id)
	assert.False(t, user.Sessions, "the stand-in keeps them unless OAuth tokens are named")
}
