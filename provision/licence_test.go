package provision_test

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
	"github.com/tenurehq/tenure/provision"
)

const licence = "licence:office"

// calls notes the entitlements of each call that grants or revokes.
type calls struct {
	*bin
	made    []string
	refuses bool // to take licences
}

func (c *calls) Grant(ctx context.Context, id string, names []string) error {
	for _, name := range names {
		c.made = append(c.made, "+"+name)
	}
	return c.bin.Grant(ctx, id, names)
}

func (c *calls) Revoke(ctx context.Context, id string, names []string) error {
	for _, name := range names {
		c.made = append(c.made, "-"+name)
	}
	if c.refuses && slices.Contains(names, licence) {
		return connector.Invalid(connector.OpRevoke, "the licence is inherited from a group")
	}
	return c.bin.Revoke(ctx, id, names)
}

func (o *office) noteCalls() *calls {
	noted := &calls{bin: o.mail}
	o.engine.Apps["mail"] = &provision.App{Connector: noted}
	return noted
}

func TestLicencesAreGivenLastAndTakenFirst(t *testing.T) {
	o := newOfficeThatGives(t, licence, "staff")
	noted := o.noteCalls()
	o.hear(hr.EventHired)
	require.NoError(t, o.settle())
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventTerminated)
	require.NoError(t, o.settle())
	assert.Equal(t, []string{"+staff", "+" + licence, "-" + licence, "-staff"}, noted.made)
	assert.Equal(t, ledger.LinkDisabled, o.link().State, "the seat is free long before the account is deleted")
	assert.Empty(t, o.account(o.link().AccountID).Entitlements)
}

// A licence that cannot be taken keeps nobody in their groups.
func TestALicenceThatCannotBeTakenLeavesNothingElse(t *testing.T) {
	o := newOfficeThatGives(t, licence, "staff")
	noted := o.noteCalls()
	o.hear(hr.EventHired)
	require.NoError(t, o.settle())
	noted.refuses = true
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventTerminated)
	require.ErrorContains(t, o.settle(), "inherited from a group")
	assert.Equal(t, []string{licence}, o.account(o.link().AccountID).Entitlements)
	noted.refuses = false
	require.NoError(t, o.settle())
	assert.Empty(t, o.account(o.link().AccountID).Entitlements)
}

// Whoever gets no licence has the rest of their access, and what needs an operator is the
// licence alone.
func TestAJoinerWithoutASeatHasTheRestOfTheirAccess(t *testing.T) {
	o := newOfficeThatGives(t, licence, "staff")
	other := o.memory.Put(connector.Account{Username: "bob", Active: true, Entitlements: []string{licence}})
	o.hear(hr.EventHired)
	err := o.settle()
	require.ErrorContains(t, err, "no seat is free of licence:office (1 of 1 are used)")
	assert.Equal(t, provision.CodeNoSeat, provision.ErrorOf(err).Code)
	assert.True(t, provision.ErrorOf(err).Final, "somebody has to buy or free one")
	link := o.link()
	assert.Equal(t, ledger.LinkActive, link.State)
	assert.Equal(t, []string{"staff"}, link.Entitlements)
	account := o.account(link.AccountID)
	assert.True(t, account.Active)
	assert.Equal(t, []string{"staff"}, account.Entitlements)

	person, err := o.engine.Ledger.Person(t.Context(), "ada")
	require.NoError(t, err)
	require.Len(t, person.Steps, 1)
	assert.Equal(t, "Update", person.Steps[0].Kind)
	assert.Equal(t, ledger.StepAttention, person.Steps[0].State)

	// A seat is freed: the next look at the step gives it.
	require.NoError(t, o.mail.Revoke(t.Context(), other, []string{licence}))
	o.now = o.now.Add(2 * time.Hour)
	require.NoError(t, o.settle())
	assert.Equal(t, []string{licence, "staff"}, o.account(link.AccountID).Entitlements)
	assert.Equal(t, []string{licence, "staff"}, o.link().Entitlements)
}

// A seat that is missing is nothing that an app which shows changes late may yet show: the rest
// of the access is proven as soon as the app shows it.
func TestAMissingSeatIsNotWaitedForUntilTheAppHasSettled(t *testing.T) {
	const settling, lag = 15 * time.Minute, 30 * time.Second
	o := newOfficeThatGives(t, licence, "staff")
	o.memory.Put(connector.Account{Username: "bob", Active: true, Entitlements: []string{licence}})
	declared := settling
	o.engine.Apps["mail"].Settling = &declared
	o.memory.SetFaults(memory.Faults{Lag: memory.Lag{Now: func() time.Time { return o.now }, Age: func() time.Duration { return lag }}})
	o.memory.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpCreate {
			o.now = o.now.Add(lag) // the account is shown before its group is
		}
		return nil
	})
	o.hear(hr.EventHired)
	began := o.now
	for range 50 {
		f := provision.ErrorOf(o.settle())
		if f.Code == provision.CodeNoSeat {
			break
		}
		require.True(t, f.Retryable, f.Message)
		o.now = o.now.Add(max(f.RetryAfter, time.Second))
	}
	assert.Equal(t, []string{"created", ledger.AuditNeedsAttention}, o.did(2))
	assert.Equal(t, ledger.LinkActive, o.link().State)
	assert.Equal(t, []string{"staff"}, o.link().Entitlements)
	assert.Less(t, o.now.Sub(began), settling/3)
	assert.Equal(t, 1, o.memory.Calls(connector.OpCreate))
}

// Whoever was to get a seat when they were announced gets the rest of their access on their
// first day if the seat is gone by then.
func TestASeatThatIsTakenBetweenAnnouncementAndStart(t *testing.T) {
	o := newOfficeThatGives(t, licence, "staff")
	today := o.now
	o.now = today.Add(10 * day)
	o.hear(hr.EventHired) // effective in ten days
	o.now = today
	require.NoError(t, o.settle())
	assert.Empty(t, o.did(9), "nothing is done before the first day")
	other := o.memory.Put(connector.Account{Username: "bob", Active: true, Entitlements: []string{licence}})

	o.now = today.Add(11 * day)
	err := o.settle()
	assert.Equal(t, provision.CodeNoSeat, provision.ErrorOf(err).Code)
	assert.Equal(t, []string{"staff"}, o.account(o.link().AccountID).Entitlements)
	assert.True(t, o.account(o.link().AccountID).Active)

	require.NoError(t, o.mail.Revoke(t.Context(), other, []string{licence}))
	o.now = o.now.Add(2 * time.Hour)
	require.NoError(t, o.settle())
	assert.Equal(t, []string{licence, "staff"}, o.link().Entitlements)
}

// unable is an app that can take access only by deleting the account.
type unable struct{ *bin }

func (u unable) Capabilities() connector.Capabilities {
	all := u.bin.Capabilities()
	all.Disable, all.RecycleBin, all.Restore = false, 0, false
	return all
}

// A seat that ends with its account is on the record as freed.
func TestSeatsThatEndWithTheAccountAreOnTheRecord(t *testing.T) {
	o := newOfficeThatGives(t, licence, "staff")
	o.engine.Apps["mail"] = &provision.App{Connector: unable{o.mail}}
	o.hear(hr.EventHired)
	require.NoError(t, o.settle())
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventTerminated)
	require.NoError(t, o.settle())
	rows, err := o.engine.Ledger.Audit(t.Context(), "ada", 0, 100)
	require.NoError(t, err)
	freed := 0
	for _, row := range rows {
		revoked, _ := row.Detail["revoked"].([]any)
		if slices.Contains(revoked, any(licence)) {
			freed++
		}
	}
	assert.Equal(t, 1, freed, "%v", o.did(9))
}

func TestKindsOfEntitlements(t *testing.T) {
	for name, want := range map[string]connector.EntitlementKind{
		"staff": connector.Group, "role:Admin": connector.Role, licence: connector.Licence, "licence": connector.Group,
		"group:x": connector.Group, "https://licence:x": connector.Group, "licences:x": connector.Group,
	} {
		assert.Equal(t, want, connector.KindOf(name), name)
	}
}
