// Package ledgertest holds the test suite that every ledger passes. There is a test for each
// sentence in the interface's comments.
//
// A store's own test has a few lines:
//
//	func TestConformance(t *testing.T) {
//		ledgertest.Run(t, func(t *testing.T) ledger.Ledger { return open(t) })
//	}
package ledgertest

import (
	"testing"

	"github.com/tenurehq/tenure/ledger"
)

// tests holds tests by name. The name is the sentence that the test proves.
type tests map[string]func(*testing.T, ledger.Ledger)

// Run runs the suite. open returns a new, empty ledger, and closes it when its t ends.
func Run(t *testing.T, open func(t *testing.T) ledger.Ledger) {
	for group, tests := range map[string]tests{
		"Intake":     intakeTests,
		"Operator":   operatorTests,
		"Login":      loginTests,
		"Person":     personTests,
		"Username":   usernameTests,
		"Assessment": assessmentTests,
		"Turn":       turnTests,
		"Due":        dueTests,
		"Begin":      beginTests,
		"Ahead":      aheadTests,
		"Finish":     finishTests,
		"Ownership":  ownershipTests,
		"Act":        actTests,
		"Letter":     letterTests,
		"Task":       taskTests,
		"Steps":      stepFilterTests,
		"Census":     censusTests,
		"Query":      queryTests,
		"Pace":       paceTests,
		"Lease":      leaseTests,
		"Licences":   licenceTests,
		"Breaker":    breakerTests,
		"Hold":       holdTests,
		"Retention":  retentionTests,
		"Approval":   approvalTests,
		"Exception":  exceptionTests,
		"Request":    requestTests,
		"Review":     reviewTests,
		"Identity":   identityTests,
		"Identifier": identifierTests,
		"Scan":       scanTests,
		"Log":        logTests,
		"Notice":     noticeTests,
		"Privacy":    privacyTests,
		"Repeat":     repeatTests,
		"Race":       raceTests,
		"Model":      modelTests,
	} {
		t.Run(group, func(t *testing.T) {
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open(t))
				})
			}
		})
	}
}
