package connectortest

import (
	"context"
	"iter"
	"slices"

	"github.com/tenurehq/tenure/connector"
)

// patient calls again as the engine does within the settling time: when an account that was
// just changed is not found, after errors that go away by themselves, and once more since what
// was read may be old.
type patient struct{ connector.Connector }

const (
	patience = 20
	misses   = 3 // of what is believed not to be there
)

// again repeats a call while its error is one that may go away.
func again(ctx context.Context, call func(context.Context) error) error {
	var err error
	missing := 0
	for range patience {
		err = call(ctx)
		if connector.Is(err, connector.KindNotFound) {
			missing++
		}
		may := connector.Is(err, connector.KindUnavailable, connector.KindNotFound, connector.KindRateLimited, connector.KindUnderway)
		if !may || missing > misses || ctx.Err() != nil {
			return err
		}
		if connector.Is(err, connector.KindUnderway) {
			ctx = connector.WithOperation(ctx, err.(*connector.Error).Operation) //nolint:errorlint // the connectors' only type
		}
	}
	return err
}

func (p patient) Find(ctx context.Context, keys connector.Keys) (matches []connector.Match, err error) {
	look := func(ctx context.Context) error { matches, err = p.Connector.Find(ctx, keys); return err }
	for range misses {
		err = again(ctx, look)
		weaker := keys.AccountID == "" && keys.PersonID != "" && len(matches) > 0 && matches[0].By != connector.ByExternalID
		if err != nil || len(matches) > 0 && !weaker { // a search that lags leaves the field to a weaker key
			break
		}
	}
	return matches, again(ctx, look)
}

func (p patient) Read(ctx context.Context, id string) (account connector.Account, err error) {
	for range 2 {
		err = again(ctx, func(ctx context.Context) error { account, err = p.Connector.Read(ctx, id); return err })
	}
	return account, err
}

// Create returns what is shown of the account in the end.
func (p patient) Create(ctx context.Context, spec connector.Spec) (account connector.Account, err error) {
	for range patience {
		account, err = p.Connector.Create(ctx, spec)
		if !connector.Is(err, connector.KindRateLimited) {
			break
		}
	}
	if err != nil {
		return account, err
	}
	return p.Read(ctx, account.ID)
}

func (p patient) Check(ctx context.Context) (who string, err error) {
	err = again(ctx, func(ctx context.Context) error { who, err = p.Connector.Check(ctx); return err })
	return who, err
}

func (p patient) Probe(ctx context.Context) (findings []connector.Finding) {
	for range patience {
		findings = p.Connector.Probe(ctx)
		if !slices.ContainsFunc(findings, func(f connector.Finding) bool { return f.Problem != "" }) {
			break
		}
	}
	return findings
}

func (p patient) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return wholly(ctx, p.Connector.List(ctx))
}

func (p patient) Page(ctx context.Context, token string) (page connector.Page, err error) {
	err = again(ctx, func(ctx context.Context) error { page, err = p.Connector.Page(ctx, token); return err })
	return page, err
}

func (p patient) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return wholly(ctx, p.Connector.Entitlements(ctx))
}

// wholly reads a list from its beginning until it comes to its end.
func wholly[T any](ctx context.Context, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := again(ctx, func(context.Context) error {
			all = nil
			for item, err := range list {
				if err != nil {
					return err
				}
				all = append(all, item)
			}
			return nil
		})
		for _, item := range all {
			if err == nil && !yield(item, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

func (p patient) Grant(ctx context.Context, id string, names []string) error {
	err := again(ctx, func(ctx context.Context) error { return p.Connector.Grant(ctx, id, names) })
	for range misses { // what was accepted is not proven until it is shown
		account, unread := p.Read(ctx, id)
		if unread != nil || !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(account.Entitlements, name) }) {
			break
		}
	}
	return err
}

func (p patient) Delete(ctx context.Context, id string) error {
	for range misses { // within the settling time, "no such account" does not prove that it is gone
		err := again(ctx, func(ctx context.Context) error { return p.Connector.Delete(ctx, id) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (p patient) Adopt(ctx context.Context, id, person string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Adopt(ctx, id, person) })
}

func (p patient) Update(ctx context.Context, id string, attributes map[string]any) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Update(ctx, id, attributes) })
}

func (p patient) Relabel(ctx context.Context, id string, to connector.Label) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Relabel(ctx, id, to) })
}

func (p patient) Revoke(ctx context.Context, id string, names []string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Revoke(ctx, id, names) })
}

func (p patient) Disable(ctx context.Context, id string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Disable(ctx, id) })
}

func (p patient) Enable(ctx context.Context, id string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Enable(ctx, id) })
}

func (p patient) RevokeSessions(ctx context.Context, id string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.RevokeSessions(ctx, id) })
}

func (p patient) ResetCredentials(ctx context.Context, id string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.ResetCredentials(ctx, id) })
}

func (p patient) HandOver(ctx context.Context, from, to string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.HandOver(ctx, from, to) })
}

func (p patient) Restore(ctx context.Context, id string) error {
	return again(ctx, func(ctx context.Context) error { return p.Connector.Restore(ctx, id) })
}
