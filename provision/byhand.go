package provision

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// The error codes of steps that humans do.
const (
	CodeWaiting = "waiting" // a human was asked, and still has time
	CodeOverdue = "overdue" // ... and has not done it in time
	CodeRefused = "refused" // ... and has refused
)

// The reasons for a reminder of a task, as labels of a metric.
const (
	taskReminded = "reminded"
	taskOverdue  = "overdue"
)

// manualAsk returns how a human is asked for the step, or false if the connector does it.
func (a *stepAttempt) manualAsk() (connector.Ask, bool) {
	if a.appearsAtSignIn() && a.step.Kind == plan.Provision && a.link.State != ledger.LinkDisabled {
		return connector.Ask{}, false // nobody has to make the account
	}
	ask, asked := a.app.Ask(string(a.step.Kind))
	if !asked && a.step.Kind == plan.HandOver {
		return a.askHandOver()
	}
	return ask, asked
}

// byHand opens a task for the step, or finds the open one, reminds its assignee when it is
// time, and returns the outcome once the task is done. While it is not, the error has
// CodeWaiting or CodeOverdue: that is no failed attempt.
func (a *stepAttempt) byHand(ask connector.Ask) (performed, error) {
	now := a.engine.Clock.Now()
	task, err := a.engine.Ledger.OpenTask(a.ctx, ledger.Task{
		PersonID: a.d.Person.PersonID, App: a.step.App, Key: a.step.Key, Kind: string(a.step.Kind), Work: a.work(ask),
		Assignee: ask.Assignee, EscalateTo: ask.EscalateTo, SecondPerson: ask.SecondPerson,
		OpenedAt: now, DueAt: now.Add(ask.Within), LookAt: earlierOf(now.Add(ask.Remind), now.Add(ask.Within)),
	})
	if err != nil {
		return performed{}, LedgerError(err)
	}
	if a.step.Kind == plan.HandOver && task.Unfinished() { // what is done was done for an earlier receiver, perhaps
		if err := a.noteReceiver(a.d.HandOvers[a.step.App].To); err != nil {
			return performed{}, err
		}
	}
	if task.State == ledger.TaskOpen && task.OpenedAt.Equal(now.Truncate(time.Microsecond)) {
		a.logAsked(task)
	}
	switch task.State {
	case ledger.TaskDone:
		return a.doneByHand(task), nil
	case ledger.TaskRefused:
		return performed{}, &Error{
			Code:    CodeRefused,
			Message: fmt.Sprintf("task %d was refused: see why with 'tenure task show %d'; retry asks again, skip does without", task.ID, task.ID),
		}
	}
	if !now.Before(task.LookAt) {
		if err := a.remind(&task, ask, now); err != nil {
			return performed{}, err
		}
	}
	if !now.Before(task.DueAt) {
		return performed{}, &Error{
			Code:    CodeOverdue,
			Message: fmt.Sprintf("task %d is overdue: see whom it was given to with 'tenure task show %d'; it can still be done", task.ID, task.ID),
		}
	}
	return performed{}, &Error{Code: CodeWaiting, Message: fmt.Sprintf("task %d waits for a human", task.ID)}
}

// handOverTogether has a human hand over what the app's interface cannot, and then the app the
// rest. What the app can it also does after the human has refused, so that skipping the step
// loses nothing more. Until the human has answered, the app is not asked: an app that took long
// over it would be asked to begin again each time.
func (a *stepAttempt) handOverTogether(ask connector.Ask) (performed, error) {
	h := a.d.HandOvers[a.step.App]
	if h.To.PersonID == "" {
		if a.link.Receiver.PersonID != "" { // a human moved their part only: the app was to move the rest
			return performed{}, noReceiver(h.Why)
		}
		return a.byHand(ask)
	}
	got, err := a.byHand(ask)
	if f := ErrorOf(err); err != nil && f.Code != CodeRefused {
		return got, err
	}
	over, failed := a.handOver()
	if failed != nil || over.link.HandedOverAt.IsZero() { // it failed, or the account is gone
		return over, failed
	}
	if to := got.detail["to"]; err == nil && to != h.To.PersonID { // the human's part went to an earlier receiver
		got.detail["handTo"], got.detail["to"] = to, h.To.PersonID
	}
	return got, err
}

// logAsked logs that a human was asked. Without notices nobody is told otherwise, and a
// person who has to be cut off keeps their access until somebody sees the task.
func (a *stepAttempt) logAsked(task ledger.Task) {
	about := []zap.Field{
		zap.Int64("task", task.ID), zap.String("app", task.App), zap.String("step", task.Kind), zap.Time("due", task.DueAt),
	}
	if a.step.Kind == plan.Disable {
		a.engine.Log.Warn("a human is asked to cut somebody off", append(about, zap.Bool("urgent", a.d.Plan.Urgent))...)
		return
	}
	a.engine.Log.Info("a human is asked for something", about...)
}

// remind reminds the assignee of a task, or escalates the task if it is overdue.
func (a *stepAttempt) remind(task *ledger.Task, ask connector.Ask, now time.Time) error {
	r := ledger.TaskReminder{ID: task.ID, At: now, LookAt: now.Add(max(ask.Remind, time.Minute)), Reminded: true}
	r.Overdue = !now.Before(task.DueAt)
	if task.DueAt.After(now) {
		r.LookAt = earlierOf(r.LookAt, task.DueAt)
	}
	if err := a.engine.Ledger.RemindOfTask(a.ctx, r); err != nil {
		return LedgerError(err)
	}
	reason := taskReminded
	if r.Overdue {
		reason = taskOverdue
	}
	a.engine.Metrics.taskReminder(a.step.App, reason)
	a.engine.Log.Warn("a task waits for a human", zap.Int64("task", task.ID), zap.String("app", a.step.App),
		zap.String("step", string(a.step.Kind)), zap.Bool("overdue", r.Overdue), zap.Time("due", task.DueAt))
	task.LookAt = r.LookAt
	return nil
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// work describes what the human has to do.
func (a *stepAttempt) work(ask connector.Ask) ledger.TaskWork {
	w := ledger.TaskWork{
		Account: cmp.Or(a.link.Username, a.d.Person.Username), Why: a.step.Why, Instructions: ask.Instructions,
	}
	switch a.step.Kind {
	case plan.Provision:
		w.Enabled, w.Grant, w.Attributes = a.step.Enabled, a.step.Grant, a.d.account(a.step.App).Attributes
		w.Revoke = set.Minus(a.link.Entitlements, a.step.Grant)
	case plan.Update:
		w.Grant, w.Revoke = a.step.Grant, a.step.Revoke
		if a.step.Attributes {
			w.Attributes = a.d.account(a.step.App).Attributes
		}
	case plan.Disable:
		if a.alsoStrips() {
			w.Revoke = a.link.Entitlements
		}
	case plan.Strip:
		w.Revoke = set.Minus(a.link.Entitlements, a.step.Kept(a.link.Entitlements))
	case plan.HandOver:
		h := a.d.HandOvers[a.step.App]
		w.To, w.ToPerson, w.Could, w.Nobody = h.To.AccountID, h.To.PersonID, h.Could, h.Why
	}
	return w
}

// alsoStrips reports whether the plan also strips the account: then the task to disable it
// includes that, so that a human is not asked twice.
func (a *stepAttempt) alsoStrips() bool {
	return slices.ContainsFunc(a.d.Plan.Steps, func(s plan.Step) bool {
		return s.App == a.step.App && s.Kind == plan.Strip && len(s.Keep) == 0
	})
}

// doneByHand returns the outcome of a step that a human has reported as done.
func (a *stepAttempt) doneByHand(task ledger.Task) performed {
	proof := assess.Proof{
		Username: cmp.Or(task.Account, a.link.Username, a.d.Person.Username),
		// Humans find the account by its name, so an ID that only the app knows is not
		// needed.
		AccountID: cmp.Or(a.link.AccountID, task.Account, a.d.Person.Username, a.d.Person.PersonID),
	}
	action := handActions[a.step.Kind]
	switch a.step.Kind {
	case plan.Provision:
		proof.New = a.link.AccountID == ""
		if proof.New {
			action = "created"
		}
		if !a.step.Enabled {
			action = "prepared"
		}
	case plan.Disable:
		proof.DoubtUntil, proof.Stripped = a.doubt, a.alsoStrips()
	case plan.Strip:
		proof.Kept = a.step.Kept(a.link.Entitlements)
	}
	proven := a.proven(action, proof)
	proven.by = task.DoneBy
	proven.detail = map[string]any{"task": task.ID, "granted": a.step.Grant, "revoked": a.takenByHand()}
	if task.Work.ToPerson != "" {
		proven.detail["to"] = task.Work.ToPerson
	}
	if task.EndedBy != "" {
		proven.detail["confirmedBy"] = task.EndedBy
	}
	return proven
}

// takenByHand lists the entitlements that the account has no more once a human has done the
// step.
func (a *stepAttempt) takenByHand() []string {
	switch {
	case a.step.Kind == plan.Strip, a.step.Kind == plan.Delete, a.step.Kind == plan.Disable && a.alsoStrips():
		return a.link.Entitlements
	}
	return a.step.Revoke
}

// handActions names what a human has done, for the audit.
var handActions = map[plan.Kind]string{
	plan.Provision: "enabled", plan.Update: "updated", plan.Disable: "disabled",
	plan.Strip: "stripped", plan.HandOver: "handed_over", plan.Delete: "deleted",
}

// appearsAtSignIn reports whether accounts of the app appear when people sign in.
func (a *stepAttempt) appearsAtSignIn() bool { return a.app.Capabilities().Directory != "" }

// awaitsSignIn returns the outcome of giving access in an app whose account will appear when
// the person signs in.
func (a *stepAttempt) awaitsSignIn() performed {
	return a.proven("appears_at_sign_in", assess.Proof{Username: cmp.Or(a.link.Username, a.d.Person.Username)})
}

// letIn reports whether the directory by which people sign in to the app still lets the
// person in.
func (a *stepAttempt) letIn() bool {
	return a.appearsAtSignIn() && a.d.link(a.app.Capabilities().Directory).State == ledger.LinkActive
}

// doubtWhileLetIn has the account proven off once more later if the directory still lets the
// person in: they could sign in again. Humans are asked for that once a day at most.
func (a *stepAttempt) doubtWhileLetIn() {
	if !a.letIn() {
		return
	}
	again := a.engine.Recheck
	if _, manual := a.manualAsk(); manual {
		again = max(again, 24*time.Hour)
	}
	if until := a.engine.Clock.Now().Add(a.engine.Clock.Span(again)); until.After(a.doubt) {
		a.doubt = until
	}
}

// signedIn finds the account that has appeared, by all that is known of the person.
func (a *stepAttempt) signedIn() (connector.Account, bool, error) {
	keys := a.d.Keys
	if profile := a.d.Desired.Standing.Profile; profile != nil {
		keys.EmployeeNumber = profile.EmployeeNumber
		// If policy gives no address, the other keys have to do.
		keys.Email, _ = a.engine.Policy.Email(policy.Identity{PersonID: a.d.Person.PersonID, Username: a.d.Person.Username}, *profile)
	}
	matches, err := a.find(keys)
	if err != nil || len(matches) == 0 {
		return connector.Account{}, false, err
	}
	if len(matches) > 1 {
		return connector.Account{}, false, ambiguous()
	}
	return matches[0].Account, true, nil
}

// answered reports whether a step was in attention only because a human was late, and the
// human has answered since: then it is tried at once, and not when it is rechecked.
func (d decision) answered(s ledger.Step) bool {
	return s.Code == CodeOverdue && !slices.ContainsFunc(d.Person.Tasks, func(k ledger.Task) bool { return k.Key == s.Key })
}

// waitingFor returns the unfinished task that a step waits for, or nil if there is none or
// it needs a reminder now.
func (e *Engine) waitingFor(d decision, key string) *Waiting {
	for _, k := range d.Person.Tasks {
		if k.Key == key && k.LookAt.After(d.Now) && !d.forAnother(k) {
			return &Waiting{Task: k.ID, Due: k.DueAt, Wait: e.Clock.Wait(k.LookAt.Sub(d.Now))}
		}
	}
	return nil
}

// forAnother reports whether a task names another person to whom data go than there is by now. The
// step renews it then.
func (d decision) forAnother(k ledger.Task) bool {
	to := d.HandOvers[k.App].To
	return k.Kind == string(plan.HandOver) && (k.Work.ToPerson != to.PersonID || k.Work.To != to.AccountID)
}

// Waits returns how long (real time) it takes until the first task of the steps needs a
// reminder, or the first operation a look, or false if no step waits for either.
func (a Assessment) Waits() (time.Duration, bool) {
	shortest, any := time.Duration(0), false
	for _, t := range a.Todo {
		if t.Waiting != nil && (!any || t.Waiting.Wait < shortest) {
			shortest, any = t.Waiting.Wait, true
		}
	}
	return shortest, any
}

// FirstTask returns when the first task is due; zero if there is none.
func (a Assessment) FirstTask() plan.Due {
	var first plan.Due
	for _, t := range a.Todo {
		if w := t.Waiting; w != nil && w.Task != 0 && (first.At.IsZero() || w.Due.Before(first.At)) {
			first = plan.Due{At: w.Due, What: DueTask, App: t.App}
		}
	}
	return first
}

// DueTask is the name of a due that is the deadline of a task.
const DueTask plan.DueWhat = "task"
