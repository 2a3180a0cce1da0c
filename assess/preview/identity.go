package preview

import (
	"context"
	"errors"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Linked is a ledger as it would be if an old ID became a new one, and what that would
// carry over. It does what the ledger's LinkPeople does, to what is read.
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

// carry makes what the old ID has the new one's.
func carry(is, was *ledger.Person) (out ledger.Carried) {
	if was.Username != "" && !inUse(*is) {
		is.Username, was.Username, out.Username = was.Username, "", was.Username
	}
	var left []ledger.Link
	for _, l := range was.Links {
		own := func(o ledger.Link) bool { return o.App == l.App }
		i := slices.IndexFunc(is.Links, own)
		switch {
		case !l.State.HasAccount():
			left = append(left, l)
		case i >= 0 && may(*is, is.Links[i]):
			left = append(left, l)
			out.Left = append(out.Left, l.App)
		default:
			out.Apps = append(out.Apps, l.App)
			is.Links = slices.DeleteFunc(slices.Clone(is.Links), own)
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
	was.Earlier = nil
	return out
}

// may reports whether there is, or may be, an account behind a link.
func may(p ledger.Person, l ledger.Link) bool {
	return l.State.HasAccount() ||
		l.State == ledger.LinkPlanned && slices.ContainsFunc(p.Steps, func(s ledger.Step) bool {
			return s.App == l.App && s.Kind == string(plan.Provision) && s.Attempts > 0 && s.Code != string(connector.KindInvalid)
		})
}

func inUse(p ledger.Person) bool {
	return slices.ContainsFunc(p.Links, func(l ledger.Link) bool { return l.State == ledger.LinkDeleted || may(p, l) })
}

// Renamed is a ledger as it would be if a person were called otherwise, and what that
// would mean for the accounts; apps are those in which one can be renamed.
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

// errSame says that nothing would be another.
var errSame = errors.New("the person is called so already, and so are the accounts that can be renamed")

// overlay is a ledger in which some people are others than they are.
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
