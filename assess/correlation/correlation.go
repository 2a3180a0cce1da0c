// Package correlation finds out whose the accounts of an app are, by what the app
// shows, what the ledger has linked, and which accounts people match. It is pure,
// and imports the contracts of connectors and ledger only.
package correlation

import (
	"cmp"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

// State is how an account stands.
type State string

// The states of an account.
const (
	Linked   State = "linked"   // the app and the ledger agree
	Drifted  State = "drifted"  // enabled in the one, disabled or deleted in the other
	Missing  State = "missing"  // in the ledger only
	Unlinked State = "unlinked" // in the app only; one person it can be, and it is that person's only one
	Disputed State = "disputed" // in the app only; several people it can be, or one of several a person can have
	Orphaned State = "orphaned" // in the app only; nobody it can be, or somebody who has left
)

// States are all of them, in the order in which people want to see them.
func States() []State { return []State{Linked, Drifted, Missing, Unlinked, Disputed, Orphaned} }

// Person is somebody who has no linked account in the app, and the accounts that
// match.
type Person struct {
	ID      string
	Left    bool // their employment has ended
	Matches []connector.Match
}

// Finding is one account and whose it is.
type Finding struct {
	Account connector.Account // of a missing one: ID and Username only
	State   State
	Link    ledger.Link        // zero if there is none
	People  []string           // who it can be, by ID; one of an unlinked account
	By      connector.MatchKey // what an unlinked account matches by
	Why     string             // why it is disputed
}

// Find says of every account whose it is, by username and ID.
func Find(accounts []connector.Account, links []ledger.Link, people []Person) []Finding {
	byAccount := map[string]ledger.Link{}
	for _, link := range links {
		if link.AccountID != "" {
			byAccount[link.AccountID] = link
		}
	}
	claims := claimsOf(people)
	var findings []Finding
	for _, account := range accounts {
		link, linked := byAccount[account.ID]
		delete(byAccount, account.ID)
		f := Finding{Account: account, Link: link}
		if linked {
			f.State = standing(account, link)
		} else {
			claims.judge(&f)
		}
		findings = append(findings, f)
	}
	for id, link := range byAccount {
		if link.State != ledger.LinkDeleted {
			findings = append(findings, Finding{
				Account: connector.Account{ID: id, Username: link.Username}, State: Missing, Link: link,
			})
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Account.Username, b.Account.Username), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return findings
}

func standing(account connector.Account, link ledger.Link) State {
	if account.Active && link.State == ledger.LinkActive || !account.Active && link.State == ledger.LinkDisabled {
		return Linked
	}
	return Drifted
}

// claims are who claims which account.
type claims map[string][]claim

type claim struct {
	person Person
	by     connector.MatchKey
}

func claimsOf(people []Person) claims {
	all := claims{}
	for _, p := range people {
		for _, m := range p.Matches {
			all[m.Account.ID] = append(all[m.Account.ID], claim{person: p, by: m.By})
		}
	}
	return all
}

// judge says whose an account is that nobody is linked to. People who have left
// dispute nothing: an account is not to be given to anybody because of them.
func (c claims) judge(f *Finding) {
	var present []claim
	for _, claim := range c[f.Account.ID] {
		f.People = append(f.People, claim.person.ID)
		if !claim.person.Left {
			present = append(present, claim)
		}
	}
	slices.Sort(f.People)
	switch {
	case len(present) == 0:
		f.State = Orphaned
	case len(f.People) > 1:
		f.State, f.Why = Disputed, "several people match it"
	case len(present[0].person.Matches) > 1:
		f.State, f.Why = Disputed, "that person matches several accounts"
	default:
		f.State, f.By = Unlinked, present[0].by
	}
}
