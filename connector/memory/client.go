package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// client is the connector. It has no state of its own.
type client struct {
	connector.Base

	app   *App
	name  string
	pace  func(context.Context) error // waits for a call's turn; nil if it may start at once
	seats map[string]int              // by licence, with its prefix
	needs []string                    // see connector.Capabilities.HandOverNeeds
	bin   time.Duration               // how long a deleted account can be brought back; zero: it cannot

	settling time.Duration
	long     map[string]int // by call: how often it has to be looked at until it is done
}

var _ connector.Connector = client{}

var lastUse = connector.LastUse{By: "what a test says"}

// Capabilities implements connector.Connector.
func (c client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Settling: c.settling,
		Create:   true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, LastUse: lastUse,
		RecycleBin: c.bin, Restore: c.bin > 0, ListEntitlements: len(c.seats) > 0,
		HandOverNeeds: c.needs,
	}
}

func (c client) Find(ctx context.Context, keys connector.Keys) (matches []connector.Match, err error) {
	err = c.look(ctx, connector.OpFind, keys.AccountID, func() error {
		matches = c.app.seen().find(keys)
		return nil
	})
	return matches, err
}

func (c client) Read(ctx context.Context, accountID string) (account connector.Account, err error) {
	err = c.look(ctx, connector.OpRead, accountID, func() error {
		found, err := c.app.seen().get(connector.OpRead, accountID)
		if err == nil {
			account = clone(found)
		}
		return err
	})
	return account, err
}

func (c client) Check(ctx context.Context) (string, error) {
	err := c.look(ctx, connector.OpCheck, "", func() error { return nil })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("memory app %q of this process", c.name), nil
}

func (c client) Close() error { return nil }

func (c client) Create(ctx context.Context, spec connector.Spec) (account connector.Account, err error) {
	err = c.change(ctx, connector.OpCreate, "", func() error {
		made, err := c.app.create(spec)
		if err == nil {
			account = clone(made)
			c.app.forget(made)
		}
		return err
	})
	if err != nil {
		return connector.Account{}, err
	}
	return account, nil
}

func (c client) Adopt(ctx context.Context, accountID, personID string) error {
	return c.changeAccount(ctx, connector.OpAdopt, accountID, func(account *connector.Account) error {
		return c.app.adopt(account, personID)
	})
}

func (c client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	return c.changeAccount(ctx, connector.OpUpdate, accountID, func(account *connector.Account) error {
		return set(account, connector.OpUpdate, attributes)
	})
}

func (c client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	return c.changeAccount(ctx, connector.OpRelabel, accountID, func(account *connector.Account) error {
		return c.app.relabel(account, to)
	})
}

func (c client) Disable(ctx context.Context, accountID string) error {
	return c.changeAccount(ctx, connector.OpDisable, accountID, func(account *connector.Account) error {
		account.Active = false
		return nil
	})
}

func (c client) Enable(ctx context.Context, accountID string) error {
	return c.changeAccount(ctx, connector.OpEnable, accountID, func(account *connector.Account) error {
		account.Active = true
		return nil
	})
}

func (c client) Delete(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpDelete, accountID, func() error {
		if account, ok := c.app.accounts[accountID]; ok && c.app.reaches(accountID) {
			c.app.drop(account)
			if c.bin > 0 {
				c.app.binned[accountID] = account
			}
		}
		return nil
	})
}

// Restore implements connector.Connector. The account comes back disabled. The bin keeps
// accounts until App.EmptyBin: the app has no clock.
func (c client) Restore(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpRestore, accountID, func() error { return c.app.restore(accountID) })
}

func (c client) Grant(ctx context.Context, accountID string, names []string) error {
	return c.changeAccount(ctx, connector.OpGrant, accountID, func(account *connector.Account) error {
		if slices.Contains(names, "") {
			return connector.Invalid(connector.OpGrant, "an entitlement has no name")
		}
		for _, name := range names {
			if total, limited := c.seats[name]; limited && !slices.Contains(account.Entitlements, name) && c.app.holders(name) >= total {
				return &connector.Error{Kind: connector.KindConflict, Op: connector.OpGrant, Message: "no seat is left of " + name}
			}
		}
		account.Entitlements = slices.Compact(slices.Sorted(slices.Values(slices.Concat(account.Entitlements, names))))
		return nil
	})
}

func (c client) Revoke(ctx context.Context, accountID string, names []string) error {
	return c.change(ctx, connector.OpRevoke, accountID, func() error {
		if account, ok := c.app.accounts[accountID]; ok && c.app.reaches(accountID) {
			account.Entitlements = slices.DeleteFunc(account.Entitlements, func(name string) bool {
				return slices.Contains(names, name)
			})
		}
		return nil
	})
}

func (c client) RevokeSessions(ctx context.Context, accountID string) error {
	return c.changeAccount(ctx, connector.OpRevokeSessions, accountID, func(*connector.Account) error { return nil })
}

// ResetCredentials implements connector.Connector. It only counts as a call: see
// App.Calls.
func (c client) ResetCredentials(ctx context.Context, accountID string) error {
	return c.changeAccount(ctx, connector.OpResetCredentials, accountID, func(*connector.Account) error { return nil })
}

func (c client) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	return c.changeAccount(ctx, connector.OpHandOver, fromAccountID, func(from *connector.Account) error {
		if _, err := c.app.get(connector.OpHandOver, toAccountID); err != nil {
			return err
		}
		for _, need := range c.needs {
			if !slices.ContainsFunc(from.Entitlements, func(name string) bool {
				return name == need || strings.HasSuffix(need, ":") && strings.HasPrefix(name, need)
			}) {
				return connector.Invalid(connector.OpHandOver, "the account lacks %s", need)
			}
		}
		c.app.handedOver[from.ID] = toAccountID
		return nil
	})
}

func (c client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		var all []connector.Account
		err := c.look(ctx, connector.OpList, "", func() error {
			all = c.app.seen().sorted()
			return nil
		})
		if err != nil {
			yield(connector.Account{}, err)
			return
		}
		for _, account := range all {
			if ctx.Err() != nil {
				yield(connector.Account{}, ended(ctx, connector.OpList))
				return
			}
			if !yield(account, nil) {
				return
			}
		}
	}
}

// pageSize is the number of accounts on one page.
const pageSize = 100

// Page implements connector.Connector. The token is the last ID of the page before.
func (c client) Page(ctx context.Context, token string) (page connector.Page, err error) {
	if _, err := strconv.Atoi(cmp.Or(token, "0")); err != nil {
		return connector.Page{}, connector.NoSuchPage(connector.OpPage)
	}
	err = c.look(ctx, connector.OpPage, "", func() error {
		all := c.app.seen().sorted()
		slices.SortFunc(all, func(a, b connector.Account) int { return cmp.Compare(a.ID, b.ID) })
		page.Total = len(all)
		all = slices.DeleteFunc(all, func(a connector.Account) bool { return a.ID <= token })
		if len(all) > pageSize {
			page.Next = all[pageSize-1].ID
		}
		page.Accounts = slices.Clone(all[:min(len(all), pageSize)])
		return nil
	})
	return page, err
}

// look runs do, which changes nothing, with the app locked.
func (c client) look(ctx context.Context, op, accountID string, do func() error) error {
	after, err := c.enter(ctx, op, accountID)
	if err != nil {
		return err
	}
	if err := c.locked(do); err != nil {
		return err
	}
	return asError(op, after(ctx, op, accountID))
}

// change is look for operations that change the app. The fault switches can make them
// fail after they were applied.
func (c client) change(ctx context.Context, op, accountID string, do func() error) error {
	return c.look(ctx, op, accountID, func() error {
		if err := c.app.proceed(ctx, op, c.long[op]); err != nil {
			return err
		}
		if err := do(); err != nil {
			return err
		}
		c.app.remember()
		if c.app.faults.FailAfterApply > 0 {
			c.app.faults.FailAfterApply--
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "the app failed after applying the change"}
		}
		return nil
	})
}

// changeAccount is change for operations on an existing account: without one, it fails as
// KindNotFound.
func (c client) changeAccount(ctx context.Context, op, accountID string, do func(*connector.Account) error) error {
	return c.change(ctx, op, accountID, func() error {
		account, err := c.app.get(op, accountID)
		if err == nil && !c.app.reaches(accountID) {
			err = unknown(op)
		}
		if err != nil {
			return err
		}
		err = do(account)
		c.app.forget(account)
		return err
	})
}

func (c client) locked(do func() error) error {
	c.app.mu.Lock()
	defer c.app.mu.Unlock()
	return do()
}

// enter waits for the call's turn and counts the call. It waits and fails as the fault
// switches say, runs the hook before the call, and returns the hook to run afterwards.
// Neither hooks nor waiting hold a lock.
func (c client) enter(ctx context.Context, op, accountID string) (after Hook, err error) {
	if c.pace != nil {
		if err := c.pace(ctx); err != nil {
			return nil, asError(op, err)
		}
	}
	c.app.mu.Lock()
	c.app.calls[op]++
	faults, before, after := c.app.faults, c.app.before, c.app.after
	c.app.mu.Unlock()

	if ctx.Err() != nil {
		return nil, ended(ctx, op)
	}
	if faults.Slow > 0 {
		timer := time.NewTimer(faults.Slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ended(ctx, op)
		}
	}
	if faults.Kind != "" {
		return nil, &connector.Error{
			Kind: faults.Kind, Op: op, RetryAfter: faults.RetryAfter,
			Message: "the app was told to fail",
		}
	}
	if before != nil {
		if err := before(ctx, op, accountID); err != nil {
			return nil, asError(op, err)
		}
	}
	if after == nil {
		after = func(context.Context, string, string) error { return nil }
	}
	return after, nil
}

func (d directory) find(keys connector.Keys) []connector.Match {
	if keys.AccountID != "" {
		if account, ok := d.accounts[keys.AccountID]; ok {
			return []connector.Match{{Account: clone(account), By: connector.ByAccountID}}
		}
		return nil
	}
	var matches []connector.Match
	if keys.PersonID != "" {
		for _, id := range d.byExternal[keys.PersonID] {
			matches = append(matches, connector.Match{Account: clone(d.accounts[id]), By: connector.ByExternalID})
		}
	}
	if len(matches) > 0 {
		return matches
	}
	account, ok := d.accounts[d.byUsername[strings.ToLower(keys.Username)]]
	if ok && (keys.PersonID == "" || account.ExternalID == "") {
		return []connector.Match{{Account: clone(account), By: connector.ByUsername}}
	}
	if keys.Email == "" {
		return nil
	}
	for _, account := range d.candidates(keys.PersonID) {
		if hasEmail(account, keys.Email) {
			matches = append(matches, connector.Match{Account: clone(account), By: connector.ByEmail})
		}
	}
	return matches
}

// candidates returns the accounts that may belong to a person, oldest first: those without
// an external ID, or all if personID is empty.
func (d directory) candidates(personID string) []*connector.Account {
	ids := d.byExternal[""]
	if personID == "" {
		ids = slices.Collect(maps.Keys(d.accounts))
	}
	all := make([]*connector.Account, 0, len(ids))
	for _, id := range ids {
		all = append(all, d.accounts[id])
	}
	slices.SortFunc(all, byAge)
	return all
}

// emailAttributes lists the attributes that may hold an e-mail address.
var emailAttributes = []string{"email", "emails", "mail"}

func hasEmail(account *connector.Account, email string) bool {
	for _, name := range emailAttributes {
		switch value := account.Attributes[name].(type) {
		case string:
			if strings.EqualFold(value, email) {
				return true
			}
		case []string:
			if slices.ContainsFunc(value, func(v string) bool { return strings.EqualFold(v, email) }) {
				return true
			}
		}
	}
	return false
}

func (d directory) get(op, accountID string) (*connector.Account, error) {
	account, ok := d.accounts[accountID]
	if !ok {
		return nil, unknown(op)
	}
	return account, nil
}

func unknown(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the app has no such account"}
}

// reaches reports whether a call that changes an account finds it.
func (a *App) reaches(accountID string) bool {
	if !a.faults.Lag.Changes {
		return true
	}
	_, shown := a.seen().accounts[accountID]
	return shown
}

func (a *App) create(spec connector.Spec) (*connector.Account, error) {
	if spec.Username == "" {
		return nil, connector.Invalid(connector.OpCreate, "an account needs a username")
	}
	known := a.directory
	if a.faults.Lag.Twins {
		known = a.seen()
	}
	_, taken := known.byUsername[strings.ToLower(spec.Username)]
	if taken || spec.PersonID != "" && len(known.byExternal[spec.PersonID]) > 0 {
		return nil, &connector.Error{
			Kind: connector.KindExists, Op: connector.OpCreate,
			Message: "an account of that username or person is there already",
		}
	}
	account := connector.Account{Username: spec.Username, ExternalID: spec.PersonID, Active: spec.Active}
	if err := set(&account, connector.OpCreate, spec.Attributes); err != nil {
		return nil, err
	}
	return a.put(account), nil
}

func (a *App) adopt(account *connector.Account, personID string) error {
	if needed, err := connector.Mark(connector.OpAdopt, account.ExternalID, personID, "the app"); err != nil || !needed {
		return err
	}
	if len(a.byExternal[personID]) > 0 {
		return &connector.Error{Kind: connector.KindExists, Op: connector.OpAdopt, Message: "the person has another account already"}
	}
	a.unindex(account)
	account.ExternalID = personID
	a.index(account)
	return nil
}

func (a *App) relabel(account *connector.Account, to connector.Label) error {
	externalID, err := to.ExternalID(account.ExternalID)
	if err != nil {
		return err
	}
	username := cmp.Or(to.Username, account.Username)
	holder, taken := a.byUsername[strings.ToLower(username)]
	mine := func(id string) bool { return id == account.ID }
	if taken && !mine(holder) || externalID != "" && slices.ContainsFunc(a.byExternal[externalID], func(id string) bool { return !mine(id) }) {
		return &connector.Error{Kind: connector.KindExists, Op: connector.OpRelabel, Message: "an account of that username or person is there already"}
	}
	a.drop(account)
	account.Username, account.ExternalID = username, externalID
	a.accounts[account.ID] = account
	a.byUsername[strings.ToLower(username)] = account.ID
	a.index(account)
	return nil
}

// set puts attributes on an account. If one is invalid, it sets none.
func set(account *connector.Account, op string, attributes map[string]any) error {
	for name, value := range attributes {
		switch value.(type) {
		case string, bool, int64, []string:
		default:
			return connector.Invalid(op, "attribute %q must be a string, bool, int64 or list of strings, not %T", name, value)
		}
	}
	for name, value := range attributes {
		list, isList := value.([]string)
		if value == "" || isList && len(list) == 0 {
			delete(account.Attributes, name)
			continue
		}
		if account.Attributes == nil {
			account.Attributes = map[string]any{}
		}
		if isList {
			value = slices.Clone(list)
		}
		account.Attributes[name] = value
	}
	return nil
}

func ended(ctx context.Context, op string) error {
	return &connector.Error{
		Kind: connector.KindUnavailable, Op: op,
		Message: "the call was cancelled or ran out of time", Cause: ctx.Err(),
	}
}

// asError returns a hook's error as a *connector.Error, the only type that callers know.
func asError(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *connector.Error
	if errors.As(err, &known) {
		return known
	}
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "the app failed", Cause: err}
}

func (a *App) restore(accountID string) error {
	if _, there := a.accounts[accountID]; there {
		return nil
	}
	account, ok := a.binned[accountID]
	if !ok {
		return &connector.Error{Kind: connector.KindNotFound, Op: connector.OpRestore, Message: "the recycle bin has no such account"}
	}
	if _, taken := a.byUsername[strings.ToLower(account.Username)]; taken {
		return &connector.Error{Kind: connector.KindExists, Op: connector.OpRestore, Message: "another account has the username by now"}
	}
	delete(a.binned, accountID)
	account.Active = false
	a.accounts[account.ID] = account
	a.byUsername[strings.ToLower(account.Username)] = account.ID
	a.index(account)
	return nil
}
