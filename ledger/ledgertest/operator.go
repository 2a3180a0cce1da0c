package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
)

// operatorTests are about events that an operator recorded, and not HR.
var operatorTests = tests{
	"AnOperatorsEventIsOnTheRecord": func(t *testing.T, l ledger.Ledger) {
		said := received("p1", "e1", 5)
		said.Audit = &ledger.AuditRow{Action: "suspend", Actor: "ada", Cause: "stolen laptop", Detail: map[string]any{"event": "e1"}}
		record(t, l, said, received("p2", "e2", 5))
		record(t, l, said) // a repeated call
		rows, err := l.Audit(t.Context(), "", 0, 10)
		assert.NoError(t, err)
		assert.Len(t, rows, 1)
		rows[0].Seq = 0
		assert.Equal(t, ledger.AuditRow{
			At: at(5), PersonID: "p1", Action: "suspend", Actor: "ada", Cause: "stolen laptop", Detail: map[string]any{"event": "e1"},
		}, rows[0])
		assert.Equal(t, said.Event, read(t, l, "p1").Events[0].Event)
	},
	"AnOperatorsEventSaysWhyItsPersonIsDue": func(t *testing.T, l ledger.Ledger) {
		said := received("p1", "e1", 5)
		said.Audit = &ledger.AuditRow{Action: "suspend", Actor: "ada"}
		record(t, l, received("p1", "e0", 4))
		assess(t, l, "p1", 4, nil)
		before := read(t, l, "p1")
		record(t, l, said)
		assert.Equal(t, []ledger.DuePerson{{PersonID: "p1", At: at(5), What: ledger.DueOperator, LastSeq: read(t, l, "p1").LastSeq}}, due(t, l))

		// Also if they are due for something else already.
		assess(t, l, "p2", 0, func(a *ledger.Assessment) { a.Summary.DueAt, a.Summary.DueWhat = at(1), "start" })
		other := received("p2", "e2", 5)
		other.Audit = said.Audit
		record(t, l, other)
		assert.Equal(t, ledger.DueOperator, due(t, l)[0].What)
		assert.Equal(t, at(1), due(t, l)[0].At)
		assess(t, l, "p2", 8, nil)

		// An assessment that read the person before it keeps it due, one after it does not.
		stale := ledger.Assessment{Summary: before.Summary}
		stale.Summary.AssessedAt = at(6)
		assert.NoError(t, l.SaveAssessment(t.Context(), stale))
		assert.Equal(t, at(5), read(t, l, "p1").DueAt)
		assess(t, l, "p1", 7, nil)
		assert.Empty(t, due(t, l))
	},
}
