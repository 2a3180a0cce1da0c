package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Whoever is signed in with what a role gave for a time is signed out when it is taken, whatever
// takes it, if the role says so or is privileged.
func TestSessionsEndWithAGrant(t *testing.T) {
	for name, tc := range map[string]struct {
		risk  policy.Risk
		rule  policy.SessionRule
		live  func(b *biography)
		ended int
		wiki  string
	}{
		"a privileged role":   {policy.RiskPrivileged, "", func(*biography) {}, 1, "on [engineers]"},
		"one that keeps them": {policy.RiskPrivileged, policy.SessionsKeep, func(*biography) {}, 0, "on [engineers]"},
		"another role":        {"", "", func(*biography) {}, 0, "on [engineers]"},
		"one that ends them":  {policy.RiskStandard, policy.SessionsEnd, func(*biography) {}, 1, "on [engineers]"},
		"before its time":     {policy.RiskPrivileged, "", func(b *biography) { b.nudged(2*day, b.endsGrant) }, 1, "on [engineers]"},
		"it is withheld":      {policy.RiskPrivileged, "", func(b *biography) { b.withholds(2*day, "wiki", "admins", 30*day) }, 1, "on [engineers]"},
		"the answer to a call was lost": {policy.RiskPrivileged, "", func(b *biography) {
			b.on(3*day-time.Minute, func() { b.apps["wiki"].SetFaults(memory.Faults{FailAfterApply: 1}) })
		}, 1, "on [engineers]"},
		"the account is off": {policy.RiskPrivileged, "", func(b *biography) { b.hears(2*day, hr.Event{Type: hr.EventLeaveStarted}) }, 1, "off [engineers]"}, // as it was turned off
		"a move is held": {policy.RiskPrivileged, "", func(b *biography) {
			b.limit()
			b.others(2*day-time.Hour, ledger.Disables, 3)
			b.hears(2*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
		}, 1, "on [engineers]"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := requestRules()
			role := &rules.Roles[len(rules.Roles)-2]
			role.About.Risk = tc.risk
			role.Request = &policy.RequestRules{Most: 90 * day, Sessions: tc.rule}
			b := newBiography(t, rules)
			b.hears(0, hired("Development"))
			b.grants(day, "admin", day, 3*day)
			b.sees(day+time.Minute, "wiki", "on [admins engineers]", "granted")
			b.on(day+time.Minute, func() { assert.Zero(t, b.apps["wiki"].Calls(connector.OpRevokeSessions)) })
			tc.live(b)
			b.live(4 * day)
			assert.Equal(t, tc.wiki, b.state("wiki"))
			assert.Equal(t, tc.ended, b.apps["wiki"].Calls(connector.OpRevokeSessions))
			assert.Zero(t, b.apps["chat"].Calls(connector.OpRevokeSessions)-b.apps["chat"].Calls(connector.OpDisable), "of no other app")
			rows, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
			require.NoError(t, err)
			said := slices.ContainsFunc(rows, func(r ledger.AuditRow) bool {
				return r.App == "wiki" && r.Action == "updated" && r.Detail["sessions"] == "ended"
			})
			assert.Equal(t, tc.ended == 1 && tc.wiki == "on [engineers]", said, "it is on the record")
		})
	}
}

// endsGrant ends the person's first exception before its time.
func (b *biography) endsGrant() {
	_, err := b.ledger.EndException(context.Background(), ledger.ExceptionEnd{ID: person(b).Exceptions[0].ID, Operator: "ada", Reason: "done", At: b.now()})
	require.NoError(b.t, err)
}
