package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Hook is called around an operation (see connector.OpCreate and the others).
// accountID is empty where the operation names no account. An error ends the
// operation. The caller gets it as KindUnavailable, unless it is a *connector.Error.
type Hook func(ctx context.Context, op, accountID string) error

// Faults are an app's fault switches. The zero value is a healthy app.
type Faults struct {
	// Kind, if set, makes every operation fail as this kind before it does anything.
	Kind connector.ErrorKind
	// RetryAfter is the RetryAfter of the errors of Kind.
	RetryAfter time.Duration
	// FailAfterApply is how many more changes the app makes and then reports as failed
	// (KindUnavailable).
	FailAfterApply int
	// Slow is how long every operation waits before it does anything.
	Slow time.Duration
	// Drop names attributes, or connector.ExternalID, that the app accepts and does not
	// keep.
	Drop []string
	// Lag makes the app answer late.
	Lag Lag
	// Long says, by operation, how often it has to be looked at before it is done; see
	// App.Begun. With a negative number, it never is.
	Long map[string]int
}

// Lag makes an app answer with pictures of an earlier time, as one does that keeps its data
// in several places. The zero value shows everything at once.
type Lag struct {
	// Now tells the time by which changes are remembered; nil: no lag.
	Now func() time.Time
	// Age returns how old the picture is with which the app answers the next call.
	Age func() time.Duration
	// Changes means that calls which change an account go to such a picture too: they find
	// no account that it does not show yet.
	Changes bool
	// Twins means that the picture decides too whether a new account's username and external
	// ID are taken.
	Twins bool
}

// App is one app: its accounts and the switches that tests use. All methods may
// be called at any time from any goroutine.
type App struct {
	mu         sync.Mutex
	lastID     int
	directory                                // as it is
	pictures   []picture                     // as it was, if it lags; oldest first
	binned     map[string]*connector.Account // deleted, and can be brought back
	handedOver map[string]string
	underway   map[string]int // by operation: how often it has yet to be looked at
	begun      int
	calls      map[string]int
	faults     Faults
	before     Hook
	after      Hook
}

// directory holds accounts, and finds them.
type directory struct {
	accounts   map[string]*connector.Account
	byUsername map[string]string   // lower case -> account ID
	byExternal map[string][]string // external ID -> account IDs; "" -> those of accounts without an external ID
}

func newDirectory() directory {
	return directory{accounts: map[string]*connector.Account{}, byUsername: map[string]string{}, byExternal: map[string][]string{}}
}

// copied returns a copy that no change of the app changes.
func (d directory) copied() directory {
	c := newDirectory()
	for _, account := range d.accounts {
		account := clone(account)
		c.add(&account)
	}
	return c
}

// picture is what the app shows that was so since then.
type picture struct {
	since time.Time
	directory
}

var shared = struct {
	sync.Mutex
	apps map[string]*App
}{apps: map[string]*App{}}

// Shared returns the app of that name: the same one for the whole life of the process.
// The first call creates it.
func Shared(name string) *App {
	shared.Lock()
	defer shared.Unlock()
	app, ok := shared.apps[name]
	if !ok {
		app = &App{}
		app.reset()
		shared.apps[name] = app
	}
	return app
}

// Reset makes the app as new: no accounts, no faults, no hooks, counters at zero.
func (a *App) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reset()
}

func (a *App) reset() {
	a.directory, a.pictures = newDirectory(), nil
	a.binned = map[string]*connector.Account{}
	a.handedOver = map[string]string{}
	a.underway, a.begun = map[string]int{}, 0
	a.calls = map[string]int{}
	a.faults, a.before, a.after = Faults{}, nil, nil
}

// SetFaults sets the fault switches.
func (a *App) SetFaults(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = f
	a.remember()
}

// remember takes a picture of the app after a change, if the app lags.
func (a *App) remember() {
	now := a.faults.Lag.Now
	if now == nil {
		a.pictures = nil
		return
	}
	a.pictures = append(a.pictures, picture{now(), a.copied()})
}

// seen returns what the app answers a call with: itself, or a picture if it lags.
func (a *App) seen() directory {
	lag := a.faults.Lag
	if lag.Now == nil || len(a.pictures) == 0 {
		return a.directory
	}
	at, first := lag.Now().Add(-lag.Age()), 0
	for i, p := range a.pictures {
		if !p.since.After(at) {
			first = i
		}
	}
	return a.pictures[first].directory
}

// OnCall sets the hook that runs before each operation applies; nil for none.
func (a *App) OnCall(hook Hook) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before = hook
}

// AfterCall sets the hook that runs after each operation has been applied; nil for none.
// With an error from it, the app has done the operation and its answer is lost.
func (a *App) AfterCall(hook Hook) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.after = hook
}

// Calls returns how often an operation was called. Failed calls count.
func (a *App) Calls(op string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[op]
}

// Accounts returns every account, in order of creation.
func (a *App) Accounts() []connector.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sorted()
}

// Account returns an account by its ID.
func (a *App) Account(id string) (connector.Account, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	account, ok := a.accounts[id]
	if !ok {
		return connector.Account{}, false
	}
	return clone(account), true
}

// Put adds an account from outside Tenure, as an administrator of the app
// would, and returns its ID. External IDs need not be unique here, so that
// tests can make an ambiguous app.
func (a *App) Put(account connector.Account) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.put(account).ID
}

// HandedOver returns the account that an account's data was handed over to.
func (a *App) HandedOver(fromAccountID string) (toAccountID string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	toAccountID, ok = a.handedOver[fromAccountID]
	return toAccountID, ok
}

// EmptyBin removes all accounts from the recycle bin, as an administrator would.
func (a *App) EmptyBin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.binned)
}

func (a *App) put(account connector.Account) *connector.Account {
	a.lastID++
	account = clone(&account)
	account.ID = strconv.Itoa(a.lastID)
	slices.Sort(account.Entitlements)
	a.add(&account)
	a.remember()
	return &account
}

func (d directory) add(account *connector.Account) {
	d.accounts[account.ID] = account
	d.byUsername[strings.ToLower(account.Username)] = account.ID
	d.index(account)
}

func (d directory) index(account *connector.Account) {
	d.byExternal[account.ExternalID] = append(d.byExternal[account.ExternalID], account.ID)
}

// forget removes from an account what Faults.Drop names.
func (a *App) forget(account *connector.Account) {
	for _, name := range a.faults.Drop {
		delete(account.Attributes, name)
		if name == connector.ExternalID && account.ExternalID != "" {
			a.unindex(account)
			account.ExternalID = ""
			a.index(account)
		}
	}
}

func (d directory) drop(account *connector.Account) {
	delete(d.accounts, account.ID)
	if name := strings.ToLower(account.Username); d.byUsername[name] == account.ID {
		delete(d.byUsername, name)
	}
	d.unindex(account)
}

func (d directory) unindex(account *connector.Account) {
	rest := slices.DeleteFunc(d.byExternal[account.ExternalID], func(id string) bool { return id == account.ID })
	if len(rest) == 0 {
		delete(d.byExternal, account.ExternalID)
		return
	}
	d.byExternal[account.ExternalID] = rest
}

func (d directory) sorted() []connector.Account {
	all := make([]connector.Account, 0, len(d.accounts))
	for _, account := range d.accounts {
		all = append(all, clone(account))
	}
	slices.SortFunc(all, func(x, y connector.Account) int { return byAge(&x, &y) })
	return all
}

// byAge compares accounts by their order of creation.
func byAge(x, y *connector.Account) int {
	return cmp.Or(cmp.Compare(len(x.ID), len(y.ID)), cmp.Compare(x.ID, y.ID))
}

func clone(account *connector.Account) connector.Account {
	c := *account
	c.Attributes = maps.Clone(account.Attributes)
	for name, value := range c.Attributes {
		if list, ok := value.([]string); ok {
			c.Attributes[name] = slices.Clone(list)
		}
	}
	c.Entitlements = slices.Clone(account.Entitlements)
	return c
}
