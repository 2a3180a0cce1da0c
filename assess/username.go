package assess

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/username"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// claim returns the username of a person who has no account yet: the one that they hold if
// policy would still give it, or else a new one.
func (r Rules) claim(ctx context.Context, person ledger.Person, profile hr.Profile, registry Registry) (name string, policyErr, err error) {
	base, policyErr := r.Policy.Username(person.PersonID, profile)
	held, longest := person.Username, r.Policy.LongestUsername()
	switch {
	case held == "" && policyErr != nil:
		return "", policyErr, nil
	case held != "" && (policyErr != nil || username.MadeOf(held, base, longest)):
		return held, nil, nil //nolint:nilerr // a person who has a username keeps it
	}
	name, err = registry.ClaimUsername(ctx, person.PersonID, base, longest)
	return name, nil, err
}

// MayHaveAccount reports whether some account has, or may have, the username that the person
// holds, as far as the person that was read shows. The ledger looks at more before it gives
// another username.
func MayHaveAccount(person ledger.Person) bool {
	return len(person.Tasks) > 0 ||
		slices.ContainsFunc(person.Links, func(l ledger.Link) bool {
			return l.State != ledger.LinkPlanned || l.AccountID != "" || !l.DoubtUntil.IsZero() || l.Creating.Pending()
		}) ||
		slices.ContainsFunc(person.Steps, func(s ledger.Step) bool {
			return s.Kind == string(plan.Provision) && s.Attempts > 0 && s.Code != string(connector.KindInvalid)
		})
}

// UsernameOf returns the username that policy would give a person now, without the number that
// makes it unique.
func (r Rules) UsernameOf(person ledger.Person, now time.Time) (string, error) {
	profile := TimelineOf(person).At(now).Profile
	if profile == nil {
		return "", fmt.Errorf("HR has said nothing of person %q that a username could be made of", person.PersonID)
	}
	return r.Policy.Username(person.PersonID, *profile)
}
