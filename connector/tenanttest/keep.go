package tenanttest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Marker begins the username of every account that is made.
const Marker = "tenure-test-"

// noted is a line of the journal: an account that is about to be made, and then its ID. It
// holds nothing but what the suite made up.
type noted struct {
	Username string `json:"username"`
	ID       string `json:"id,omitempty"`
}

// Keep returns a connector that notes every account in the file journal before it makes it,
// so that [Sweep] finds it however this ends, and that pauses before it asks about a change.
// Its Close deletes what it made, so that few accounts are there at a time: test tenants have
// limits. Whatever that leaves is for Sweep.
func Keep(c connector.Connector, t Tenant, journal string) connector.Connector {
	return &keeper{Connector: c, tenant: t, journal: journal}
}

type keeper struct {
	connector.Connector
	tenant  Tenant
	journal string

	mu      sync.Mutex
	changed time.Time
	made    []string // IDs
}

func (k *keeper) note(n noted) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	file, err := os.OpenFile(k.journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line, err := json.Marshal(n)
	if err == nil {
		_, err = file.Write(append(line, '\n'))
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// settled waits until the tenant may know of the last change.
func (k *keeper) settled(ctx context.Context) {
	k.mu.Lock()
	left := time.Until(k.changed.Add(k.tenant.Pause))
	k.mu.Unlock()
	if left <= 0 {
		return
	}
	select {
	case <-time.After(left):
	case <-ctx.Done():
	}
}

// change notes that something changes now.
func (k *keeper) change() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed = time.Now()
}

// Create implements connector.Connector.
func (k *keeper) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	if err := k.note(noted{Username: spec.Username}); err != nil {
		return connector.Account{}, &connector.Error{Kind: connector.KindInvalid, Op: connector.OpCreate, Message: "the journal cannot be written, so no account is made"}
	}
	k.settled(ctx)
	spec.Attributes = k.tenant.attributes(spec)
	account, err := k.Connector.Create(ctx, spec)
	k.change()
	if account.ID != "" {
		k.mu.Lock()
		k.made = append(k.made, account.ID)
		k.mu.Unlock()
		if noteErr := k.note(noted{Username: spec.Username, ID: account.ID}); noteErr != nil && err == nil {
			err = &connector.Error{Kind: connector.KindInvalid, Op: connector.OpCreate, Message: "the journal cannot be written"}
		}
	}
	return account, err
}

// Close implements connector.Connector.
func (k *keeper) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	k.settled(ctx)
	for _, id := range k.made {
		if account, err := k.Connector.Read(ctx, id); err == nil && ours(account.Username) {
			_ = end(ctx, k.Connector, account) // Sweep looks again
		}
	}
	return k.Connector.Close()
}

// attributes returns those of spec, and those that every account is made with.
func (t Tenant) attributes(spec connector.Spec) map[string]any {
	all := map[string]any{}
	mark := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(spec.Username))
	for name, value := range t.Always {
		if text, ok := value.(string); ok {
			value = strings.ReplaceAll(text, "{mark}", strings.Trim(mark, "-"))
		}
		all[name] = value
	}
	maps.Copy(all, spec.Attributes)
	return all
}

// Find implements connector.Connector.
func (k *keeper) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	k.settled(ctx)
	return k.Connector.Find(ctx, keys)
}

// Read implements connector.Connector.
func (k *keeper) Read(ctx context.Context, accountID string) (connector.Account, error) {
	k.settled(ctx)
	return k.Connector.Read(ctx, accountID)
}

// List implements connector.Connector.
func (k *keeper) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	k.settled(ctx)
	return k.Connector.List(ctx)
}

// Page implements connector.Connector.
func (k *keeper) Page(ctx context.Context, token string) (connector.Page, error) {
	k.settled(ctx)
	return k.Connector.Page(ctx, token)
}

// after makes a change once the tenant may know of those before.
func (k *keeper) after(ctx context.Context, change func() error) error {
	k.settled(ctx)
	defer k.change()
	return change()
}

// Adopt implements connector.Connector.
func (k *keeper) Adopt(ctx context.Context, accountID, personID string) error {
	return k.after(ctx, func() error { return k.Connector.Adopt(ctx, accountID, personID) })
}

// Update implements connector.Connector.
func (k *keeper) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	return k.after(ctx, func() error { return k.Connector.Update(ctx, accountID, attributes) })
}

// Relabel implements connector.Connector. It notes the new username, too.
func (k *keeper) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	if err := k.note(noted{Username: to.Username, ID: accountID}); err != nil {
		return &connector.Error{Kind: connector.KindInvalid, Op: connector.OpRelabel, Message: "the journal cannot be written"}
	}
	return k.after(ctx, func() error { return k.Connector.Relabel(ctx, accountID, to) })
}

// Grant implements connector.Connector.
func (k *keeper) Grant(ctx context.Context, accountID string, names []string) error {
	return k.after(ctx, func() error { return k.Connector.Grant(ctx, accountID, names) })
}

// Revoke implements connector.Connector.
func (k *keeper) Revoke(ctx context.Context, accountID string, names []string) error {
	return k.after(ctx, func() error { return k.Connector.Revoke(ctx, accountID, names) })
}

// Disable implements connector.Connector.
func (k *keeper) Disable(ctx context.Context, accountID string) error {
	return k.after(ctx, func() error { return k.Connector.Disable(ctx, accountID) })
}

// Enable implements connector.Connector.
func (k *keeper) Enable(ctx context.Context, accountID string) error {
	return k.after(ctx, func() error { return k.Connector.Enable(ctx, accountID) })
}

// Delete implements connector.Connector.
func (k *keeper) Delete(ctx context.Context, accountID string) error {
	return k.after(ctx, func() error { return k.Connector.Delete(ctx, accountID) })
}

// Restore implements connector.Connector.
func (k *keeper) Restore(ctx context.Context, accountID string) error {
	return k.after(ctx, func() error { return k.Connector.Restore(ctx, accountID) })
}

// Sweep disables and deletes every account that the journal names, and every other one whose
// username begins with Marker. It looks again after each pause, since an app may show late
// what was made, until it has seen none twice in a row; for as long as patience. Then it
// removes the journal, and returns how many accounts it deleted. It touches no account whose
// username, as the app shows it, does not begin with Marker.
func Sweep(ctx context.Context, c connector.Connector, journal string, pause, patience time.Duration) (deleted int, err error) {
	names, ids, err := journalled(journal)
	if err != nil {
		return 0, err
	}
	gone := map[string]bool{}
	until, empty := time.Now().Add(patience), 0
	for {
		left, err := remaining(ctx, c, names, ids)
		for _, account := range left {
			if one := end(ctx, c, account); one != nil {
				err = errors.Join(err, one)
			} else if !gone[account.ID] {
				gone[account.ID] = true
				deleted++
			}
		}
		if empty++; err != nil || len(left) > 0 {
			empty = 0
		}
		if empty == 2 {
			if err := os.Remove(journal); err != nil && !os.IsNotExist(err) {
				return deleted, err
			}
			return deleted, nil
		}
		if time.Now().After(until) {
			err = errors.Join(err, ctx.Err())
			return deleted, fmt.Errorf("accounts may be left whose usernames begin with %s (%d are shown; %s names them): %w", Marker, len(left), journal, cmp.Or(err, errShown))
		}
		select {
		case <-time.After(max(pause, 100*time.Millisecond)):
		case <-ctx.Done():
			until = time.Now()
		}
	}
}

// errShown is why a sweep fails if every account was deleted, and some are shown nevertheless.
var errShown = errors.New("the app shows what it has deleted")

// end ends an account for good.
func end(ctx context.Context, c connector.Connector, account connector.Account) error {
	can := c.Capabilities()
	if can.Disable && account.Active {
		if err := c.Disable(ctx, account.ID); err != nil && !connector.Is(err, connector.KindNotFound) {
			return err
		}
	}
	if !can.Delete {
		return nil
	}
	if err := c.Delete(ctx, account.ID); err != nil && !connector.Is(err, connector.KindNotFound) {
		return err
	}
	return nil
}

// remaining returns the accounts that are ours and still there: those that are noted, and
// those that are listed with the marker.
func remaining(ctx context.Context, c connector.Connector, names, ids []string) (left []connector.Account, err error) {
	seen := map[string]bool{}
	add := func(account connector.Account) {
		ended := !account.Active && !c.Capabilities().Delete // no more can be done
		if !seen[account.ID] && !ended && ours(account.Username) {
			seen[account.ID] = true
			left = append(left, account)
		}
	}
	for _, id := range ids {
		account, one := c.Read(ctx, id)
		switch {
		case one == nil:
			add(account)
		case !connector.Is(one, connector.KindNotFound):
			err = errors.Join(err, one)
		}
	}
	for _, name := range names {
		matches, one := c.Find(ctx, connector.Keys{Username: name})
		err = errors.Join(err, one)
		for _, match := range matches {
			add(match.Account)
		}
	}
	if c.Capabilities().List {
		for account, one := range c.List(connector.SparingEntitlements(ctx)) {
			if one != nil {
				return left, errors.Join(err, one)
			}
			add(account)
		}
	}
	return left, err
}

// ours reports whether a username is that of an account that we made.
func ours(username string) bool {
	return strings.HasPrefix(strings.ToLower(username), Marker)
}

// journalled returns what the journal names: usernames of accounts whose IDs nobody learned,
// and IDs.
func journalled(journal string) (names, ids []string, err error) {
	file, err := os.Open(journal)
	if os.IsNotExist(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	all, known := map[string]bool{}, map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var n noted
		if json.Unmarshal(lines.Bytes(), &n) != nil {
			continue // cut off, as its writer was killed: the marker finds it
		}
		all[n.Username] = true
		if n.ID != "" && !known[n.ID] {
			known[n.ID] = true
			ids = append(ids, n.ID)
			delete(all, n.Username)
		}
	}
	for name := range all {
		names = append(names, name)
	}
	return names, ids, nil
}
