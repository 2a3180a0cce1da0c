package directory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/remote"
)

func answer(code uint16, said string) error {
	return &ldap.Error{ResultCode: code, MatchedDN: "uid=anna", Err: errors.New(said)}
}

func TestWhatResultsMean(t *testing.T) {
	for code, kind := range map[uint16]remote.Kind{
		4: remote.Invalid, 16: remote.Conflict, 20: remote.Conflict, 32: remote.NotFound, 49: remote.Unauthorized,
		50: remote.Forbidden, 51: remote.Unavailable, 65: remote.Invalid, 68: remote.Exists, 80: remote.Unavailable, 199: remote.Invalid,
	} {
		err := asError(t.Context(), "create", answer(code, "uid=anna,ou=people is in use"), time.Second)
		assert.Equal(t, kind, err.Kind, code)
		assert.NotContains(t, err.Error(), "anna")
		assert.NotContains(t, errors.Unwrap(err).Error(), "anna")
		assert.True(t, Is(err, 1, code))
		assert.False(t, Is(err, 1))
		assert.Contains(t, ResultOf(err).Diagnostic, "anna")
	}
}

func TestWhatIsNoAnswer(t *testing.T) {
	err := asError(t.Context(), "read", ldap.NewError(ldap.ErrorNetwork, errors.New("10.0.0.1 is gone")), time.Second)
	assert.Equal(t, remote.Unavailable, err.Kind)
	assert.NotContains(t, err.Error(), "10.0.0.1")
	assert.Nil(t, ResultOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = asError(ctx, "read", answer(32, ""), time.Second)
	assert.Equal(t, remote.Unavailable, err.Kind)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestNotUnique(t *testing.T) {
	asked := func(code uint16, said string) bool {
		return NotUnique(asError(t.Context(), "create", answer(code, said), 0))
	}
	assert.True(t, asked(19, "some attributes not unique"))
	assert.True(t, asked(19, "Another entry with the same attribute value already exists (attribute: \"uid\")"))
	assert.False(t, asked(19, "value too long"))
	assert.False(t, asked(68, "some attributes not unique"))
	assert.False(t, NotUnique(errors.New("not unique")))
}

// lateContext has a deadline that has passed, and no error yet.
type lateContext struct{ context.Context } //nolint:containedctx // it is one

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// A connection that fails by the caller's deadline is the caller's time running out, even if the
// context does not know of it yet.
func TestAFailureByTheCallersDeadlineIsTheDeadline(t *testing.T) {
	err := asError(lateContext{context.Background()}, "disable", ldap.NewError(ldap.ErrorNetwork, errors.New("i/o timeout")), time.Minute)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "the call ran out of time")
}
