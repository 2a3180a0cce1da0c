package operator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// ErrNoProof means that the request does not say how to check that the task is done.
var ErrNoProof = errors.New("say how it can be seen that this is done (proof): it goes on the record")

// FinishTask records an operator's word that a task is done. proof says how that can be
// checked; account is the name of the account in the app, if it is not the one that was
// asked for. A task that needs a second person stays unfinished until somebody else says
// the same, under another name and from another login.
func (o *Operator) FinishTask(ctx context.Context, r Request, id int64, proof, account string) (ledger.Task, error) {
	if err := FinishTask.Check(r); err != nil {
		return ledger.Task{}, err
	}
	if strings.TrimSpace(proof) == "" {
		return ledger.Task{}, ErrNoProof
	}
	if err := o.checkReceiver(ctx, id); err != nil {
		return ledger.Task{}, err
	}
	return o.actOnTask(ctx, ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: id, Operator: r.Actor, Text: proof, Account: account})
}

// checkReceiver refuses to take a hand-over for done that was asked for to somebody who cannot be
// given the data any more. The leaver's run asks anew then.
func (o *Operator) checkReceiver(ctx context.Context, id int64) error {
	task, err := o.Task(ctx, id)
	if err != nil {
		return err
	}
	if task.Kind != string(plan.HandOver) || !task.Unfinished() || task.Work.ToPerson == "" {
		return nil
	}
	rules, err := o.Apps.Rules(ctx)
	if err != nil {
		return nil //nolint:nilerr // an app that cannot be opened here tells nothing about the receiver
	}
	person, err := o.Ledger.Person(ctx, task.PersonID)
	if err != nil {
		return err
	}
	pending, err := rules.HandOvers(ctx, person, o.Clock.Now(), o.Ledger)
	if err != nil {
		return err
	}
	h, open := pending[task.App]
	if !open || h.To.PersonID == task.Work.ToPerson && h.To.AccountID == task.Work.To {
		return nil
	}
	if _, err := Untold(o.tell(ctx, "a receiver of data has changed", task.PersonID)); err != nil {
		return err
	}
	return refuse(fmt.Sprintf("task %d asks to give the data to somebody who cannot be given them any more: it is asked for anew in a moment", id), "task show "+strconv.FormatInt(id, 10))
}

// RefuseTask records an operator's word that a task cannot or will not be done. Its step
// then needs attention.
func (o *Operator) RefuseTask(ctx context.Context, r Request, id int64) (ledger.Task, error) {
	if err := RefuseTask.Check(r); err != nil {
		return ledger.Task{}, err
	}
	return o.actOnTask(ctx, ledger.TaskAction{Verb: ledger.VerbTaskRefuse, ID: id, Operator: r.Actor, Text: r.Reason})
}

func (o *Operator) actOnTask(ctx context.Context, a ledger.TaskAction) (ledger.Task, error) {
	a.At = o.Clock.Now()
	task, err := o.ledger.ActOnTask(ctx, a)
	var refused *ledger.TaskError
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return task, noTask(a.ID)
	case errors.As(err, &refused):
		return task, refuse(fmt.Sprintf("task %d %s", a.ID, refused.Text), "")
	case err != nil || task.Unfinished():
		return task, err
	}
	return task, o.tell(ctx, "task "+string(task.State), task.PersonID)
}

// Task reads one task.
func (v *Viewer) Task(ctx context.Context, id int64) (ledger.Task, error) {
	found, err := v.Ledger.Tasks(ctx, ledger.TaskFilter{ID: id}, 0, 1)
	if err != nil {
		return ledger.Task{}, err
	}
	if len(found) == 0 {
		return ledger.Task{}, noTask(id)
	}
	return found[0], nil
}

func noTask(id int64) error {
	return refuse(fmt.Sprintf("there is no task %d", id), "task list --state all")
}
