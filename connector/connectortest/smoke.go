package connectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

// Smoke describes a smoke test: some operations, and not the suite, on an emulator of a
// vendor's service that somebody else wrote. It shows that both understand the vendor's
// reference alike as far as they meet, and no more.
type Smoke struct {
	Kind connector.Kind
	On   string // the emulator and its version: "emulate 0.12.2"
	// Shortfalls are the known ways in which the emulator falls short of the service.
	Shortfalls []Shortfall
}

// Shortfall is a way in which an emulator falls short of the service that it stands for.
type Shortfall struct {
	What string // "the search for users finds nobody", as docs/connectors.md shows it
	// Why says what the service itself does, and what that means for the test.
	Why string
	// Holds reports whether the emulator still falls short. If it no longer does, remove the
	// shortfall and try more.
	Holds func(t *testing.T) bool
}

// Open returns a connector that notes which operations succeed, and registers them as a smoke
// test once the test has passed. It fails the test if a shortfall does not hold any more.
func (s Smoke) Open(t *testing.T, c connector.Connector) connector.Connector {
	t.Helper()
	var deviations []string
	for _, short := range s.Shortfalls {
		deviations = append(deviations, short.What)
		assert.True(t, short.Holds(t), "%s no longer falls short: %s (%s)", s.On, short.What, short.Why)
	}
	noted := noting{c, &ops{succeeded: map[string]bool{}}}
	Register(t, s.Kind.Name, func() connector.Proof {
		return connector.Proof{Level: connector.ServerNotOurs, On: s.On, Smoke: true, Deviations: deviations, Ops: noted.ops.names()}
	})
	return noted
}
