package connector

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// maxIDBytes bounds the ID that an app gives an account. The ledger finds links by it, and
// an index of PostgreSQL holds no more than some 2,700 bytes.
const maxIDBytes = 1024

// checked calls before ahead of each call to the app, and does not make the call if before
// returns an error. It names each method, rather than embed a Connector: a method that is
// added to the interface does not compile before it is passed on here.
type checked struct {
	app    Connector
	before func(ctx context.Context, next call) error
	pages  *paging
}

// paging holds where Page is in the list of an app.
type paging struct {
	mu     sync.Mutex
	tokens circle
}

// call describes a call that is about to be made.
type call struct {
	op       string
	accounts []string // the IDs of the accounts that it is about
	personID string   // the external ID that the account gets
	username string   // the username that the account gets
}

// offered returns a connector that refuses the calls that c does not offer.
func offered(c Connector) Connector {
	return checked{c, func(_ context.Context, next call) error { return offers(c, next) }, &paging{}}
}

// offers returns the error for a call that a connector does not offer, or nil.
func offers(c Connector, next call) error {
	if !c.Capabilities().Offers(next.op) {
		return Unsupported(next.op)
	}
	return nil
}

// on returns a call about existing accounts.
func on(op string, accountIDs ...string) call { return call{op: op, accounts: accountIDs} }

func (c checked) Capabilities() Capabilities { return c.app.Capabilities() }

func (c checked) Close() error { return c.app.Close() }

func (c checked) Learned() []string { return c.app.Learned() }

func (c checked) Ask(step string) (Ask, bool) { return c.app.Ask(step) }

func (c checked) Keeps(ctx context.Context, account Account, name string, set any) (bool, error) {
	return c.app.Keeps(ctx, account, name, set)
}

func (c checked) Find(ctx context.Context, keys Keys) ([]Match, error) {
	if err := c.before(ctx, call{op: OpFind}); err != nil {
		return nil, err
	}
	matches, err := c.app.Find(ctx, keys)
	for i := 0; err == nil && i < len(matches); i++ {
		_, err = storable(OpFind, matches[i].Account, nil)
	}
	if err != nil {
		return nil, err
	}
	return matches, nil
}

// storable returns the account, or an error if its ID is longer than the ledger stores. Such
// an answer proves nothing: the account may exist.
func storable(op string, account Account, err error) (Account, error) {
	if err == nil && len(account.ID) > maxIDBytes {
		return Account{}, &Error{
			Kind: KindContradictory, Op: op,
			Message: fmt.Sprintf("the app gives an account an ID of %d bytes, and at most %d can be stored", len(account.ID), maxIDBytes),
		}
	}
	return account, err
}

func (c checked) Read(ctx context.Context, accountID string) (Account, error) {
	if err := c.before(ctx, on(OpRead, accountID)); err != nil {
		return Account{}, err
	}
	account, err := c.app.Read(ctx, accountID)
	return storable(OpRead, account, err)
}

func (c checked) Check(ctx context.Context) (string, error) {
	if err := c.before(ctx, call{op: OpCheck}); err != nil {
		return "", err
	}
	return c.app.Check(ctx)
}

func (c checked) Probe(ctx context.Context) []Finding {
	if c.before(ctx, call{op: OpProbe}) != nil {
		return nil
	}
	return c.app.Probe(ctx)
}

func (c checked) List(ctx context.Context) iter.Seq2[Account, error] {
	return checkedList(ctx, c, OpList, c.app.List)
}

func (c checked) Page(ctx context.Context, token string) (Page, error) {
	if err := c.before(ctx, call{op: OpPage}); err != nil {
		return Page{}, err
	}
	if len(token) > maxToken {
		return Page{}, NoSuchPage(OpPage)
	}
	page, err := c.app.Page(ctx, token)
	for i := 0; err == nil && i < len(page.Accounts); i++ {
		_, err = storable(OpPage, page.Accounts[i], nil)
	}
	if err == nil && page.Next != "" {
		c.pages.mu.Lock()
		err = c.pages.tokens.follow(OpPage, token, page.Next)
		c.pages.mu.Unlock()
	}
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

func (c checked) Entitlements(ctx context.Context) iter.Seq2[Entitlement, error] {
	return checkedList(ctx, c, OpListEntitlements, c.app.Entitlements)
}

func checkedList[T any](ctx context.Context, c checked, op string, list func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	if err := c.before(ctx, call{op: op}); err != nil {
		return func(yield func(T, error) bool) {
			var none T
			yield(none, err)
		}
	}
	return list(ctx)
}

func (c checked) Create(ctx context.Context, spec Spec) (Account, error) {
	if err := c.before(ctx, call{op: OpCreate, personID: spec.PersonID, username: spec.Username}); err != nil {
		return Account{}, err
	}
	account, err := c.app.Create(ctx, spec)
	return storable(OpCreate, account, err)
}

func (c checked) Adopt(ctx context.Context, accountID, personID string) error {
	next := on(OpAdopt, accountID)
	next.personID = personID
	if err := c.before(ctx, next); err != nil {
		return err
	}
	return c.app.Adopt(ctx, accountID, personID)
}

func (c checked) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	if err := c.before(ctx, on(OpUpdate, accountID)); err != nil {
		return err
	}
	return c.app.Update(ctx, accountID, attributes)
}

func (c checked) Relabel(ctx context.Context, accountID string, to Label) error {
	next := on(OpRelabel, accountID)
	next.personID, next.username = to.PersonID, to.Username
	if err := c.before(ctx, next); err != nil {
		return err
	}
	return c.app.Relabel(ctx, accountID, to)
}

func (c checked) Grant(ctx context.Context, accountID string, names []string) error {
	if err := c.before(ctx, on(OpGrant, accountID)); err != nil {
		return err
	}
	return c.app.Grant(ctx, accountID, names)
}

func (c checked) Revoke(ctx context.Context, accountID string, names []string) error {
	if err := c.before(ctx, on(OpRevoke, accountID)); err != nil {
		return err
	}
	return c.app.Revoke(ctx, accountID, names)
}

func (c checked) Disable(ctx context.Context, accountID string) error {
	return c.change(ctx, OpDisable, accountID, c.app.Disable)
}

func (c checked) Enable(ctx context.Context, accountID string) error {
	return c.change(ctx, OpEnable, accountID, c.app.Enable)
}

func (c checked) RevokeSessions(ctx context.Context, accountID string) error {
	return c.change(ctx, OpRevokeSessions, accountID, c.app.RevokeSessions)
}

func (c checked) ResetCredentials(ctx context.Context, accountID string) error {
	return c.change(ctx, OpResetCredentials, accountID, c.app.ResetCredentials)
}

func (c checked) Delete(ctx context.Context, accountID string) error {
	return c.change(ctx, OpDelete, accountID, c.app.Delete)
}

func (c checked) Restore(ctx context.Context, accountID string) error {
	return c.change(ctx, OpRestore, accountID, c.app.Restore)
}

func (c checked) change(ctx context.Context, op, accountID string, do func(context.Context, string) error) error {
	if err := c.before(ctx, on(op, accountID)); err != nil {
		return err
	}
	return do(ctx, accountID)
}

func (c checked) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	if err := c.before(ctx, on(OpHandOver, fromAccountID, toAccountID)); err != nil {
		return err
	}
	return c.app.HandOver(ctx, fromAccountID, toAccountID)
}
