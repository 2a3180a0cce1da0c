package provision_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// strict is an app that refuses to give disabled accounts anything, as Okta does to those that
// are deactivated.
type strict struct {
	*bin
	frozen bool
	made   []string
}

func (s *strict) Capabilities() connector.Capabilities {
	all := s.bin.Capabilities()
	all.EnableFirst, all.Frozen = true, s.frozen
	return all
}

func (s *strict) refused(ctx context.Context, op, id string) error {
	s.made = append(s.made, op)
	if account, err := s.Read(ctx, id); err == nil && !account.Active {
		return connector.Invalid(op, "the account is disabled")
	}
	return nil
}

func (s *strict) Update(ctx context.Context, id string, attributes map[string]any) error {
	if err := s.refused(ctx, connector.OpUpdate, id); err != nil {
		return err
	}
	return s.bin.Update(ctx, id, attributes)
}

func (s *strict) Grant(ctx context.Context, id string, names []string) error {
	if err := s.refused(ctx, connector.OpGrant, id); err != nil {
		return err
	}
	return s.bin.Grant(ctx, id, names)
}

func (s *strict) Adopt(ctx context.Context, id, personID string) error {
	if err := s.refused(ctx, connector.OpAdopt, id); err != nil {
		return err
	}
	return s.bin.Adopt(ctx, id, personID)
}

func (s *strict) Relabel(ctx context.Context, id string, to connector.Label) error {
	if err := s.refused(ctx, connector.OpRelabel, id); err != nil {
		return err
	}
	return s.bin.Relabel(ctx, id, to)
}

func (s *strict) Enable(ctx context.Context, id string) error {
	s.made = append(s.made, connector.OpEnable)
	return s.bin.Enable(ctx, id)
}

func TestWhoComesBackIsEnabledBeforeTheAccountIsUpdated(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		o := newOffice(t)
		app := &strict{bin: o.mail, frozen: frozen}
		o.engine.Apps["mail"] = &provision.App{Connector: app}
		o.hear(hr.EventHired)
		require.NoError(t, o.settle())
		o.now = o.now.Add(20 * day)
		o.hear(hr.EventTerminated)
		require.NoError(t, o.settle())
		app.made = nil
		o.now = o.now.Add(2 * day)
		o.hear(hr.EventRehired) // with another title
		require.NoError(t, o.settle())
		account := o.account(o.link().AccountID)
		assert.True(t, account.Active)
		assert.Equal(t, []string{"staff"}, account.Entitlements)
		assert.Equal(t, "Title 3", account.Attributes["title"])
		assert.Equal(t, []string{connector.OpEnable, connector.OpUpdate, connector.OpGrant}, app.made)
	}
}

// An account of an earlier employment is got ready only when it can be enabled.
func TestAFrozenAccountWaitsForTheFirstDay(t *testing.T) {
	o := newOfficeThatPrepares(t, 10*day)
	app := &strict{bin: o.mail, frozen: true}
	o.engine.Apps["mail"] = &provision.App{Connector: app}
	id := o.memory.Put(connector.Account{Username: "alovelace", ExternalID: "ada", Attributes: map[string]any{"title": "old"}})
	today := o.now
	o.now = today.Add(5 * day)
	o.hear(hr.EventHired)
	o.now = today
	require.NoError(t, o.settle())
	assert.Equal(t, id, o.link().AccountID)
	assert.Empty(t, app.made, "nothing can be given yet")
	assert.False(t, o.account(id).Active)

	o.now = today.Add(5 * day)
	require.NoError(t, o.settle())
	assert.Equal(t, []string{connector.OpEnable, connector.OpUpdate, connector.OpGrant}, app.made)
	assert.Equal(t, []string{"staff"}, o.account(id).Entitlements)
	assert.Equal(t, "Title 1", o.account(id).Attributes["title"])
}

// Whose account it is, is written into it only when it is enabled, too.
func TestAFrozenAccountIsMarkedWhenItIsEnabled(t *testing.T) {
	o := newOfficeThatPrepares(t, 10*day)
	rules, err := policy.Compile(policy.Rules{
		Apps:   map[string]policy.AppRules{"mail": {Adopt: policy.AdoptAuto}},
		Roles:  []policy.Role{{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"staff"}}}}},
		Joiner: policy.JoinerRules{LeadTime: 10 * day},
	})
	require.NoError(t, err)
	o.engine.Policy = rules
	app := &strict{bin: o.mail, frozen: true}
	o.engine.Apps["mail"] = &provision.App{Connector: app}
	id := o.memory.Put(connector.Account{Username: "alovelace"})
	today := o.now
	o.now = today.Add(5 * day)
	o.hear(hr.EventHired)
	o.now = today
	require.NoError(t, o.settle())
	assert.Equal(t, id, o.link().AccountID)
	assert.Empty(t, app.made)

	o.now = today.Add(5 * day)
	require.NoError(t, o.settle())
	assert.Equal(t, []string{connector.OpEnable, connector.OpAdopt, connector.OpGrant}, app.made)
	assert.Equal(t, "ada", o.account(id).ExternalID)
}

// The stand-in of Okta refuses every change of the profile of who is deactivated. A rehired
// person comes back to the old account, whose title has changed since.
func TestWhoComesBackToOkta(t *testing.T) {
	for _, disable := range []string{"suspend", "deactivate"} {
		o := newOffice(t)
		org := oktatest.New(oktatest.Options{Token: "t", Groups: []string{"staff"}}, oktatest.Switches{})
		server := httptest.NewServer(org)
		t.Cleanup(server.Close)
		app, err := okta.Kind.Open(t.Context(), connector.Env{App: "mail"}, connector.Settings{"url": server.URL, "token": "t", "disable": disable})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, app.Close()) })
		o.engine.Apps["mail"] = &provision.App{Connector: app}
		id := org.AddUser(oktatest.Seed{
			Status: "DEPROVISIONED", Login: "alovelace", Profile: map[string]any{"employeeNumber": "ada", "title": "old"},
		})
		o.hear(hr.EventHired)
		require.NoError(t, o.settle())
		assert.Equal(t, id, o.link().AccountID, "there is no twin")
		account, err := app.Read(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, account.Active)
		assert.Equal(t, "Title 1", account.Attributes["title"])
		assert.Equal(t, []string{"staff"}, account.Entitlements)
	}
}

// newOfficeThatNarrows returns an office whose people are administrators until they become
// clerks.
func newOfficeThatNarrows(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"mail": {Attributes: map[string]string{"title": "person.jobTitle"}}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"staff"}}}},
			{Name: "first", When: "person.jobTitle == 'Title 1'", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"admins"}}}},
			{Name: "later", When: "person.jobTitle != 'Title 1'", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"clerks"}}}},
		},
	})
	require.NoError(t, err)
	o.engine.Policy = rules
	return o
}

// While a frozen account is off, what has to be taken is taken, and nothing that it cannot be
// given is waited for: neither what is new, nor what somebody has taken from it in the app.
func TestWhatAFrozenAccountMustNotHaveIsTakenWhileItIsOff(t *testing.T) {
	for _, gone := range []string{"", "staff"} {
		o := newOfficeThatNarrows(t)
		app := &strict{bin: o.mail, frozen: true}
		o.engine.Apps["mail"] = &provision.App{Connector: app}
		o.hear(hr.EventHired)
		require.NoError(t, o.settle())
		id := o.link().AccountID
		o.now = o.now.Add(20 * day)
		o.hear(hr.EventLeaveStarted)
		require.NoError(t, o.settle())
		if gone != "" {
			require.NoError(t, o.mail.Revoke(t.Context(), id, []string{gone}))
		}
		app.made = nil
		o.now = o.now.Add(day)
		o.hear(hr.EventUpdated) // they are a clerk now
		assessment, err := o.engine.Assess(t.Context(), "ada")
		require.NoError(t, err)
		require.Len(t, assessment.Todo, 1)
		step := assessment.Todo[0].Step // as plan/frozen_test.go has it
		assert.Equal(t, plan.Update, step.Kind)
		assert.Equal(t, []string{"admins"}, step.Revoke)
		assert.Empty(t, step.Grant)
		assert.False(t, step.Attributes)
		require.NoError(t, o.settle())
		assert.Empty(t, app.made, "nothing is given")
		kept := set.Minus([]string{"staff"}, []string{gone})
		assert.ElementsMatch(t, kept, o.account(id).Entitlements)
		link := o.link()
		assert.Equal(t, ledger.LinkDisabled, link.State)
		assert.ElementsMatch(t, kept, link.Entitlements, "the link has what the account has")
		assert.Equal(t, policy.Digest(map[string]any{"title": "Title 1"}), link.Attributes, "and as it is")

		o.now = o.now.Add(20 * day)
		o.hear(hr.EventLeaveEnded)
		require.NoError(t, o.settle())
		account := o.account(id)
		assert.True(t, account.Active)
		assert.Equal(t, []string{"clerks", "staff"}, account.Entitlements)
		assert.Equal(t, "Title 3", account.Attributes["title"])
	}
}
