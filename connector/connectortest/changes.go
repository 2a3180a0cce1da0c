package connectortest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func (s *suite) update(t *testing.T) {
	c := s.open(t)
	first, second := s.Attributes[0], s.Attributes[1]
	want := s.make(t, c, s.spec())
	set := func(attributes map[string]any) {
		t.Helper()
		require.NoError(t, c.Update(t.Context(), want.ID, attributes))
	}

	set(map[string]any{first: "Changed"})
	want.Attributes[first] = "Changed"
	assert.Equal(t, want, read(t, c, want.ID), "one attribute, and nothing else")

	set(map[string]any{first: "Changed"})
	assert.Equal(t, want, read(t, c, want.ID), "the same again")

	set(map[string]any{first: "", second: "Both"})
	delete(want.Attributes, first)
	want.Attributes[second] = "Both"
	assert.Equal(t, want, read(t, c, want.ID), "an empty text clears")

	set(map[string]any{first: ""})
	assert.Equal(t, want, read(t, c, want.ID), "clearing what is clear")

	set(map[string]any{first: "Back"})
	want.Attributes[first] = "Back"
	set(nil)
	assert.Equal(t, want, read(t, c, want.ID), "nothing to set")
}

func (s *suite) disableAndEnable(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made, other := s.make(t, c, spec), s.make(t, c, s.spec())
	if s.can().Entitlements {
		require.NoError(t, c.Grant(t.Context(), made.ID, s.Entitlements[:]))
	}
	before := read(t, c, made.ID)

	require.NoError(t, c.Disable(t.Context(), made.ID))
	assert.True(t, read(t, c, other.ID).Active, "another account")
	if !s.can().Reversible {
		return
	}
	disabled := before
	disabled.Active = false
	assert.Equal(t, disabled, read(t, c, made.ID), "off, and nothing else")
	found := 1
	if s.deviates(t, InactiveUnlisted) {
		found = 0
	}
	keys, _ := s.keyOf(t, spec)
	assert.Len(t, s.find(t, c, keys), found, "a disabled account is found")
	assert.Len(t, s.find(t, c, connector.Keys{AccountID: made.ID}), 1, "a disabled account is found by its ID")

	require.NoError(t, c.Enable(t.Context(), made.ID))
	assert.Equal(t, before, read(t, c, made.ID), "as it was")
}

func (s *suite) entitlements(t *testing.T) {
	c := s.open(t)
	made, other := s.make(t, c, s.spec()), s.make(t, c, s.spec())
	both := slices.Sorted(slices.Values(s.Entitlements[:]))
	before := made.Entitlements
	has := func(id string, names ...string) {
		t.Helper()
		all := slices.Sorted(slices.Values(slices.Concat(before, names)))
		assert.Equal(t, append([]string{}, all...), append([]string{}, read(t, c, id).Entitlements...))
	}

	require.NoError(t, c.Grant(t.Context(), made.ID, s.Entitlements[:]))
	has(made.ID, both...)
	has(other.ID)
	require.NoError(t, c.Grant(t.Context(), other.ID, s.Entitlements[:1]))
	require.NoError(t, c.Revoke(t.Context(), made.ID, s.Entitlements[:1]))
	has(made.ID, s.Entitlements[1])
	has(other.ID, s.Entitlements[0])
	require.NoError(t, c.Revoke(t.Context(), made.ID, s.Entitlements[:]))
	has(made.ID)
	has(other.ID, s.Entitlements[0])
	require.NoError(t, c.Grant(t.Context(), made.ID, nil))
	require.NoError(t, c.Revoke(t.Context(), made.ID, nil))
	has(made.ID)

	found := s.find(t, c, connector.Keys{AccountID: other.ID})
	require.Len(t, found, 1)
	assert.Equal(t, read(t, c, other.ID), found[0].Account, "Find shows entitlements as Read does")
}

func (s *suite) listEntitlements(t *testing.T) {
	var names []string
	for entitlement, err := range s.open(t).Entitlements(t.Context()) {
		require.NoError(t, err)
		assert.NotEmpty(t, entitlement.Kind, entitlement.Name)
		names = append(names, entitlement.Name)
	}
	assert.Subset(t, names, s.Entitlements[:])
	slices.Sort(names)
	assert.Len(t, slices.Compact(slices.Clone(names)), len(names), "listed twice")
}

func (s *suite) unknownEntitlement(t *testing.T) {
	c := s.open(t)
	made := s.make(t, c, s.spec())

	err := c.Grant(t.Context(), made.ID, []string{"no-such-entitlement", s.Entitlements[0]})
	failed := s.failure(t, err, connector.OpGrant, connector.KindInvalid)
	assert.Contains(t, failed.Message, "no-such-entitlement")
	assert.Contains(t, read(t, c, made.ID).Entitlements, s.Entitlements[0], "one that is unknown does not keep the others from being granted")

	assert.NoError(t, c.Revoke(t.Context(), made.ID, []string{"no-such-entitlement", s.Entitlements[0]}))
	assert.NotContains(t, read(t, c, made.ID).Entitlements, s.Entitlements[0])
}

// repetition makes every change twice: the second time there is nothing to do, and the
// call succeeds.
func (s *suite) repetition(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made, other := s.make(t, c, spec), s.make(t, c, s.spec())
	for _, change := range s.changes(c, made.ID, other.ID, spec) {
		require.NoError(t, change.do(t.Context()), change.op)
		once, onceErr := c.Read(t.Context(), made.ID)
		require.NoError(t, change.do(t.Context()), "%s again", change.op)
		twice, twiceErr := c.Read(t.Context(), made.ID)
		assert.Equal(t, once, twice, "%s again changes nothing", change.op)
		assert.Equal(t, onceErr == nil, twiceErr == nil, change.op)
	}
}

// missingAccount makes every call for an account that does not exist. Calls that take
// something away succeed, also Disable where it deletes the account. The others fail as
// KindNotFound.
func (s *suite) missingAccount(t *testing.T) {
	c := s.open(t)
	const missing = "00000000-0000-4000-8000-000000000000"
	_, err := c.Read(t.Context(), missing)
	s.fails(t, err, connector.OpRead, connector.KindNotFound)
	assert.Empty(t, s.find(t, c, connector.Keys{AccountID: missing}))
	for _, change := range s.changes(c, missing, missing, s.spec()) {
		err := change.do(t.Context())
		ended := change.op == connector.OpDisable && !s.can().Reversible
		if change.op == connector.OpDelete || change.op == connector.OpRevoke || ended {
			assert.NoError(t, err, change.op)
			continue
		}
		if change.op == connector.OpGrant && s.deviates(t, MembersUnchecked) {
			assert.NoError(t, err, "refused after all: the deviation is no more")
			continue
		}
		s.fails(t, err, change.op, connector.KindNotFound)
	}
}
