package notice

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Addressee is where and when somebody can be told something.
type Addressee struct {
	Address string
	Zone    *time.Location
	// Why says why they cannot be told; empty: they can. Off means that Tenure has turned
	// their accounts off, so that they are not to be told.
	Why string
	Off bool
}

// Why somebody cannot be told something.
const (
	whyTurnedOff = "the recipient's accounts are turned off"
	whyUnknown   = "HR has said nothing of the recipient"
	whyAddress   = "HR gives no e-mail address of the recipient's that can be used: workEmail"
)

// longestChain bounds how many IDs of one human are followed.
const longestChain = 20

// Reach finds out how a person is told something as of now. zone is theirs if HR says none.
func Reach(ctx context.Context, in Registry, id string, now time.Time, zone *time.Location) (Addressee, error) {
	a := Addressee{Zone: zone}
	person, err := in.Person(ctx, id)
	for range longestChain {
		if err != nil || person.CarriedTo == "" {
			break
		}
		person, err = in.Person(ctx, person.CarriedTo)
	}
	if errors.Is(err, ledger.ErrNotFound) {
		a.Why = whyUnknown
		return a, nil
	}
	if err != nil {
		return a, err
	}
	standing := assess.TimelineOf(person).At(now)
	if standing.Profile == nil {
		a.Why = whyUnknown
		return a, nil
	}
	if own, err := time.LoadLocation(standing.Profile.Location.TimeZone); err == nil && standing.Profile.Location.TimeZone != "" {
		a.Zone = own
	}
	switch address, err := mail.ParseAddress(standing.Profile.WorkEmail); {
	case turnedOff(standing.Status, person.Links):
		a.Why, a.Off = whyTurnedOff, true
	case err != nil || address.Name != "" || address.Address != standing.Profile.WorkEmail:
		a.Why = whyAddress
	default:
		a.Address = address.Address
	}
	return a, nil
}

// turnedOff reports whether somebody has no account any more that they can use.
func turnedOff(status hr.Status, links []ledger.Link) bool {
	if status != hr.StatusActive && status != hr.StatusOnLeave && status != hr.StatusUpcoming {
		return true
	}
	active := func(l ledger.Link) bool { return l.State == ledger.LinkActive }
	was := func(l ledger.Link) bool { return l.State != ledger.LinkPlanned }
	return slices.ContainsFunc(links, was) && !slices.ContainsFunc(links, active)
}
