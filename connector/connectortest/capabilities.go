package connectortest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func (s *suite) capabilities(t *testing.T) {
	assert.Equal(t, s.Capabilities, s.open(t).Capabilities())
	var told []string
	for _, operation := range s.Kind.Operations {
		told = append(told, operation.Op)
	}
	assert.Subset(t, told, s.Capabilities.Ops(), "the kind tells of every operation")
}

// elsewhere lists the operations that have tests of their own.
var elsewhere = []string{connector.OpProbe, connector.OpListEntitlements, connector.OpResetCredentials}

// offered makes every call that the connector offers, and checks that none fails as
// KindUnsupported and that the capabilities stay the same.
func (s *suite) offered(t *testing.T) {
	c, made, calls := s.fixture(t)
	if s.can().Delete && !s.can().Reversible && s.can().Disable { // fixture leaves it out, since disabling has deleted the account by then
		gone := s.make(t, c, s.spec())
		calls = append(calls, call{connector.OpDelete, func(ctx context.Context) error { return c.Delete(ctx, gone.ID) }})
	}
	tried := slices.Clone(elsewhere)
	for _, call := range calls {
		err := call.do(t.Context())
		assert.False(t, connector.Is(err, connector.KindUnsupported), "%s is offered, and answered by: %v", call.op, err)
		tried = append(tried, call.op)
	}
	assert.Subset(t, tried, s.can().Ops(), "the suite tries whatever is offered")
	can := c.Capabilities()
	can.ResetCredentials = s.can().ResetCredentials // a call may have shown whether the app offers it
	assert.Equal(t, s.can(), can, "what is offered was settled when the connector was opened")
	assert.NotEmpty(t, made.ID)
}

// notOffered makes every call that the connector does not offer, and checks that each
// fails as KindUnsupported.
func (s *suite) notOffered(t *testing.T) {
	c := s.open(t)
	const missing = "00000000-0000-4000-8000-000000000000"
	spec := s.spec()
	all := append(s.looks(c, missing, spec), s.allChanges(c, missing, missing, spec)...)
	all = append(all,
		call{connector.OpResetCredentials, func(ctx context.Context) error { return c.ResetCredentials(ctx, missing) }},
		call{connector.OpListEntitlements, func(ctx context.Context) error { return failed(c.Entitlements(ctx)) }},
	)
	for _, call := range all {
		if !s.can().Offers(call.op) {
			s.fails(t, call.do(t.Context()), call.op, connector.KindUnsupported)
		}
	}
	assert.Empty(t, s.find(t, c, connector.Keys{PersonID: spec.PersonID, Username: spec.Username}))
}

// resetCredentials checks that a reset changes nothing else: above all, it enables no
// account. If the app turns out not to offer resets, the connector must not offer them
// from then on.
func (s *suite) resetCredentials(t *testing.T) {
	c := s.open(t)
	for _, active := range []bool{true, false} {
		made := s.make(t, c, s.spec())
		if !active {
			if !s.can().Disable || !s.can().Reversible {
				return
			}
			require.NoError(t, c.Disable(t.Context(), made.ID))
		}
		before := read(t, c, made.ID)
		for range 2 { // a second reset is like the first
			err := c.ResetCredentials(t.Context(), made.ID)
			switch {
			case s.deviates(t, CredentialsDenied):
				s.fails(t, err, connector.OpResetCredentials, connector.KindUnsupported)
			case connector.Is(err, connector.KindUnsupported):
				assert.False(t, c.Capabilities().ResetCredentials, "it is offered, and answered by: %v", err)
			default:
				require.NoError(t, err)
			}
		}
		assert.Equal(t, before, read(t, c, made.ID), "the credentials, and nothing else")
	}
}
