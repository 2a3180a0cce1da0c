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
	CodeWaiting = "waiting" // a human was asked, and has time
	CodeOverdue = "overdue" // ... and has not done it in time
	CodeRefused = "refused" // ... and says that it cannot or will not be done
)

// Why somebody is told again of a task, as metrics have it.
const (
	taskReminded = "reminded"
	taskOverdue  = "overdue"
)

// manualAsk says how a human is asked for the step, or false if the connector does it.
func (a *stepAttempt) manualAsk() (connector.Ask, bool) {
	makesItself := a.appearsAtSignIn() && a.step.Kind == plan.Provision && a.link.State != ledger.LinkDisabled
	if makesItself {
		return connector.Ask{}, false
	}
	return a.app.Ask(string(a.step.Kind))
}

// byHand asks a human for the step, sees to it that they are reminded, and finds
// out whether it is done. A task that is not finished is no failure: the code of
// what is returned then is CodeWaiting or CodeOverdue.
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

// logAsked says in the log that a human has just been asked. Nobody is told of it in
// another way, and who is to be cut off has access until somebody looks.
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

// remind reminds of a task whose time has come, or escalates it.
func (a *stepAttempt) remind(task *ledger.Task, ask connector.Ask, now time.Time) error {
	r := ledger.TaskReminder{ID: task.ID, At: now, LookAt: now.Add(max(ask.Remind, time.Minute)), Reminded: true}
	r.Overdue = !now.Before(task.DueAt)
	if task.DueAt.After(now) {
		r.LookAt = earlierOf(r.LookAt, task.DueAt)
	}
	if err := a.engine.Ledger.RemindOfTask(a.ctx, r); err != nil {
		return LedgerError(err)
	}
	what := taskReminded
	if r.Overdue {
		what = taskOverdue
	}
	a.engine.Metrics.told(a.step.App, what)
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

// work says what the human has to do.
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
		w.Revoke = a.link.Entitlements
	case plan.HandOver:
		w.To = a.d.Recipients[a.step.App]
	}
	return w
}

// alsoStrips says whether the plan also takes the account's entitlements: a human is
// not asked twice.
func (a *stepAttempt) alsoStrips() bool {
	return slices.ContainsFunc(a.d.Plan.Steps, func(s plan.Step) bool { return s.App == a.step.App && s.Kind == plan.Strip })
}

// doneByHand returns the outcome of a step that a human has reported as done.
func (a *stepAttempt) doneByHand(task ledger.Task) performed {
	proof := assess.Proof{
		Username: cmp.Or(task.Account, a.link.Username, a.d.Person.Username),
		// Nobody needs an ID that only the app knows: humans find the account by its name.
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
	}
	proven := a.proven(action, proof)
	proven.by = task.DoneBy
	proven.detail = map[string]any{"task": task.ID, "granted": a.step.Grant, "revoked": a.step.Revoke}
	if task.EndedBy != "" {
		proven.detail["confirmedBy"] = task.EndedBy
	}
	return proven
}

// handActions names what a human has done, for the audit.
var handActions = map[plan.Kind]string{
	plan.Provision: "enabled", plan.Update: "updated", plan.Disable: "disabled",
	plan.Strip: "stripped", plan.HandOver: "handed_over", plan.Delete: "deleted",
}

// appearsAtSignIn reports whether accounts of the app appear by themselves.
func (a *stepAttempt) appearsAtSignIn() bool { return a.app.Capabilities().Directory != "" }

// awaitsSignIn is the outcome of giving access to an app whose account is not there
// yet, and will be when the person signs in.
func (a *stepAttempt) awaitsSignIn() performed {
	return a.proven("appears_at_sign_in", assess.Proof{Username: cmp.Or(a.link.Username, a.d.Person.Username)})
}

// recheckIn is how long to wait before looking again whether somebody is really out of
// an app that makes accounts by itself: zero once its directory lets them in no more.
func (a *stepAttempt) recheckIn(again time.Duration) time.Duration {
	directory := a.app.Capabilities().Directory
	for _, l := range a.d.Person.Links {
		if directory != "" && l.App == directory && l.State == ledger.LinkActive {
			return a.engine.Clock.Span(again)
		}
	}
	return 0
}

// doubtWhileLetIn makes what is proven now be proven once more, if the directory still lets
// the person in. Humans are not asked for that more than daily.
func (a *stepAttempt) doubtWhileLetIn() {
	again := a.engine.Recheck
	if _, asked := a.manualAsk(); asked {
		again = max(again, 24*time.Hour)
	}
	if wait := a.recheckIn(again); wait > 0 {
		a.doubt = latestOf(a.doubt, a.engine.Clock.Now().Add(wait))
	}
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// signedIn finds the account that has appeared, by whatever is known of the person.
func (a *stepAttempt) signedIn() (connector.Account, bool, error) {
	keys := a.d.Keys
	if profile := a.d.Desired.Standing.Profile; profile != nil {
		keys.EmployeeNumber = profile.EmployeeNumber
		// Without an address the other keys have to do.
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

// waitingFor says which unfinished task a step waits for, and until when, if nothing
// has to be seen to before.
func (e *Engine) waitingFor(d decision, key string) *Waiting {
	for _, k := range d.Person.Tasks {
		if k.Key == key && k.LookAt.After(d.Now) {
			return &Waiting{Task: k.ID, Due: k.DueAt, Wait: e.Clock.Wait(k.LookAt.Sub(d.Now))}
		}
	}
	return nil
}

// Waits is how long (real time) the steps that wait for humans may be left alone, or
// false if there are none.
func (a Assessment) Waits() (time.Duration, bool) {
	shortest, any := time.Duration(0), false
	for _, t := range a.Todo {
		if t.Waiting != nil && (!any || t.Waiting.Wait < shortest) {
			shortest, any = t.Waiting.Wait, true
		}
	}
	return shortest, any
}

// FirstTask is the task that is due first, as a due; zero if there is none.
func (a Assessment) FirstTask() plan.Due {
	var first plan.Due
	for _, t := range a.Todo {
		if w := t.Waiting; w != nil && (first.At.IsZero() || w.Due.Before(first.At)) {
			first = plan.Due{At: w.Due, What: DueTask, App: t.App}
		}
	}
	return first
}

// DueTask is what is due when a human has been asked for something.
const DueTask plan.DueWhat = "task"
