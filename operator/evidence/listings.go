package evidence

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Scan is the last complete scan of an app.
type Scan struct {
	App       string    `json:"app"`
	Scan      int64     `json:"scan,omitempty"` // 0: there was none
	StartedAt time.Time `json:"startedAt,omitzero"`
	ListedAt  time.Time `json:"listedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Accounts  int       `json:"accounts"` // that the app showed
	Enabled   int       `json:"enabled"`
	Pages     int       `json:"pages"`
	Reported  *int      `json:"reported,omitempty"` // the number that the app itself gave, if it gave one
	Listed    int       `json:"listed"`             // in accounts.jsonl
	Linked    int       `json:"linked"`             // of these: somebody's, as the ledger has it
	Nobodys   int       `json:"nobodys"`            // of these: nobody's
	Stale     bool      `json:"stale,omitempty"`    // it is older than it may be
}

// Account is an account as the last complete scan saw it.
type Account struct {
	App          string           `json:"app"`
	Account      string           `json:"account"`
	Username     string           `json:"username,omitempty"`
	Enabled      bool             `json:"enabled"`
	Entitlements []string         `json:"entitlements"`
	LastUsedAt   time.Time        `json:"lastUsedAt,omitzero"` // zero: never, or the app does not say
	SeenAt       time.Time        `json:"seenAt"`
	Person       string           `json:"person,omitempty"` // whose it is; empty: nobody's
	State        ledger.LinkState `json:"state,omitempty"`  // as the ledger has it
}

// readScans writes down what apps showed.
func (k *maker) readScans() error {
	if k.Review != "" {
		return nil
	}
	for _, f := range []string{"scans.jsonl", "accounts.jsonl"} {
		if _, err := k.listing(f); err != nil {
			return err
		}
	}
	last, err := k.Ledger.LastScans(k.ctx)
	if err != nil {
		return err
	}
	apps := slices.Clone(k.Apps)
	for _, s := range last {
		apps = append(apps, s.App)
	}
	slices.Sort(apps)
	for _, app := range slices.Compact(apps) {
		if !k.of(app) {
			continue
		}
		i := slices.IndexFunc(last, func(s ledger.Scan) bool { return s.App == app })
		line := Scan{App: app}
		if i >= 0 {
			if line, err = k.scan(last[i]); err != nil {
				return err
			}
		}
		k.scanned = append(k.scanned, line)
		if err := k.emit("scans.jsonl", line); err != nil {
			return err
		}
	}
	return nil
}

// owner is whose account one is, as far as a listing needs it.
type owner struct {
	person string
	state  ledger.LinkState
}

// scan writes down the accounts that a scan saw.
func (k *maker) scan(s ledger.Scan) (Scan, error) {
	line := Scan{
		App: s.App, Scan: s.ID, StartedAt: s.StartedAt, ListedAt: s.ListedAt, EndedAt: s.EndedAt, Accounts: s.Accounts, Enabled: s.Enabled, Pages: s.Pages,
		Stale: k.Now.Sub(s.StartedAt) > k.Fresh,
	}
	if s.Reported >= 0 {
		line.Reported = &s.Reported
	}
	owners := map[string]owner{}
	for l, err := range ledger.AllLinks(k.ctx, k.Ledger, ledger.LinkFilter{App: s.App}) {
		if err != nil {
			return line, err
		}
		if l.AccountID != "" && l.State != ledger.LinkDeleted {
			owners[l.AccountID] = owner{l.PersonID, l.State}
		}
	}
	for o, err := range ledger.AllListed(k.ctx, k.Ledger, s.App, s.ID) {
		if err != nil {
			return line, err
		}
		line.Listed++
		of, linked := owners[o.AccountID]
		if linked && !ledger.IsOrphan(of.person) {
			line.Linked++
		} else {
			line.Nobodys++
		}
		if k.Person != "" && of.person != k.Person {
			continue
		}
		a := Account{
			App: o.App, Account: o.AccountID, Username: o.Username, Enabled: o.Active, Entitlements: o.Entitlements, LastUsedAt: o.LastUsedAt, SeenAt: o.At,
			Person: of.person, State: of.state,
		}
		if a.Entitlements == nil {
			a.Entitlements = []string{}
		}
		if err := k.emit("accounts.jsonl", a); err != nil {
			return line, err
		}
	}
	return line, nil
}
