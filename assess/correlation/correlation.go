// Package correlation finds out whose the accounts of an app are: from what the app shows,
// what the ledger has linked, and which accounts people match. It is pure, and imports only
// the contracts of connectors and ledger.
package correlation

import (
	"cmp"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

// State says how an account stands in the app and in the ledger.
type State string

// The states of an account.
const (
	Linked   State = "linked"   // the app and the ledger agree
	Drifted  State = "drifted"  // enabled in the one, disabled or deleted in the other
	Missing  State = "missing"  // in the ledger only
	Unlinked State = "unlinked" // in the app only; it matches one person, who matches no other account
	Disputed State = "disputed" // in the app only; it matches several people, or one who matches several accounts
	Orphaned State = "orphaned" // in the app only; it matches nobody, or only people who have left
)

// States returns all states, in the order in which they are shown.
func States() []State { return []State{Linked, Drifted, Missing, Unlinked, Disputed, Orphaned} }

// Person is somebody who has no linked account in the app, with the accounts that match
// them.
type Person struct {
	ID      string
	Left    bool // their employment has ended
	Matches []connector.Match
}

// Finding says whose one account is.
type Finding struct {
	Account connector.Account // a missing one has ID and Username only
	State   State
	Link    ledger.Link        // zero if there is none; of an account that ends as nobody's, that of the person that stands for it
	People  []string           // the IDs of people whom it matches; one if unlinked
	By      connector.MatchKey // what an unlinked account matches by
	Why     string             // why it is disputed
}

// Find returns one finding for each account, sorted by username and ID.
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
		if linked && !ledger.IsOrphan(link.PersonID) {
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

// standing returns the state of an account that is linked.
func standing(account connector.Account, link ledger.Link) State {
	if account.Active && link.State == ledger.LinkActive || !account.Active && link.State == ledger.LinkDisabled {
		return Linked
	}
	return Drifted
}

// claims maps account IDs to the people who match the account.
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

// judge sets whose an account is that is not linked. One that only people match who have left
// is an orphan.
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
