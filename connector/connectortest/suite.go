package connectortest

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// suite holds one run. It remembers the texts that no error may hold.
type suite struct {
	Target
	ops *ops

	mu       sync.Mutex
	personal []string
}

func (s *suite) can() connector.Capabilities { return s.Capabilities }

// deviates reports whether the target declares this deviation of the app.
func (s *suite) deviates(t *testing.T, d Deviation) bool {
	t.Helper()
	why, declared := s.Deviations[d]
	if declared {
		t.Logf("a known deviation (%s): %s", d, why)
	}
	return declared
}

func (s *suite) open(t *testing.T) connector.Connector {
	t.Helper()
	c := noting{s.Open(t), s.ops}
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// spec returns a specification for a new person's account. No other has the same texts.
func (s *suite) spec() connector.Spec {
	mark := strings.ToLower(rand.Text()[:10])
	spec := connector.Spec{PersonID: "p-" + mark, Username: s.Names + mark, Active: true}
	if s.hasAttributes() {
		spec.Attributes = map[string]any{
			s.Attributes[0]: "Zoë O'Brien-Łukasz " + mark,
			s.Attributes[1]: "second-" + mark,
		}
	}
	return s.remember(spec)
}

// hasAttributes reports whether the app has attributes that can be set.
func (s *suite) hasAttributes() bool { return s.Attributes[0] != "" }

// keepsIDs reports whether the app keeps external IDs.
func (s *suite) keepsIDs(t *testing.T) bool {
	t.Helper()
	return !s.deviates(t, NoExternalID)
}

// keyOf returns the key by which an account is found, and its name.
func (s *suite) keyOf(t *testing.T, spec connector.Spec) (connector.Keys, connector.MatchKey) {
	t.Helper()
	if s.keepsIDs(t) {
		return connector.Keys{PersonID: spec.PersonID}, connector.ByExternalID
	}
	return connector.Keys{PersonID: spec.PersonID, Username: spec.Username}, connector.ByUsername
}

// remember adds a spec's texts to those that no error may hold, and returns the spec.
func (s *suite) remember(spec connector.Spec) connector.Spec {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.personal = append(s.personal, spec.PersonID, spec.Username)
	for _, value := range spec.Attributes {
		if text, ok := value.(string); ok && text != "" {
			s.personal = append(s.personal, text)
		}
	}
	return spec
}

// make creates an account.
func (s *suite) make(t *testing.T, c connector.Connector, spec connector.Spec) connector.Account {
	t.Helper()
	account, err := c.Create(t.Context(), spec)
	require.NoError(t, err)
	require.NotEmpty(t, account.ID)
	return account
}

func read(t *testing.T, c connector.Connector, accountID string) connector.Account {
	t.Helper()
	account, err := c.Read(t.Context(), accountID)
	require.NoError(t, err)
	return account
}

func (s *suite) find(t *testing.T, c connector.Connector, keys connector.Keys) []connector.Match {
	t.Helper()
	matches, err := c.Find(t.Context(), keys)
	require.NoError(t, err)
	return matches
}

// fails asserts that err has the type, kind and operation that the contract requires, and
// that its text gives nothing away.
func (s *suite) fails(t *testing.T, err error, op string, kind connector.ErrorKind) {
	t.Helper()
	_ = s.failure(t, err, op, kind)
}

// failure does the same as fails, and returns the error for a closer look.
func (s *suite) failure(t *testing.T, err error, op string, kind connector.ErrorKind) *connector.Error {
	t.Helper()
	require.Error(t, err, op)
	failed, ok := err.(*connector.Error) //nolint:errorlint // the contract: this type, not one that wraps it
	require.True(t, ok, "%s: the only error type of connectors is *connector.Error, not %T", op, err)
	assert.Equal(t, kind, failed.Kind, err.Error())
	assert.Equal(t, op, failed.Op, err.Error())
	assert.NotEmpty(t, failed.Message, op)
	s.discreet(t, err)
	return failed
}

// discreet asserts that the text of err, and of every error that it wraps, holds no
// personal data and no secret.
func (s *suite) discreet(t *testing.T, err error) {
	t.Helper()
	s.mu.Lock()
	hidden := append(append([]string{}, s.Secrets...), s.personal...)
	s.mu.Unlock()
	for ; err != nil; err = errors.Unwrap(err) {
		text := strings.ToLower(err.Error())
		for _, secret := range hidden {
			if secret != "" && strings.Contains(text, strings.ToLower(secret)) {
				t.Errorf("the text of an error holds %q: %s", secret, err)
			}
		}
	}
}

// call is an operation with its arguments filled in.
type call struct {
	op string
	do func(ctx context.Context) error
}

// calls returns the calls of all operations that the app has to offer, for one account and
// with harmless values. other is a second account.
func (s *suite) calls(c connector.Connector, accountID, other string, spec connector.Spec) []call {
	return append(s.offers(s.looks(c, accountID, spec)), s.changes(c, accountID, other, spec)...)
}

// changes returns those of calls that change an existing account, in an order in which
// all can be made. The one that ends the account comes last: Delete or, where that ends it
// too, Disable.
func (s *suite) changes(c connector.Connector, accountID, other string, spec connector.Spec) []call {
	return s.offers(s.allChanges(c, accountID, other, spec))
}

// offers returns those of the calls that the app has to offer. It leaves out Delete if
// Disable has ended the account by then.
func (s *suite) offers(calls []call) []call {
	ops := s.can().Ops()
	disabledIsGone := s.can().Disable && !s.can().Reversible
	return slices.DeleteFunc(calls, func(one call) bool {
		return !slices.Contains(ops, one.op) || one.op == connector.OpDelete && disabledIsGone
	})
}

// looks returns the calls that change no existing account.
func (s *suite) looks(c connector.Connector, accountID string, spec connector.Spec) []call {
	return []call{
		{connector.OpFind, func(ctx context.Context) error {
			_, err := c.Find(ctx, connector.Keys{PersonID: spec.PersonID, Username: spec.Username})
			return err
		}},
		{connector.OpFind, func(ctx context.Context) error {
			_, err := c.Find(ctx, connector.Keys{AccountID: accountID})
			return err
		}},
		{connector.OpRead, func(ctx context.Context) error { _, err := c.Read(ctx, accountID); return err }},
		{connector.OpCheck, func(ctx context.Context) error { _, err := c.Check(ctx); return err }},
		{connector.OpList, func(ctx context.Context) error { return failed(c.List(ctx)) }},
		{connector.OpPage, func(ctx context.Context) error { return failed(pages(ctx, func() connector.Connector { return c })) }},
		{connector.OpCreate, func(ctx context.Context) error { _, err := c.Create(ctx, s.spec()); return err }},
	}
}

// allChanges returns the calls that change an account, whether or not the app has to
// offer them.
func (s *suite) allChanges(c connector.Connector, accountID, other string, spec connector.Spec) []call {
	to := connector.Label{Username: s.remember(s.spec()).Username}
	return []call{
		{connector.OpAdopt, func(ctx context.Context) error { return c.Adopt(ctx, accountID, spec.PersonID) }},
		{connector.OpRelabel, func(ctx context.Context) error { return c.Relabel(ctx, accountID, to) }},
		{connector.OpUpdate, func(ctx context.Context) error { return c.Update(ctx, accountID, spec.Attributes) }},
		{connector.OpGrant, func(ctx context.Context) error { return c.Grant(ctx, accountID, s.Entitlements[:]) }},
		{connector.OpRevoke, func(ctx context.Context) error { return c.Revoke(ctx, accountID, s.Entitlements[:1]) }},
		{connector.OpDisable, func(ctx context.Context) error { return c.Disable(ctx, accountID) }},
		{connector.OpEnable, func(ctx context.Context) error { return c.Enable(ctx, accountID) }},
		{connector.OpRevokeSessions, func(ctx context.Context) error { return c.RevokeSessions(ctx, accountID) }},
		{connector.OpHandOver, func(ctx context.Context) error { return c.HandOver(ctx, accountID, other) }},
		{connector.OpRestore, func(ctx context.Context) error { return c.Restore(ctx, accountID) }},
		{connector.OpDelete, func(ctx context.Context) error { return c.Delete(ctx, accountID) }},
	}
}

// failed returns the first error of a list.
func failed[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
