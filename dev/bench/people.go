package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

const managerID = "manager"

func hired(person string) hr.Event {
	return hrevents.Event(person, hr.EventHired, profile(person, "Engineering", "Engineer"))
}

func moved(person string) hr.Event {
	return hrevents.Event(person, hr.EventTransferred, profile(person, "Sales", "Account manager"))
}

// profile returns the profile of a person with a name that nobody else has: namesakes are
// rare, and each costs another search for a username.
func profile(person, department, title string) *hr.Profile {
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace-" + person, JobTitle: title, Department: department,
		Location: hr.Location{TimeZone: "UTC"}, ManagerID: managerID,
		StartDate: hr.Date{Year: 2020, Month: 1, Day: 1},
	}
}

// tell does what the starter does with an event: it writes the ledger, and then signals.
func (t *tenure) tell(ctx context.Context, e hr.Event) error {
	receipts, err := t.ledger.Record(ctx, []ledger.Received{{Event: e, At: time.Now()}})
	if err != nil {
		return err
	}
	seq := receipts[0].Seq
	err = t.runs.Nudge(ctx, workflows.Nudge{PersonID: e.PersonID, Seq: seq, Type: workflows.TypeFor(e.Type), Why: "benchmark"})
	if err != nil {
		return err
	}
	return t.ledger.MarkDelivered(ctx, []int64{seq})
}

// play delivers an event, and waits until nothing is left to do for the person.
func (t *tenure) play(ctx context.Context, e hr.Event) error {
	if err := t.tell(ctx, e); err != nil {
		return err
	}
	if err := t.rig.temporal.GetWorkflow(ctx, workflows.WorkflowID(e.PersonID), "").Get(ctx, nil); err != nil {
		return fmt.Errorf("%s of %s: %w", e.Type, e.PersonID, err)
	}
	return nil
}
