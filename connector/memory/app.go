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
}

// App is one app: its accounts and the switches that tests use. All methods may
// be called at any time from any goroutine.
type App struct {
	mu         sync.Mutex
	lastID     int
	accounts   map[string]*connector.Account
	binned     map[string]*connector.Account // deleted, and can be brought back
	byUsername map[string]string             // lower case -> account ID
	byExternal map[string][]string           // external ID -> account IDs; "" -> those of accounts without an external ID
	handedOver map[string]string
	calls      map[string]int
	faults     Faults
	before     Hook
	after      Hook
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
	a.accounts = map[string]*connector.Account{}
	a.binned = map[string]*connector.Account{}
	a.byUsername = map[string]string{}
	a.byExternal = map[string][]string{}
	a.handedOver = map[string]string{}
	a.calls = map[string]int{}
	a.faults, a.before, a.after = Faults{}, nil, nil
}

// SetFaults sets the fault switches.
func (a *App) SetFaults(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = f
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
	a.accounts[account.ID] = &account
	a.byUsername[strings.ToLower(account.Username)] = account.ID
	a.index(&account)
	return &account
}

func (a *App) index(account *connector.Account) {
	a.byExternal[account.ExternalID] = append(a.byExternal[account.ExternalID], account.ID)
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

func (a *App) drop(account *connector.Account) {
	delete(a.accounts, account.ID)
	delete(a.byUsername, strings.ToLower(account.Username))
	a.unindex(account)
}

func (a *App) unindex(account *connector.Account) {
	rest := slices.DeleteFunc(a.byExternal[account.ExternalID], func(id string) bool { return id == account.ID })
	if len(rest) == 0 {
		delete(a.byExternal, account.ExternalID)
		return
	}
	a.byExternal[account.ExternalID] = rest
}

func (a *App) sorted() []connector.Account {
	all := make([]connector.Account, 0, len(a.accounts))
	for _, account := range a.accounts {
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
