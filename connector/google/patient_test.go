package google_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/google/googletest"
)

// patient calls again as the engine does within the settling time: when an account that was
// just changed is not found, and after errors that go away by themselves.
type patient struct{ connector.Connector }

const patience = 20

// again repeats a call while its error is one that may go away.
func again(ctx context.Context, may func(error) bool, call func(context.Context) error) error {
	var err error
	missing := 0
	for range patience {
		err = call(ctx)
		if connector.Is(err, connector.KindNotFound) {
			missing++
		}
		if err == nil || !may(err) || missing > 3 {
			return err
		}
		if connector.Is(err, connector.KindUnderway) {
			ctx = connector.WithOperation(ctx, operation(err))
		}
	}
	return err
}

func settles(err error) bool {
	return connector.Is(err, connector.KindUnavailable, connector.KindNotFound, connector.KindRateLimited, connector.KindUnderway)
}

func operation(err error) string { return err.(*connector.Error).Operation } //nolint:errorlint // the connectors' only type

func (p patient) Find(ctx context.Context, keys connector.Keys) (matches []connector.Match, err error) {
	for range 3 {
		err = again(ctx, settles, func(ctx context.Context) error { matches, err = p.Connector.Find(ctx, keys); return err })
		weaker := keys.AccountID == "" && keys.PersonID != "" && len(matches) > 0 && matches[0].By != connector.ByExternalID
		if err != nil || len(matches) > 0 && !weaker { // a search that lags leaves the field to a weaker key
			break
		}
	}
	return matches, err
}

func (p patient) Read(ctx context.Context, id string) (account connector.Account, err error) {
	err = again(ctx, settles, func(ctx context.Context) error { account, err = p.Connector.Read(ctx, id); return err })
	return account, err
}

func (p patient) Create(ctx context.Context, spec connector.Spec) (account connector.Account, err error) {
	limited := func(err error) bool { return connector.Is(err, connector.KindRateLimited) }
	err = again(ctx, limited, func(ctx context.Context) error { account, err = p.Connector.Create(ctx, spec); return err })
	return account, err
}

func (p patient) Check(ctx context.Context) (who string, err error) {
	err = again(ctx, settles, func(ctx context.Context) error { who, err = p.Connector.Check(ctx); return err })
	return who, err
}

func (p patient) Adopt(ctx context.Context, id, person string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Adopt(ctx, id, person) })
}

func (p patient) Update(ctx context.Context, id string, attributes map[string]any) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Update(ctx, id, attributes) })
}

func (p patient) Relabel(ctx context.Context, id string, to connector.Label) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Relabel(ctx, id, to) })
}

func (p patient) Grant(ctx context.Context, id string, names []string) error {
	err := again(ctx, settles, func(ctx context.Context) error { return p.Connector.Grant(ctx, id, names) })
	for range 3 { // what was accepted is not proven until it is shown
		account, unread := p.Read(ctx, id)
		if unread != nil || !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(account.Entitlements, name) }) {
			break
		}
	}
	return err
}

func (p patient) Revoke(ctx context.Context, id string, names []string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Revoke(ctx, id, names) })
}

func (p patient) Disable(ctx context.Context, id string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Disable(ctx, id) })
}

func (p patient) Enable(ctx context.Context, id string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Enable(ctx, id) })
}

func (p patient) RevokeSessions(ctx context.Context, id string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.RevokeSessions(ctx, id) })
}

func (p patient) ResetCredentials(ctx context.Context, id string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.ResetCredentials(ctx, id) })
}

func (p patient) HandOver(ctx context.Context, from, to string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.HandOver(ctx, from, to) })
}

func (p patient) Restore(ctx context.Context, id string) error {
	return again(ctx, settles, func(ctx context.Context) error { return p.Connector.Restore(ctx, id) })
}

func (p patient) Delete(ctx context.Context, id string) error {
	for range 3 { // within the settling time, "no such account" does not prove that it is gone
		err := again(ctx, settles, func(ctx context.Context) error { return p.Connector.Delete(ctx, id) })
		if err != nil {
			return err
		}
	}
	return nil
}

// TestConformanceWithTraps runs the suite on a stand-in that answers as Google is known to,
// called by somebody who waits as the engine does.
func TestConformanceWithTraps(t *testing.T) {
	for name, traps := range map[string]googletest.Traps{
		"not found after create":        {NotFoundAfterCreate: 2},
		"creation is not complete":      {CreationIncomplete: 2},
		"searches lag":                  {SearchesLag: 1},
		"memberships lag":               {MembershipsLag: 2},
		"member added but 404":          {MemberAddedBut404: true},
		"quota as 403":                  {QuotaEvery: 7},
		"concurrent quota as 403":       {QuotaEvery: 11, QuotaReason: "quotaExceeded"},
		"transfers take several looks":  {TransferPolls: 3},
		"all that can be had at a time": {NotFoundAfterCreate: 1, CreationIncomplete: 1, SearchesLag: 1, MembershipsLag: 1, MemberAddedBut404: true, TransferPolls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			app, settings := serve(t, nil)
			app.Spring(traps)
			calm := target(app, settings, [2]string{"engineers@example.com", "staff@example.com"})
			patiently := calm
			patiently.Open = func(t *testing.T) connector.Connector { return patient{calm.Open(t)} }
			patiently.Faults = connectortest.Faults{} // without traps, TestConformance tries them
			patiently.Seed = nil                      // what an administrator adds has no age
			if traps.QuotaEvery > 0 {
				patiently.Capabilities.List, patiently.Capabilities.Probe, patiently.Capabilities.ListEntitlements = false, false, false // of many requests each, of which one is refused
				patiently.Open = func(t *testing.T) connector.Connector { return unlisted{patient{calm.Open(t)}} }
			}
			connectortest.Run(t, patiently)
			assert.NotZero(t, app.Sprung(), "the trap was stepped into")
		})
	}
}

// unlisted offers no lists and no probe.
type unlisted struct{ patient }

func (u unlisted) Capabilities() connector.Capabilities {
	can := u.patient.Capabilities()
	can.List, can.Probe, can.ListEntitlements = false, false, false
	return can
}

func (unlisted) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return connector.Base{}.List(ctx)
}

func (unlisted) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return connector.Base{}.Entitlements(ctx)
}
