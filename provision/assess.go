package provision

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// workingFor is how long (real time) the sweeper leaves a run alone that has steps to
// apply.
const workingFor = 5 * time.Minute

// The codes of questions: matters that need an operator and are not about a step.
const (
	// CodePolicy means that policy could not be evaluated for the person.
	CodePolicy = "policy"
	// CodeDeadLetter means that a record that would have ended the person's access could
	// not be read, and had no effect.
	CodeDeadLetter = "dead_letter"
	// CodeContested means that the person's account is linked to somebody else too.
	CodeContested = "contested"
)

// The prefixes of the keys of questions that an operator may waive.
const (
	conflictKey = "conflict/"
	letterKey   = "dead-letter/"
	// protectedKey is followed by a step's key. No app has a colon in its name.
	protectedKey = "protected:"
	// contestedKey is followed by an app's name.
	contestedKey = "contested:"
)

// Waivable reports whether an operator may waive the question with this key.
func Waivable(key string) bool {
	return slices.ContainsFunc(waivable, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// waivable lists the prefixes of the keys of such questions.
var waivable = []string{conflictKey, letterKey, protectedKey, assess.SameHumanPrefix, contestedKey, assess.DutyPrefix}

// questions maps each conflict to what it means and what an operator can do about it.
var questions = map[hr.ConflictCode]string{
	hr.ConflictHiredAfterEnd: "HR says hired after the employment had ended. If it is a rehire, let HR send 'rehired'; " +
		"if a mistake, let HR rescind it or skip this",
	hr.ConflictLaterTermination: "HR gave a second termination with a later last day. The earlier one holds; " +
		"to postpone the end let HR rescind the first, else skip this",
	hr.ConflictLeaveWithinLeave: "HR announced a leave that begins within another one. The first one holds: they are off from its first day. " +
		"If it was postponed, let HR rescind it; if they come back in between, let HR send 'leave_ended'. If all is right, skip this",
	hr.ConflictChangedAfterEnd: "HR changed somebody whose contract had ended by then. To give access again let HR send " +
		"'rehired', or rescind what gave the end date; else skip this",
	hr.ConflictUnknownPosition: "HR names a position that they do not hold, so the event has no effect. If they have another one, " +
		"let HR send 'hired' with its positionId; if one of theirs is meant, let HR name it; to end all, 'terminated' without positionId. Else skip this",
	hr.ConflictLeaveOfPosition: "HR says that they are on leave from one of several positions, so the event has no effect. If they are off from all of them, " +
		"let HR send the leave without positionId; if the position ends, 'terminated' with it. Else skip this",
	hr.ConflictAdditionalJob: "HR's record does not fit what is known of their additional jobs: it lists one that had ended, or says that one has ended and " +
		"does not list the others. Their jobs stay as they were. Let HR send a record that lists all of their jobs; a job that is held again needs a later " +
		"start date, or a rescind of what ended it. If all is right, skip this",
	hr.ConflictNoEffect: "HR's termination was received after an event that keeps it from ending access (a rehire, another termination or a " +
		"rescind). See 'tenure person timeline'; if their access is to end, let HR send it again or suspend them, else skip this",
	hr.ConflictRecordedAhead: "A record's time lies minutes after its receipt: the clock of its sender is wrong, or the record is. " +
		"It counts from its receipt. Have the sender's clock corrected, check that this is what HR means, and skip this",
	hr.ConflictReinstatedByOther: "This person was reinstated by a source that had not suspended them, so they stay cut off. " +
		"Let the system that suspended them reinstate them, or run 'tenure person reinstate'; else skip this",
	hr.ConflictSuspendedLate: "A suspension was received after the reinstatement that ends it, by the numbers that their source gave them, so they have access. " +
		"If they are to be cut off, run 'tenure person suspend'; else skip this",
	hr.ConflictRescindsSecurity: "HR rescinded a suspension (or its end), which HR cannot do, so the event has no effect. " +
		"To end a suspension run 'tenure person reinstate'; else skip this",
}

// ErrUnknownPerson means that the ledger has nothing about a person.
var ErrUnknownPerson = errors.New("nothing is known of this person")

// Assess decides what has to be done for a person, stores the steps and questions, and
// returns what their run needs to know. The caller chooses how and where the steps are run.
// The error is an *Error, or ErrUnknownPerson.
func (e *Engine) Assess(ctx context.Context, personID string) (Assessment, error) {
	d, err := e.decide(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) {
		return Assessment{}, ErrUnknownPerson
	}
	if err != nil {
		return Assessment{}, LedgerError(err)
	}
	if linked, err := e.linkCertain(ctx, d); err != nil {
		return Assessment{}, LedgerError(err)
	} else if linked {
		return e.Assess(ctx, personID)
	}
	out := Assessment{
		Status: d.Desired.Standing.Status,
		Change: d.Plan.Change,
		Urgent: d.Plan.Urgent,
		Due:    d.Plan.Due,
		Seq:    d.Person.LastSeq,
	}
	out.Due.Local = d.local(out.Due.At)
	gate, err := e.admitAll(ctx, d)
	if err != nil {
		return Assessment{}, LedgerError(err)
	}
	known := set.Index(d.Person.Steps, func(s ledger.Step) string { return s.Key })
	for _, step := range gate.open(d.Plan) {
		todo := Todo{Step: step}
		if s := known[step.Key]; s.State == ledger.StepAttention && !d.answered(s) && !d.withoutHandOver(s) {
			todo.Attention = &Attention{Key: s.Key, App: s.App, Code: s.Code, Message: s.Message}
		}
		if todo.Waiting = e.waitingFor(d, step.Key); todo.Waiting == nil {
			todo.Waiting = e.awaits(d, known[step.Key])
		}
		out.Todo = append(out.Todo, todo)
	}
	out.Held, out.Settle = gate.held, e.Clock.Wait(gate.settle)
	if len(out.Todo) == 0 && !out.HeldBack() {
		out.Change, out.Urgent = plan.None, false // an operator refused all of it
	}
	for _, s := range d.Person.Steps {
		if s.State == ledger.StepSkipped {
			out.Skipped = append(out.Skipped, s.Key)
		}
	}
	out.Questions = d.questions()
	if out.NeedsAttention() {
		out.Recheck = e.Recheck
	}
	if !out.Due.At.IsZero() {
		out.Wait = e.Clock.Wait(out.Due.At.Sub(d.Now))
	}
	record := e.record(d, out)
	record.Approvals, record.Lapsed = d.approvals()
	record.LapsedSkips, record.LapsedExceptions = d.LapsedSkips, d.LapsedExceptions
	for _, r := range d.Person.Retentions {
		if assess.Lapsed(r, d.Desired.Standing, d.Now) {
			record.LapsedRetentions = append(record.LapsedRetentions, r.ID)
		}
	}
	if err := e.Ledger.SaveAssessment(ctx, record); err != nil {
		return Assessment{}, LedgerError(err)
	}
	e.remind(d)
	return out, nil
}

// questions returns the questions that an operator has to settle.
func (d decision) questions() []Attention {
	var out []Attention
	for _, c := range d.Timeline.Conflicts {
		out = append(out, Attention{Key: conflictKey + string(c.Code) + "/" + c.Event.ID, Code: string(c.Code), Message: questions[c.Code]})
	}
	for _, l := range d.Person.Letters {
		if l.Urgent {
			out = append(out, letterQuestion(l))
		}
	}
	for _, l := range d.Person.Links {
		if l.Contested {
			out = append(out, Attention{Key: contestedKey + l.App, App: l.App, Code: CodeContested, Message: "the account is linked to several people, so that " +
				"it is disabled for all when one of them leaves: see whose it is with 'tenure app accounts " + l.App + "', and unlink the others with 'tenure app unlink'"})
		}
	}
	for _, s := range d.Plan.Withheld {
		if d.asksAbout(s) {
			out = append(out, Attention{Key: protectedKey + s.Key, App: s.App, Code: CodeProtected, Message: d.withheldBecause(s)})
		}
	}
	for _, s := range d.SameHumans {
		out = append(out, sameQuestion(s))
	}
	out = append(out, d.handOverQuestions()...)
	out = append(out, d.dutyQuestions()...)
	out = slices.DeleteFunc(out, func(q Attention) bool { return slices.Contains(d.Person.Waivers, q.Key) })
	if d.PolicyErr != nil {
		out = append(out, Attention{Key: "policy", Code: CodePolicy, Message: d.PolicyErr.Error()})
	}
	return out
}

// letterQuestion asks what to do about an urgent dead letter.
func letterQuestion(l ledger.DeadLetter) Attention {
	id := strconv.FormatInt(l.ID, 10)
	q := Attention{Key: letterKey + id, Code: CodeDeadLetter}
	if l.State == ledger.LetterRedriven {
		q.Message = "Dead letter " + id + " would end this person's access. It was sent again, and has not arrived yet: " +
			"check that the starter is running"
		return q
	}
	q.Message = "A record that would have ended this person's access could not be used (" + l.Reason + "), so their access is unchanged. " +
		"See it with 'tenure dlq show " + id + "', then redrive it (corrected) or discard it; or let HR send it again and skip this"
	return q
}

// NeedsAttention reports whether anything needs an operator.
func (a Assessment) NeedsAttention() bool {
	return len(a.Questions) > 0 || slices.ContainsFunc(a.Todo, func(t Todo) bool { return t.Attention != nil })
}

// HeldBack reports whether there are steps that the breaker does not let pass yet.
func (a Assessment) HeldBack() bool {
	return a.Settle > 0 || slices.ContainsFunc(a.Held, func(h Held) bool { return h.Key != "" })
}

// record returns what the ledger stores of an assessment.
func (e *Engine) record(d decision, out Assessment) ledger.Assessment {
	summary := d.Person.Summary
	summary.Status = out.Status
	summary.AssessedAt = d.Now
	if profile := d.Desired.Standing.Profile; profile != nil {
		summary.GivenName, summary.FamilyName = profile.GivenName, profile.FamilyName
		summary.Department, summary.JobTitle = profile.Department, profile.JobTitle
		summary.ManagerID = profile.ManagerID
	}
	summary.Waits = d.waits()
	summary.DueAt, summary.DueWhat = out.Due.At, string(out.Due.What)
	if len(out.Todo)+len(out.Questions) > 0 {
		// Until then the run is expected to be at work, or to wait for a human.
		waits, _ := out.Waits()
		summary.DueAt, summary.DueWhat = d.Now.Add(e.Clock.Span(workingFor+max(waits, out.Recheck))), ledger.DueWorking
	} else if out.HeldBack() {
		summary.DueAt, summary.DueWhat = e.pending(d.Now, out)
	}

	record := ledger.Assessment{Summary: summary, Period: d.Desired.Standing.Period, Identifiers: assess.Identifiers(d.Keys)}
	record.AtWork = slices.ContainsFunc(out.Todo, func(t Todo) bool { return t.Attention == nil && t.Waiting == nil })
	links := set.Index(d.Person.Links, func(l ledger.Link) string { return l.App })
	for _, todo := range out.Todo {
		record.Steps = append(record.Steps, ledger.Step{
			PersonID: summary.PersonID, Key: todo.Key, App: todo.App, Kind: string(todo.Kind),
			State: ledger.StepOpen, PlannedAt: d.Now,
		})
		state := links[todo.App].State
		if todo.Kind == plan.Provision && (state == "" || state == ledger.LinkDeleted) {
			record.Planned = append(record.Planned, ledger.Link{
				PersonID: summary.PersonID, App: todo.App, Username: d.Person.Username, State: ledger.LinkPlanned,
			})
		}
	}
	for _, q := range out.Questions {
		kind := "Question"
		if slices.ContainsFunc(d.Plan.ByDelete, func(s plan.Step) bool { return s.Key == q.Key }) {
			kind = string(plan.HandOver)
		}
		record.Steps = append(record.Steps, ledger.Step{
			PersonID: summary.PersonID, Key: q.Key, App: q.App, Kind: kind,
			State: ledger.StepAttention, Code: q.Code, Message: q.Message, PlannedAt: d.Now,
		})
	}
	record.Audit = append(d.withheld(out.Questions), d.leaves(out.Todo)...)
	return record
}

// pending returns when the sweeper has to look at a person who waits for the breaker. Their
// run waits by itself: this is for a run that was ended, or was not told.
func (e *Engine) pending(now time.Time, out Assessment) (at time.Time, what string) {
	at, what = now.Add(e.Clock.Span(workingFor+e.Recheck)), ledger.DueBreaker
	if out.Settle > 0 {
		at, what = now.Add(e.Clock.Span(workingFor+out.Settle)), ledger.DueWorking
	}
	if due := out.Due.At; !due.IsZero() && due.Before(at) {
		return due, string(out.Due.What)
	}
	return at, what
}

// local formats an instant in the person's time zone. It returns nothing if that zone is UTC
// or unknown.
func (d decision) local(at time.Time) string {
	profile := d.Desired.Standing.Profile
	if profile == nil || at.IsZero() {
		return ""
	}
	zone, err := hr.LoadZone(profile.Location.TimeZone)
	if err != nil || zone == time.UTC {
		return ""
	}
	return at.In(zone).Format("2006-01-02 15:04 MST")
}
