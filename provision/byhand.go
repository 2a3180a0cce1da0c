package provision

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
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

// asked says how a human is asked for the step, or false if the connector does it.
func (t *task) asked() (connector.Ask, bool) {
	makesItself := t.appears() && t.step.Kind == plan.Provision && t.link.State != ledger.LinkDisabled
	if makesItself {
		return connector.Ask{}, false
	}
	return t.app.Ask(string(t.step.Kind))
}

// byHand asks a human for the step, sees to it that they are reminded, and finds
// out whether it is done. A task that is not finished is no failure: the code of
// what is returned then is CodeWaiting or CodeOverdue.
func (t *task) byHand(ask connector.Ask) (done, error) {
	now := t.a.Clock.Now()
	task, err := t.a.Ledger.OpenTask(t.ctx, ledger.Task{
		PersonID: t.d.Person.PersonID, App: t.step.App, Key: t.step.Key, Kind: string(t.step.Kind), Work: t.work(ask),
		Assignee: ask.Assignee, EscalateTo: ask.EscalateTo, SecondPerson: ask.SecondPerson,
		OpenedAt: now, DueAt: now.Add(ask.Within), LookAt: earlierOf(now.Add(ask.Remind), now.Add(ask.Within)),
	})
	if err != nil {
		return done{}, LedgerError(err)
	}
	if task.State == ledger.TaskOpen && task.OpenedAt.Equal(now.Truncate(time.Microsecond)) {
		t.sayAsked(task)
	}
	switch task.State {
	case ledger.TaskDone:
		return t.tookWord(task), nil
	case ledger.TaskRefused:
		return done{}, &Error{
			Code:    CodeRefused,
			Message: fmt.Sprintf("task %d was refused: see why with 'tenure task show %d'; retry asks again, skip does without", task.ID, task.ID),
		}
	}
	if !now.Before(task.LookAt) {
		if err := t.remind(&task, ask, now); err != nil {
			return done{}, err
		}
	}
	if !now.Before(task.DueAt) {
		return done{}, &Error{
			Code:    CodeOverdue,
			Message: fmt.Sprintf("task %d is overdue: see whom it was given to with 'tenure task show %d'; it can still be done", task.ID, task.ID),
		}
	}
	return done{}, &Error{Code: CodeWaiting, Message: fmt.Sprintf("task %d waits for a human", task.ID)}
}

// sayAsked says in the log that a human has just been asked. Nobody is told of it in
// another way, and who is to be cut off has access until somebody looks.
func (t *task) sayAsked(task ledger.Task) {
	about := []zap.Field{
		zap.Int64("task", task.ID), zap.String("app", task.App), zap.String("step", task.Kind), zap.Time("due", task.DueAt),
	}
	if t.step.Kind == plan.Disable {
		t.a.Log.Warn("a human is asked to cut somebody off", append(about, zap.Bool("urgent", t.d.Plan.Urgent))...)
		return
	}
	t.a.Log.Info("a human is asked for something", about...)
}

// remind reminds of a task whose time has come, or escalates it.
func (t *task) remind(task *ledger.Task, ask connector.Ask, now time.Time) error {
	r := ledger.TaskReminder{ID: task.ID, At: now, LookAt: now.Add(max(ask.Remind, time.Minute)), Reminded: true}
	r.Overdue = !now.Before(task.DueAt)
	if task.DueAt.After(now) {
		r.LookAt = earlierOf(r.LookAt, task.DueAt)
	}
	if err := t.a.Ledger.RemindOfTask(t.ctx, r); err != nil {
		return LedgerError(err)
	}
	what := taskReminded
	if r.Overdue {
		what = taskOverdue
	}
	t.a.Metrics.told(t.step.App, what)
	t.a.Log.Warn("a task waits for a human", zap.Int64("task", task.ID), zap.String("app", t.step.App),
		zap.String("step", string(t.step.Kind)), zap.Bool("overdue", r.Overdue), zap.Time("due", task.DueAt))
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
func (t *task) work(ask connector.Ask) ledger.TaskWork {
	w := ledger.TaskWork{
		Account: cmp.Or(t.link.Username, t.d.Person.Username), Why: t.step.Why, Instructions: ask.Instructions,
	}
	switch t.step.Kind {
	case plan.Provision:
		w.Enabled, w.Grant, w.Attributes = t.step.Enabled, t.step.Grant, t.d.account(t.step.App).Attributes
		w.Revoke = without(t.link.Entitlements, t.step.Grant)
	case plan.Update:
		w.Grant, w.Revoke = t.step.Grant, t.step.Revoke
		if t.step.Attributes {
			w.Attributes = t.d.account(t.step.App).Attributes
		}
	case plan.Disable:
		if t.stripsToo() {
			w.Revoke = t.link.Entitlements
		}
	case plan.Strip:
		w.Revoke = t.link.Entitlements
	case plan.HandOver:
		w.To = t.d.Recipients[t.step.App]
	}
	return w
}

// stripsToo says whether the plan also takes the account's entitlements: a human is
// not asked twice.
func (t *task) stripsToo() bool {
	return slices.ContainsFunc(t.d.Plan.Steps, func(s plan.Step) bool { return s.App == t.step.App && s.Kind == plan.Strip })
}

// tookWord is what the link is once a human has said that the step is done.
func (t *task) tookWord(task ledger.Task) done {
	link := t.link
	now := t.a.Clock.Now()
	link.ProvenAt, link.DoubtUntil, link.Creating = now, time.Time{}, ledger.Creation{}
	link.Username = cmp.Or(task.Account, link.Username, t.d.Person.Username)
	// What is not known of the account is not needed: humans find it by its name.
	link.AccountID = cmp.Or(link.AccountID, task.Account, t.d.Person.Username, t.d.Person.PersonID)
	d := done{detail: map[string]any{"task": task.ID, "granted": t.step.Grant, "revoked": t.step.Revoke}, by: task.DoneBy}
	if task.EndedBy != "" {
		d.detail["confirmedBy"] = task.EndedBy
	}
	switch t.step.Kind {
	case plan.Provision:
		d.action = "enabled"
		if t.link.AccountID == "" {
			d.action, d.created, link.CreatedAt = "created", true, now
		}
		link.State, link.DisabledAt, link.StrippedAt, link.HandedOverAt, link.DeletedAt = ledger.LinkActive, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if !t.step.Enabled {
			d.action, link.State, link.DisabledAt = "prepared", ledger.LinkDisabled, now
		}
		link.Attributes, link.Entitlements = policy.Digest(t.d.account(t.step.App).Attributes), t.step.Grant
	case plan.Update:
		d.action = "updated"
		want := t.d.account(t.step.App)
		link.Attributes, link.Entitlements = policy.Digest(want.Attributes), namesOf(want.Entitlements)
	case plan.Disable:
		d.action, link.DoubtUntil = "disabled", t.doubt
		if link.State != ledger.LinkDisabled {
			link.DisabledAt, link.StrippedAt, link.HandedOverAt = now, time.Time{}, time.Time{}
		}
		link.State = ledger.LinkDisabled
		if t.stripsToo() {
			link.Entitlements, link.StrippedAt = nil, now
		}
	case plan.Strip:
		d.action, link.Entitlements, link.StrippedAt = "stripped", nil, now
	case plan.HandOver:
		d.action, link.HandedOverAt = "handed_over", now
	case plan.Delete:
		d.action = "deleted"
		link.State, link.DeletedAt, link.AccountID, link.Attributes, link.Entitlements = ledger.LinkDeleted, now, "", "", nil
	}
	d.link = link
	return d
}

// appears reports whether accounts of the app appear by themselves.
func (t *task) appears() bool { return t.app.Capabilities().Directory != "" }

// whenSignedIn is the outcome of giving access to an app whose account is not there
// yet, and will be when the person signs in.
func (t *task) whenSignedIn(want policy.Account) done {
	link := t.link
	link.ProvenAt = t.a.Clock.Now()
	link.Username = cmp.Or(link.Username, t.d.Person.Username)
	link.Attributes, link.Entitlements = policy.Digest(want.Attributes), namesOf(want.Entitlements)
	link.StrippedAt, link.HandedOverAt, link.DisabledAt, link.DeletedAt, link.DoubtUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	link.State = ledger.LinkActive
	if t.step.Kind == plan.Provision && !t.step.Enabled {
		link.State, link.DisabledAt = ledger.LinkDisabled, link.ProvenAt
	}
	return done{link: link, action: "appears_at_sign_in"}
}

// letsIn is how long to wait before looking again whether somebody is really out of
// an app that makes accounts by itself: zero once its directory lets them in no more.
func (t *task) letsIn(again time.Duration) time.Duration {
	directory := t.app.Capabilities().Directory
	for _, l := range t.d.Person.Links {
		if directory != "" && l.App == directory && l.State == ledger.LinkActive {
			return t.a.Clock.Span(again)
		}
	}
	return 0
}

// doubts makes what is proven now be proven once more, if the directory still lets
// the person in. Humans are not asked for that more than daily.
func (t *task) doubts() {
	again := t.a.Recheck
	if _, asked := t.asked(); asked {
		again = max(again, 24*time.Hour)
	}
	if wait := t.letsIn(again); wait > 0 {
		t.doubt = latestOf(t.doubt, t.a.Clock.Now().Add(wait))
	}
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// signedIn finds the account that has appeared, by whatever is known of the person.
func (t *task) signedIn() (connector.Account, bool, error) {
	keys := t.d.Keys
	if profile := t.d.Desired.Standing.Profile; profile != nil {
		keys.EmployeeNumber = profile.EmployeeNumber
		// Without an address the other keys have to do.
		keys.Email, _ = t.a.Policy.Email(policy.Identity{PersonID: t.d.Person.PersonID, Username: t.d.Person.Username}, *profile)
	}
	matches, err := t.find(keys)
	if err != nil || len(matches) == 0 {
		return connector.Account{}, false, err
	}
	if len(matches) > 1 {
		return connector.Account{}, false, ambiguous()
	}
	return matches[0].Account, true, nil
}

// namesOf are the names of entitlements.
func namesOf(list []policy.Entitlement) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// waitingFor says which unfinished task a step waits for, and until when, if nothing
// has to be seen to before.
func (a *Engine) waitingFor(d decision, key string) *Waiting {
	for _, k := range d.Person.Tasks {
		if k.Key == key && k.LookAt.After(d.Now) {
			return &Waiting{Task: k.ID, Due: k.DueAt, Wait: a.Clock.Wait(k.LookAt.Sub(d.Now))}
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
