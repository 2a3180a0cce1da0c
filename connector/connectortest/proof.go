package connectortest

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

// EnvProofs names the environment variable that says in which file passed tests register
// their proofs. scripts/test-real sets it, and compares the file with
// connector/catalog/proofs.json.
const EnvProofs = "TENURE_REAL_PROOFS"

// Registered is a line of that file.
type Registered struct {
	Kind string `json:"kind"`
	connector.Proof
}

// Register registers what a test has proven of a kind, once it has passed, if scripts/test-real
// runs it.
func Register(t *testing.T, kind string, proof func() connector.Proof) {
	t.Helper()
	t.Cleanup(func() {
		file := os.Getenv(EnvProofs)
		if file == "" || t.Failed() {
			return
		}
		p := proof()
		p.Ops = slices.Sorted(slices.Values(p.Ops))
		line, err := json.Marshal(Registered{Kind: kind, Proof: p})
		if !assert.NoError(t, err) {
			return
		}
		to, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if !assert.NoError(t, err) {
			return
		}
		_, err = to.Write(append(line, '\n'))
		assert.NoError(t, err)
		assert.NoError(t, to.Close())
	})
}

// Replayed returns a connector to a server that replays what was recorded of a vendor's
// service. It registers which operations succeed, and how many answers were given. on says
// what the recordings are.
func Replayed(t *testing.T, kind connector.Kind, on string, replay interface{ Played() int }, c connector.Connector) connector.Connector {
	t.Helper()
	noted := noting{c, &ops{succeeded: map[string]bool{}}}
	Register(t, kind.Name, func() connector.Proof {
		return connector.Proof{Level: connector.Replayed, On: on, Exchanges: replay.Played(), Ops: noted.ops.names()}
	})
	return noted
}

// ops counts the operations that succeeded.
type ops struct {
	mu        sync.Mutex
	succeeded map[string]bool
}

func (o *ops) note(op string, err error) {
	if err == nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.succeeded[op] = true
	}
}

func (o *ops) names() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(maps.Keys(o.succeeded))
}

// noting is a connector that notes which operations succeed. Those that find nothing, or have
// nothing to do, count.
type noting struct {
	connector.Connector
	ops *ops
}

func (n noting) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	matches, err := n.Connector.Find(ctx, keys)
	n.ops.note(connector.OpFind, err)
	return matches, err
}

func (n noting) Read(ctx context.Context, accountID string) (connector.Account, error) {
	account, err := n.Connector.Read(ctx, accountID)
	n.ops.note(connector.OpRead, err)
	return account, err
}

func (n noting) Check(ctx context.Context) (string, error) {
	who, err := n.Connector.Check(ctx)
	n.ops.note(connector.OpCheck, err)
	return who, err
}

func (n noting) Probe(ctx context.Context) []connector.Finding {
	findings := n.Connector.Probe(ctx)
	if len(findings) > 0 {
		n.ops.note(connector.OpProbe, nil)
	}
	return findings
}

func (n noting) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return whole(n.ops, connector.OpList, n.Connector.List(ctx))
}

func (n noting) Page(ctx context.Context, token string) (connector.Page, error) {
	page, err := n.Connector.Page(ctx, token)
	n.ops.note(connector.OpPage, err)
	return page, err
}

func (n noting) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return whole(n.ops, connector.OpListEntitlements, n.Connector.Entitlements(ctx))
}

// whole notes a list that came to its end without an error.
func whole[T any](o *ops, op string, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range list {
			if !yield(item, err) || err != nil {
				return
			}
		}
		o.note(op, nil)
	}
}

func (n noting) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	account, err := n.Connector.Create(ctx, spec)
	n.ops.note(connector.OpCreate, err)
	return account, err
}

// did notes the result of a change.
func (n noting) did(op string, err error) error {
	n.ops.note(op, err)
	return err
}

func (n noting) Adopt(ctx context.Context, accountID, personID string) error {
	return n.did(connector.OpAdopt, n.Connector.Adopt(ctx, accountID, personID))
}

func (n noting) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	return n.did(connector.OpUpdate, n.Connector.Update(ctx, accountID, attributes))
}

func (n noting) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	return n.did(connector.OpRelabel, n.Connector.Relabel(ctx, accountID, to))
}

func (n noting) Grant(ctx context.Context, accountID string, names []string) error {
	return n.did(connector.OpGrant, n.Connector.Grant(ctx, accountID, names))
}

func (n noting) Revoke(ctx context.Context, accountID string, names []string) error {
	return n.did(connector.OpRevoke, n.Connector.Revoke(ctx, accountID, names))
}

func (n noting) Disable(ctx context.Context, accountID string) error {
	return n.did(connector.OpDisable, n.Connector.Disable(ctx, accountID))
}

func (n noting) Enable(ctx context.Context, accountID string) error {
	return n.did(connector.OpEnable, n.Connector.Enable(ctx, accountID))
}

func (n noting) RevokeSessions(ctx context.Context, accountID string) error {
	return n.did(connector.OpRevokeSessions, n.Connector.RevokeSessions(ctx, accountID))
}

func (n noting) ResetCredentials(ctx context.Context, accountID string) error {
	return n.did(connector.OpResetCredentials, n.Connector.ResetCredentials(ctx, accountID))
}

func (n noting) HandOver(ctx context.Context, from, to string) error {
	return n.did(connector.OpHandOver, n.Connector.HandOver(ctx, from, to))
}

func (n noting) Delete(ctx context.Context, accountID string) error {
	return n.did(connector.OpDelete, n.Connector.Delete(ctx, accountID))
}

func (n noting) Restore(ctx context.Context, accountID string) error {
	return n.did(connector.OpRestore, n.Connector.Restore(ctx, accountID))
}
