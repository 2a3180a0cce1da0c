package scan

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
)

const (
	// pageSize is the number of accounts that are stored or compared in one transaction.
	pageSize = 500
	// listTurn is how long one call of Go lists. What is read of groups for the first page of a
	// turn counts for all of its pages, and nothing is judged that was proven since then.
	listTurn = 5 * time.Minute
)

// Scanner scans the apps of one configuration. All fields are needed.
type Scanner struct {
	Ledger ledger.Ledger
	Policy *policy.Policy
	Clock  clock.Clock
	Log    *zap.Logger
	// Apps holds the apps that can be scanned, by name.
	Apps map[string]App
}

// App is an app that can be scanned.
type App struct {
	Terms reconcile.Terms
	// Settling is how long (real time) after a change the app may still answer as if there had
	// been none.
	Settling time.Duration
	// Open opens the app's connector. Its calls keep to the scan's share of the app's rate.
	Open func(ctx context.Context) (connector.Connector, error)
}

// Progress says how far a scan is. It is part of workflow histories: it holds no personal
// data.
type Progress struct {
	Scan  int64            `json:"scan"`
	State ledger.ScanState `json:"state"`
	// More means that the scan goes on: call Go again.
	More     bool   `json:"more,omitempty"`
	Accounts int    `json:"accounts,omitempty"`
	Drifted  int    `json:"drifted,omitempty"` // people who were made due by this call
	Why      string `json:"why,omitempty"`
}

// ErrNoApp means that the app is not in the configuration, or cannot list its accounts.
var ErrNoApp = errors.New("the app is not in the configuration, or its connector cannot list accounts")

// Go begins the scan with that key, or goes on with it, for some minutes. It calls alive
// after each page, and told with the people whom a page made due. An error of the app or the
// ledger is returned as it is: a later call goes on where this one was. An app that answers
// that it cannot be listed ends the scan.
func (s *Scanner) Go(ctx context.Context, app, key string, alive func(), told func(people []string)) (Progress, error) {
	terms, ok := s.Apps[app]
	if !ok {
		return Progress{}, ErrNoApp
	}
	scan, err := s.Ledger.BeginScan(ctx, app, key, s.Clock.Now())
	if err != nil {
		return Progress{}, err
	}
	if !scan.State.Unfinished() {
		return progressOf(scan), nil
	}
	asked := s.Clock.Now() // whatever the app shows is not older than that
	conn, err := terms.Open(ctx)
	if err != nil {
		return Progress{}, err
	}
	one := &turn{Scanner: s, app: terms, scan: scan, conn: conn, asked: asked, alive: alive, told: told}
	p, err := one.run(ctx)
	return p, errors.Join(err, conn.Close())
}

// GiveUp ends the scan with that key, because the app could not be listed for long.
func (s *Scanner) GiveUp(ctx context.Context, app, key string) (Progress, error) {
	scan, err := s.Ledger.BeginScan(ctx, app, key, s.Clock.Now())
	if err != nil {
		return Progress{}, err
	}
	return s.end(ctx, scan, ledger.ScanFailed, "the app could not be listed for long")
}

func progressOf(scan ledger.Scan) Progress {
	return Progress{Scan: scan.ID, State: scan.State, Accounts: scan.Accounts, Why: scan.Why, More: scan.State.Unfinished()}
}

func (s *Scanner) end(ctx context.Context, scan ledger.Scan, state ledger.ScanState, why string) (Progress, error) {
	err := s.Ledger.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: s.Clock.Now(), State: state, Why: why})
	scan.State, scan.Why = state, why
	return progressOf(scan), err
}

// turn is one call of Go.
type turn struct {
	*Scanner
	app   App
	scan  ledger.Scan
	conn  connector.Connector
	asked time.Time
	alive func()
	told  func([]string)
}

func (t *turn) run(ctx context.Context) (Progress, error) {
	if t.scan.State == ledger.ScanListing {
		list := t.listAll
		if t.conn.Capabilities().Page {
			list = t.listPages
		}
		reported, ended, err := list(ctx)
		if refused(err) {
			return t.end(ctx, t.scan, ledger.ScanFailed, string(kindOf(err)))
		}
		if err != nil || !ended {
			return progressOf(t.scan), err
		}
		if t.scan, err = t.Ledger.EndListing(ctx, t.scan.ID, t.Clock.Now(), reported); err != nil {
			return Progress{}, err
		}
		why, err := t.doubts(ctx)
		if err != nil {
			return Progress{}, err
		}
		if why != "" {
			t.Log.Warn("the list of an app is doubted, and nothing is concluded from it: see tenure app scan --believe",
				zap.String("app", t.scan.App), zap.String("why", why), zap.Int("accounts", t.scan.Accounts))
			return t.end(ctx, t.scan, ledger.ScanSuspicious, why)
		}
	}
	return t.compare(ctx)
}

// refused reports whether the app answered, and will not list its accounts however often it
// is asked.
func refused(err error) bool {
	return connector.Is(err, connector.KindUnsupported, connector.KindInvalid, connector.KindContradictory)
}

func kindOf(err error) connector.ErrorKind {
	var failed *connector.Error
	if errors.As(err, &failed) {
		return failed.Kind
	}
	return ""
}

// listPages lists pages until the turn is over. It returns the number of accounts that the app
// gave with the last page, and whether that was the last page of all.
func (t *turn) listPages(ctx context.Context) (reported int, ended bool, err error) {
	begun := time.Now()
	for time.Since(begun) < listTurn {
		page, err := t.conn.Page(ctx, t.scan.Token)
		if err != nil {
			return -1, false, err
		}
		if page.Next != "" && page.Next == t.scan.Token {
			return -1, false, &connector.Error{Kind: connector.KindContradictory, Op: connector.OpPage, Message: "the app names the page that it has just given as the next one"}
		}
		next := cmp.Or(page.Next, t.scan.Token)
		for left := page.Accounts; ; left = left[pageSize:] {
			if len(left) <= pageSize { // what is left is stored with where the list goes on
				err = t.observe(ctx, left, next)
				break
			}
			if err := t.observe(ctx, left[:pageSize], t.scan.Token); err != nil {
				return -1, false, err
			}
		}
		if err != nil {
			return -1, false, err
		}
		if page.Next == "" {
			return page.Total, true, nil
		}
		t.scan.Token = page.Next
	}
	return -1, false, nil
}

// listAll lists an app that can only be listed as a whole.
func (t *turn) listAll(ctx context.Context) (reported int, ended bool, err error) {
	page := make([]connector.Account, 0, pageSize)
	for account, err := range t.conn.List(ctx) {
		if err != nil {
			return -1, false, err
		}
		if page = append(page, account); len(page) == pageSize {
			if err := t.observe(ctx, page, ""); err != nil {
				return -1, false, err
			}
			page = page[:0]
		}
	}
	return -1, true, t.observe(ctx, page, "")
}

// observe stores accounts of the page at the scan's token, and where the list goes on.
func (t *turn) observe(ctx context.Context, accounts []connector.Account, next string) error {
	listed := ledger.Listed{Scan: t.scan.ID, Token: t.scan.Token, Next: next}
	for _, a := range accounts {
		listed.Accounts = append(listed.Accounts, t.observed(a, t.asked))
	}
	t.alive()
	return t.Ledger.Observe(ctx, listed)
}

// doubts returns why the list is not to be believed; empty if it is.
func (t *turn) doubts(ctx context.Context) (string, error) {
	scans, err := t.Ledger.Scans(ctx, t.scan.App, 2)
	if err != nil {
		return "", err
	}
	if len(scans) == 2 && !scans[1].BelievedAt.IsZero() {
		return "", nil // an operator has looked at the list before this one
	}
	last, err := t.Ledger.LastScans(ctx)
	if err != nil {
		return "", err
	}
	var before *reconcile.Count
	for _, s := range last {
		if s.App == t.scan.App {
			before = &reconcile.Count{Accounts: s.Accounts, Reported: s.Reported}
		}
	}
	return t.app.Terms.Doubts(reconcile.Count{Accounts: t.scan.Accounts, Reported: t.scan.Reported}, before), nil
}

// observed returns an account as the ledger keeps it.
func (t *turn) observed(a connector.Account, at time.Time) ledger.Observed {
	return ledger.Observed{
		AccountID: a.ID, At: at, Username: a.Username, ExternalID: a.ExternalID, Active: a.Active,
		Entitlements: a.Entitlements, LastUsedAt: a.LastUsedAt, Seen: t.digests(a), Addresses: addresses(a), Employee: text(a.Attribute("employeeNumber")),
	}
}

// addressAttributes lists the names under which apps keep e-mail addresses.
var addressAttributes = []string{"email", "emails", "mail", "primaryEmail", "userPrincipalName"}

// addresses returns the texts of an account that may be e-mail addresses, in lower case.
func addresses(a connector.Account) []string {
	found := []string{a.Username}
	for _, name := range addressAttributes {
		switch value := a.Attribute(name).(type) {
		case []string:
			found = append(found, value...)
		default:
			found = append(found, text(value))
		}
	}
	for i, one := range found {
		found[i] = strings.ToLower(one)
	}
	return set.Sorted(slices.DeleteFunc(found, func(one string) bool { return !strings.Contains(one, "@") }))
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// digests returns a short digest of each attribute that policy maps and the app keeps. Values
// that count as the same for a proof have the same one.
func (t *turn) digests(a connector.Account) map[string]string {
	rules, _ := t.Policy.App(t.scan.App)
	seen := map[string]string{}
	for _, name := range set.Minus(rules.Attributes, rules.Ignore) {
		sum := sha256.Sum256([]byte(strings.Join(connector.Spellings(a.Attribute(name)), "\x00")))
		seen[name] = hex.EncodeToString(sum[:8])
	}
	return seen
}
