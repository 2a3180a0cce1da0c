package preview

import "github.com/tenurehq/tenure/ledger"

// Counts counts accounts by what would be done to them, and the entitlements that would be
// given and taken.
type Counts struct {
	Create    int `json:"create"`
	Enable    int `json:"enable"` // or brought back from a recycle bin
	Update    int `json:"update"`
	Disable   int `json:"disable"`
	Delete    int `json:"delete"`
	Postpone  int `json:"postpone"` // disabled or deleted later than without the scenario
	Grant     int `json:"grant"`
	Revoke    int `json:"revoke"`
	Attention int `json:"attention"` // changes that would need an operator
}

// Totals counts what would be done for all people looked at.
type Totals struct {
	People    int `json:"people"`
	Changed   int `json:"changed"` // people for whom something would be done
	Usernames int `json:"usernames"`
	Repeated  int `json:"repeated"`            // events that the ledger has already
	Problems  int `json:"problems"`            // problems about people as a whole
	Conflicts int `json:"conflicts,omitempty"` // people who would hold what a rule of separation of duties keeps apart

	Accounts  Counts             `json:"accounts"`
	CalledOff Counts             `json:"calledOff"`
	Apps      map[string]*Counts `json:"apps"`
}

// Add counts the outcome for one person.
func (t *Totals) Add(o Outcome) {
	t.Repeated += o.Repeated
	t.Problems += len(o.Problems)
	if !ledger.IsOrphan(o.PersonID) {
		t.People++
		if len(o.Changes)+len(o.CalledOff) > 0 {
			t.Changed++
		}
	}
	if len(o.Conflicts) > 0 {
		t.Conflicts++
	}
	if o.Claims != "" {
		t.Usernames++
	}
	for _, c := range o.Changes {
		if t.Apps == nil {
			t.Apps = map[string]*Counts{}
		}
		if t.Apps[c.App] == nil {
			t.Apps[c.App] = &Counts{}
		}
		t.Apps[c.App].add(c)
		t.Accounts.add(c)
	}
	for _, c := range o.CalledOff {
		t.CalledOff.add(c)
	}
}

func (n *Counts) add(c Change) {
	if c.Problem != "" {
		n.Attention++
		return
	}
	n.Grant += len(c.Grant)
	n.Revoke += len(c.Revoke)
	switch c.Do {
	case Create:
		n.Create++
	case Enable, Restore:
		n.Enable++
	case Update:
		n.Update++
	case Disable:
		if !c.takes() {
			n.Postpone++
			return
		}
		n.Disable++
	case Delete:
		if !c.takes() {
			n.Postpone++
			return
		}
		n.Delete++
	}
}
