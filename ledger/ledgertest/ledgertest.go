// Package ledgertest is the suite that every ledger passes: each sentence of
// the interface's comments, as a test.
//
// A store's own test is a few lines:
//
//	func TestConformance(t *testing.T) {
//		ledgertest.Run(t, func(t *testing.T) ledger.Ledger { return open(t) })
//	}
package ledgertest

import (
	"testing"

	"github.com/tenurehq/tenure/ledger"
)

// Run runs the suite. Open gives a new, empty ledger, and closes it when t ends.
func Run(t *testing.T, open func(t *testing.T) ledger.Ledger) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*testing.T, ledger.Ledger)
	}{
		{"Intake", intakeTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open(t))
				})
			}
		})
	}
}
