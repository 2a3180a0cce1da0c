package preview

import (
	"context"
	"errors"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Linked returns the ledger as it would be if an old ID were linked to a new one, and what
// would be carried over. It does to the people that are read what the ledger's LinkPeople
// does.
func Linked(ctx context.Context, l Ledger, newID, oldID string) (Ledger, ledger.Carried, error) {
	is, err := l.Person(ctx, newID)
	if err != nil {
		return nil, ledger.Carried{}, err
	}
	was, err := l.Person(ctx, oldID)
	if err != nil {
		return nil, ledger.Carried{}, err
	}
	switch {
	case newID == oldID:
		return nil, ledger.Carried{}, ledger.Cannot("both IDs are the same")
	case was.CarriedTo != "":
		return nil, ledger.Carried{}, ledger.Cannot("person %s is %s now: undo that link first, or link to that person", oldID, was.CarriedTo)
	case is.CarriedTo != "":
		return nil, ledger.Carried{}, ledger.Cannot("person %s is %s now: link %[2]s and %s", newID, is.CarriedTo, oldID)
	}
	carried := carry(&is, &was)
	return overlay{l, map[string]ledger.Person{newID: is, oldID: was}}, carried, nil
}

// carry moves what the old ID has to the new one.
func carry(is, was *ledger.Person) (out ledger.Carried) {
	if was.Username != "" && !inUse(*is) {
		is.Username, was.Username, out.Username = was.Username, "", was.Username
	}
	var left []ledger.Link
	for _, l := range was.Links {
		sameApp := func(o ledger.Link) bool { return o.App == l.App }
		i := slices.IndexFunc(is.Links, sameApp)
		switch {
		case !l.State.HasAccount():
			left = append(left, l)
		case i >= 0 && mayHaveAccount(*is, is.Links[i]):
			left = append(left, l)
			out.Left = append(out.Left, l.App)
		default:
			out.Apps = append(out.Apps, l.App)
			is.Links = slices.DeleteFunc(slices.Clone(is.Links), sameApp)
			l.PersonID = is.PersonID
			if l.OwnerWas == "" {
				l.OwnerWas = was.PersonID
			}
			is.Links = append(is.Links, l)
			gone := func(s ledger.Step) bool { return s.App == l.App }
			is.Steps, was.Steps = slices.DeleteFunc(slices.Clone(is.Steps), gone), slices.DeleteFunc(slices.Clone(was.Steps), gone)
		}
	}
	was.Links, was.CarriedTo = left, is.PersonID
	is.Earlier = append(slices.Clone(is.Earlier), ledger.Earlier{PersonID: was.PersonID, Events: was.Events})
	is.Earlier = append(is.Earlier, was.Earlier...)
	is.Holds = append(slices.Clone(is.Holds), was.Holds...)
	is.Exceptions = append(slices.Clone(is.Exceptions), was.Exceptions...)
	was.Earlier = nil
	return out
}

// mayHaveAccount reports whether there is, or may be, an account behind a link.
func mayHaveAccount(p ledger.Person, l ledger.Link) bool {
	return l.State.HasAccount() ||
		l.State == ledger.LinkPlanned && slices.ContainsFunc(p.Steps, func(s ledger.Step) bool {
			return s.App == l.App && s.Kind == string(plan.Provision) && s.Attempts > 0 && s.Code != string(connector.KindInvalid)
		})
}

// inUse reports whether some account has, had or may have the person's username.
func inUse(p ledger.Person) bool {
	return slices.ContainsFunc(p.Links, func(l ledger.Link) bool { return l.State == ledger.LinkDeleted || mayHaveAccount(p, l) })
}

// Renamed returns the ledger as it would be if a person had another username, and what would
// happen to their accounts.
func Renamed(ctx context.Context, l Ledger, rename ledger.Rename) (Ledger, ledger.Renamed, error) {
	p, err := l.Person(ctx, rename.PersonID)
	if err != nil {
		return nil, ledger.Renamed{}, err
	}
	held := p.Username
	names := newNames(l, &taken{ledger: l, except: p.PersonID})
	out := ledger.Renamed{}
	if out.Username, err = names.ClaimUsername(ctx, p.PersonID, rename.Base, rename.Longest); err != nil {
		return nil, out, err
	}
	if rename.Exact && out.Username != rename.Base {
		return nil, out, ledger.Cannot("the username is somebody else's, or was, or is too long")
	}
	p.Username, p.Links = out.Username, slices.Clone(p.Links)
	for i, link := range p.Links {
		switch {
		case !link.State.HasAccount(), link.Username == out.Username && link.RenameTo == "":
		case !slices.Contains(rename.Apps, link.App):
			out.Left = append(out.Left, link.App)
		default:
			out.Apps = append(out.Apps, link.App)
			p.Links[i].RenameTo = out.Username
		}
	}
	if held == out.Username && len(out.Apps) == 0 {
		return nil, out, errSame
	}
	return overlay{l, map[string]ledger.Person{p.PersonID: p}}, out, nil
}

// errSame means that a rename would change nothing.
var errSame = errors.New("the person has this username already, and so have all accounts that can be renamed")

// overlay is a ledger that shows some people as they would be.
type overlay struct {
	Ledger
	people map[string]ledger.Person
}

// Person implements Ledger.
func (o overlay) Person(ctx context.Context, personID string) (ledger.Person, error) {
	if p, ok := o.people[personID]; ok {
		return p, nil
	}
	return o.Ledger.Person(ctx, personID)
}
