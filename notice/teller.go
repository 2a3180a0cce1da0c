package notice

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Teller is a ledger that stores, with each fact that somebody has to be told, the notices of
// it, in the fact's own transaction.
//
// Whom a notice of a request goes to is taken from the votes that are stored with it, and so
// from the item itself, and never from a view of items.
type Teller struct {
	ledger.Ledger

	Book Book
}

// Tell returns a Teller, or the ledger itself if nobody can be told anything.
func Tell(l ledger.Ledger, b *Book) ledger.Ledger {
	if b == nil {
		return l
	}
	return Teller{Ledger: l, Book: *b}
}

// with returns ctx with notices of the next write.
func (t Teller) with(ctx context.Context, all ...news) context.Context {
	return ledger.WithNotices(ctx, t.Book.notices(all...)...)
}

// AskFor implements ledger.Requests.
func (t Teller) AskFor(ctx context.Context, a ledger.Asking) (ledger.Request, error) {
	r := a.Request
	all := []news{{ledger.Notice{Kind: RequestAsked, PersonID: r.PersonID, MadeAt: r.AskedAt, Occasion: stage(r), Urgent: r.Emergency}, voters(a.Asked)}}
	if r.Emergency {
		all = append(all, news{ledger.Notice{Kind: RequestEmergency, PersonID: r.PersonID, MadeAt: r.AskedAt}, t.Book.security()})
	}
	if a.Grant != nil {
		all = append(all, ending(*a.Grant, "", r.AskedAt, concerned(r))...)
	}
	return t.Ledger.AskFor(t.with(ctx, all...), a)
}

// stage tells apart what the same person is asked in several stages.
func stage(r ledger.Request) string { return fmt.Sprintf("stage %d", r.Stage) }

func voters(votes []ledger.Vote) []Recipient {
	var all []Recipient
	for _, v := range votes {
		all = append(all, ToPerson(v.Voter))
	}
	return all
}

// concerned returns who asked, and for whom.
func concerned(r ledger.Request) []Recipient { return people([]string{r.AskedBy, r.PersonID}) }

// ChangeRequest implements ledger.Requests.
func (t Teller) ChangeRequest(ctx context.Context, c ledger.RequestChange) (ledger.Request, error) {
	r := c.Request
	about := func(kind, occasion string) ledger.Notice {
		return ledger.Notice{Kind: kind, About: r.Name(), PersonID: r.PersonID, MadeAt: c.At, Occasion: occasion}
	}
	all := []news{{about(RequestAsked, stage(r)), voters(c.Asked)}}
	all[0].Urgent = r.Emergency
	decided := !r.DecidedAt.IsZero() && r.DecidedAt.Equal(c.At)
	var votes []ledger.Vote
	if c.Remind || decided {
		var err error
		if votes, err = t.Votes(ctx, r.ID); err != nil {
			return ledger.Request{}, err
		}
	}
	if c.Remind {
		all = append(all, news{about(RequestReminded, fmt.Sprintf("%s, reminder %d", stage(r), r.Reminders)), voters(waiting(votes, c))})
	}
	if decided {
		all = append(all, news{about(RequestDecided, string(r.State)), concerned(r)}, news{about(RequestSettled, ""), voters(waiting(votes, c))})
	}
	if !r.ProvenAt.IsZero() && r.ProvenAt.Equal(c.At) {
		all = append(all, news{about(RequestGranted, ""), concerned(r)})
	}
	if c.Grant != nil {
		all = append(all, ending(*c.Grant, r.Name(), c.At, concerned(r))...)
	}
	if c.End != "" {
		all = append(all, news{about(GrantEnded, "at once"), concerned(r)})
	}
	return t.Ledger.ChangeRequest(t.with(ctx, all...), c)
}

// waiting lists those who are asked in the present stage, and have said nothing before or by a
// change.
func waiting(votes []ledger.Vote, c ledger.RequestChange) (asked []ledger.Vote) {
	moot := map[string]bool{}
	for _, voter := range c.Moot {
		moot[voter] = true
	}
	if c.Vote != nil {
		moot[c.Vote.Voter] = true
	}
	for _, v := range votes {
		if v.Stage == c.Request.Stage && v.Vote == "" && v.MootAt.IsZero() && !moot[v.Voter] {
			asked = append(asked, v)
		}
	}
	return asked
}

// ending returns what is told of the end of a grant: before it, and then.
func ending(x ledger.Exception, about string, now time.Time, to []Recipient) []news {
	before := warnBefore(x.EndsAt.Sub(x.StartsAt))
	n := ledger.Notice{About: about, PersonID: x.PersonID, MadeAt: now}
	warning, end := n, n
	warning.Kind, warning.SendAt, warning.Urgent = GrantEnding, x.EndsAt.Add(-before), before < longestWarning
	end.Kind, end.SendAt, end.Urgent = GrantEnded, x.EndsAt, before < longestWarning
	return []news{{warning, to}, {end, to}}
}

// longestWarning is how long before its end somebody is told of the end of a long grant.
const longestWarning = 24 * time.Hour

// warnBefore returns how long before its end somebody is told of the end of a grant.
func warnBefore(lasts time.Duration) time.Duration { return min(longestWarning, lasts/4) }

// PlaceException implements ledger.Exceptions.
func (t Teller) PlaceException(ctx context.Context, x ledger.Exception) (ledger.Exception, error) {
	if x.Kind == exceptGrant {
		ctx = t.with(ctx, ending(x, "", x.DecidedAt, people([]string{x.PersonID}))...)
	}
	return t.Ledger.PlaceException(ctx, x)
}

// exceptGrant is the kind of an exception that gives a role.
const exceptGrant = "grant"

// EndException implements ledger.Exceptions.
func (t Teller) EndException(ctx context.Context, e ledger.ExceptionEnd) (ledger.Exception, error) {
	found, err := t.Exceptions(ctx, ledger.ExceptionFilter{ID: e.ID}, 0, 1)
	if err != nil {
		return ledger.Exception{}, err
	}
	if len(found) == 1 && found[0].Kind == exceptGrant && found[0].EndedAt.IsZero() {
		x := found[0]
		ctx = t.with(ctx, news{ledger.Notice{Kind: GrantEnded, About: x.Name(), PersonID: x.PersonID, MadeAt: e.At, Occasion: "at once"}, people([]string{x.PersonID})})
	}
	return t.Ledger.EndException(ctx, e)
}

// OpenTask implements ledger.Tasks.
func (t Teller) OpenTask(ctx context.Context, k ledger.Task) (ledger.Task, error) {
	n := ledger.Notice{Kind: TaskAsked, PersonID: k.PersonID, App: k.App, MadeAt: k.OpenedAt, Urgent: k.Kind == string(plan.Disable)}
	return t.Ledger.OpenTask(t.with(ctx, news{n, t.Book.Recipients(k.Assignee)}), k)
}

// RemindOfTask implements ledger.Tasks.
func (t Teller) RemindOfTask(ctx context.Context, r ledger.TaskReminder) error {
	found, err := t.Tasks(ctx, ledger.TaskFilter{ID: r.ID}, 0, 1)
	if err != nil {
		return err
	}
	for _, k := range found {
		n := ledger.Notice{Kind: TaskReminded, About: k.Name(), PersonID: k.PersonID, App: k.App, MadeAt: r.At, Occasion: fmt.Sprintf("reminder %d", k.Reminders+1)}
		to := t.Book.Recipients(k.Assignee)
		if r.Overdue {
			n.Kind = TaskOverdue
			to = append(to, t.Book.Recipients(k.EscalateTo)...)
		}
		ctx = t.with(ctx, news{n, to})
	}
	return t.Ledger.RemindOfTask(ctx, r)
}

// EndScan implements ledger.Scans.
func (t Teller) EndScan(ctx context.Context, end ledger.ScanEnd) error {
	if end.State != ledger.ScanDone {
		return t.Ledger.EndScan(ctx, end)
	}
	counts, err := t.newFindings(ctx, end.Scan)
	if err != nil {
		return err
	}
	for app := range counts {
		n := ledger.Notice{Kind: FindingAsked, About: aboutApp + app, App: app, MadeAt: end.At, Occasion: scanned(end.Scan)}
		ctx = t.with(ctx, news{n, t.Book.owners(app)})
	}
	return t.Ledger.EndScan(ctx, end)
}

// scanned tells apart what several scans have found.
func scanned(scan int64) string { return fmt.Sprintf("scan %d", scan) }

// newFindings counts, by app, what a scan has shown first and an operator is asked about.
func (t Teller) newFindings(ctx context.Context, scan int64) (map[string]int, error) {
	counts := map[string]int{}
	for f, err := range ledger.AllFindings(ctx, t.Ledger, ledger.FindingFilter{States: []ledger.FindingStatus{ledger.FindingOpen}}) {
		if err != nil {
			return nil, err
		}
		if f.FirstScan == scan {
			counts[f.App]++
		}
	}
	return counts, nil
}

// Admit implements ledger.Breaker. A notice is stored for each cohort that is opened.
func (t Teller) Admit(ctx context.Context, r ledger.AdmissionRequest) (ledger.Admission, error) {
	return t.Ledger.Admit(t.with(ctx, news{ledger.Notice{Kind: BreakerHeld, MadeAt: r.At}, t.Book.security()}), r)
}

// FinishStep implements ledger.Work.
func (t Teller) FinishStep(ctx context.Context, o ledger.Outcome) error {
	if o.State == ledger.StepAttention && (o.Kind == string(plan.Disable) || o.Kind == string(plan.Delete)) {
		n := ledger.Notice{Kind: CutOffAttention, About: aboutPerson + o.PersonID, PersonID: o.PersonID, App: o.App, MadeAt: o.At, Occasion: o.Key}
		ctx = t.with(ctx, news{n, t.Book.security()})
	}
	return t.Ledger.FinishStep(ctx, o)
}

// SaveAssessment implements ledger.Work. Managers are told of who starts, and of who has left.
func (t Teller) SaveAssessment(ctx context.Context, a ledger.Assessment) error {
	s := a.Summary
	if a.Period == nil || s.ManagerID == "" {
		return t.Ledger.SaveAssessment(ctx, a)
	}
	n := ledger.Notice{About: aboutPerson + s.PersonID, PersonID: s.PersonID, MadeAt: s.AssessedAt}
	recent := s.AssessedAt.Add(-lateNews)
	switch {
	case s.Status == hr.StatusUpcoming, s.Status == hr.StatusActive && a.Period.Starts.After(recent):
		n.Kind, n.Occasion = JoinerStart, occasion(a.Period.Starts)
		n.SendAt = laterOf(a.Period.Starts.Add(-readyBefore), n.MadeAt.Add(t.Book.Gather))
	case s.Status == hr.StatusEnded && a.Period.Ends.After(recent):
		n.Kind, n.Occasion = LeaverEnd, occasion(a.Period.Ends)
	default:
		return t.Ledger.SaveAssessment(ctx, a)
	}
	return t.Ledger.SaveAssessment(t.with(ctx, news{n, people([]string{s.ManagerID})}), a)
}

const (
	// lateNews is how old a start or an end may be that somebody is told of: whoever switches
	// notices on is not told of everything that ever was.
	lateNews = 48 * time.Hour
	// readyBefore is how long before a start it is told whether access is ready.
	readyBefore = 24 * time.Hour
)

// occasion tells apart what is told of several employments.
func occasion(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
