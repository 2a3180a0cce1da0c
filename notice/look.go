package notice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Finding is what was found about a notice that is about to be sent.
type Finding struct {
	Data  Private
	Moot  string    // why it is not sent; empty: it is
	Later time.Time // when to look again instead; zero: now it is sent
}

// moot returns that a notice is not sent, and why.
func moot(why string) (Finding, error) { return Finding{Moot: why}, nil }

// look holds what looking at one notice needs.
type look struct {
	ledger.Notice

	in        Registry
	now       time.Time
	recipient string // ID of the person whom it goes to; empty: a channel or a mailbox
}

// Look finds out what a notice has to say as of now, or why it is not sent.
func Look(ctx context.Context, in Registry, n ledger.Notice, now time.Time) (Finding, error) {
	kind, ok := KindOf(n.Kind)
	if !ok {
		return moot("there is no such kind of notice in this version")
	}
	id, _ := Recipient(n.To).Person()
	found, err := kind.look(ctx, look{Notice: n, in: in, now: now, recipient: id})
	if errors.Is(err, ledger.ErrNotFound) {
		return moot("what it is about is not there")
	}
	if err != nil || found.Moot != "" {
		return found, err
	}
	found.Data.About, found.Data.Person = aboutOf(n), n.PersonID
	found.Data.App = cmp.Or(found.Data.App, n.App)
	if n.PersonID != "" && found.Data.Who == "" {
		found.Data.Who, err = nameOf(ctx, in, n.PersonID, now)
	}
	for _, text := range found.Data.typed() {
		*text = visible.Line(strings.Join(strings.Fields(*text), " "))
	}
	return found, err
}

// typed lists the texts that somebody outside has typed. Each is shown as one line, so that none
// can look like something that Tenure says.
func (p *Private) typed() []*string {
	return []*string{&p.Who, &p.AskedBy, &p.Reason, &p.Ticket, &p.Answer, &p.Account}
}

// command returns a command that can be copied into a shell, whatever an ID holds.
func command(format string, args ...string) string {
	quoted := make([]any, len(args))
	for i, arg := range args {
		quoted[i] = visible.Quoted(arg)
	}
	return fmt.Sprintf(format, quoted...)
}

// nameOf returns somebody's name as of an instant, or their ID if they have none.
func nameOf(ctx context.Context, in Registry, id string, at time.Time) (string, error) {
	p, err := in.Person(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return id, nil
	}
	if err != nil {
		return "", err
	}
	given, family := p.GivenName, p.FamilyName
	if profile := assess.TimelineOf(p).At(at).Profile; profile != nil {
		given, family = profile.GivenName, profile.FamilyName
	}
	return cmp.Or(strings.TrimSpace(given+" "+family), id), nil
}

// request reads the request that the notice is about.
func (l look) request(ctx context.Context) (ledger.Request, error) {
	id, ok := ledger.RequestID(l.About)
	if !ok {
		return ledger.Request{}, ledger.ErrNotFound
	}
	found, err := l.in.Requests(ctx, ledger.RequestFilter{ID: id}, 0, 1)
	if err == nil && len(found) == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Request{}, err
	}
	return found[0], nil
}

// describe returns what is said of a request.
func (l look) describe(ctx context.Context, r ledger.Request) (Private, error) {
	data := Private{
		Public: Public{Role: r.Role, State: string(r.State), Until: r.ExpiresAt, At: r.StartsAt, Commands: []string{"tenure request show " + r.Name()}},
		For:    spell(r.For), Reason: r.Reason, Ticket: r.Ticket, Answer: r.Why,
	}
	var err error
	data.AskedBy, err = nameOf(ctx, l.in, r.AskedBy, l.now)
	return data, err
}

// lookAsked looks at a request about which somebody is asked.
func lookAsked(ctx context.Context, l look) (Finding, error) {
	r, err := l.request(ctx)
	if err != nil {
		return Finding{}, err
	}
	if !r.Undecided() {
		return moot("the request is decided")
	}
	votes, err := l.in.Votes(ctx, r.ID)
	if err != nil {
		return Finding{}, err
	}
	asked := slices.ContainsFunc(votes, func(v ledger.Vote) bool {
		return v.Stage == r.Stage && v.Voter == l.recipient && v.Vote == "" && v.MootAt.IsZero()
	})
	if !asked {
		return moot("they are no longer asked, or have answered")
	}
	data, err := l.describe(ctx, r)
	verbs := []string{"approve", "deny"}
	if r.Emergency {
		verbs = []string{"confirm", "dispute"}
	}
	for _, verb := range verbs {
		data.Commands = append(data.Commands, "tenure request "+verb+" "+r.Name())
	}
	return Finding{Data: data}, err
}

// lookRequest looks at a request that somebody hears of, whatever has become of it.
func lookRequest(ctx context.Context, l look) (Finding, error) {
	r, err := l.request(ctx)
	if err != nil {
		return Finding{}, err
	}
	data, err := l.describe(ctx, r)
	if err != nil || r.Exception == 0 {
		return Finding{Data: data}, err
	}
	x, err := l.exception(ctx, r.Exception)
	data.At, data.Until = x.StartsAt, x.EndsAt
	return Finding{Data: data}, err
}

// lookSettled looks at a request that was decided by others than those who were asked.
func lookSettled(ctx context.Context, l look) (Finding, error) {
	told, err := l.in.Notices(ctx, ledger.NoticeFilter{
		Kind: RequestAsked, About: l.About, To: l.To, States: []ledger.NoticeState{ledger.NoticeSent},
	}, 0, 1)
	if err != nil || len(told) == 0 {
		return Finding{Moot: "they were not told that it waits for them"}, err
	}
	return lookRequest(ctx, l)
}

// lookGranted looks at a grant that is there.
func lookGranted(ctx context.Context, l look) (Finding, error) {
	x, err := l.grant(ctx)
	if err != nil {
		return Finding{}, err
	}
	if !x.EndedAt.IsZero() || !x.EndsAt.After(l.now) {
		return moot("the grant has ended")
	}
	return Finding{Data: l.ofGrant(x)}, nil
}

func (l look) exception(ctx context.Context, id int64) (ledger.Exception, error) {
	found, err := l.in.Exceptions(ctx, ledger.ExceptionFilter{ID: id}, 0, 1)
	if err == nil && len(found) == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Exception{}, err
	}
	return found[0], nil
}

// grant reads the grant that the notice is about: an exception, or that of a request.
func (l look) grant(ctx context.Context) (ledger.Exception, error) {
	if id, ok := ledger.ExceptionID(l.About); ok {
		return l.exception(ctx, id)
	}
	r, err := l.request(ctx)
	if err == nil && r.Exception == 0 {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Exception{}, err
	}
	return l.exception(ctx, r.Exception)
}

func (l look) ofGrant(x ledger.Exception) Private {
	data := Private{Public: Public{Role: x.Role, At: x.StartsAt, Until: x.EndsAt, Commands: []string{"tenure exception show " + x.Name()}}}
	if !x.EndedAt.IsZero() {
		data.Until = x.EndedAt
	}
	return data
}

// goesOn reports whether another grant gives the same role at an instant.
func (l look) goesOn(ctx context.Context, x ledger.Exception, at time.Time) (bool, error) {
	for other, err := range ledger.AllExceptions(ctx, l.in, ledger.ExceptionFilter{PersonID: x.PersonID, Kind: exceptGrant, Role: x.Role, Open: true}, 0) {
		if err != nil {
			return false, err
		}
		if other.ID != x.ID && !other.StartsAt.After(at) && other.EndsAt.After(at) {
			return true, nil
		}
	}
	return false, nil
}

// lookEnding looks at a grant that ends soon.
func lookEnding(ctx context.Context, l look) (Finding, error) {
	x, err := l.grant(ctx)
	if err != nil {
		return Finding{}, err
	}
	if !x.EndedAt.IsZero() || !x.EndsAt.After(l.now) {
		return moot("the grant has ended")
	}
	if on, err := l.goesOn(ctx, x, x.EndsAt); err != nil || on {
		return Finding{Moot: "another grant goes on"}, err
	}
	data := l.ofGrant(x)
	data.Commands = append(data.Commands, command("tenure request new %s %s --extend %s", x.PersonID, x.Role, x.Name()))
	return Finding{Data: data}, nil
}

// lookEnded looks at a grant that has ended.
func lookEnded(ctx context.Context, l look) (Finding, error) {
	x, err := l.grant(ctx)
	if err != nil {
		return Finding{}, err
	}
	ended := cmp.Or(x.EndedAt, x.EndsAt)
	if x.EndedAt.IsZero() && x.EndsAt.After(l.now) {
		return Finding{Later: x.EndsAt}, nil
	}
	if l.Occasion == "" && !x.EndedAt.IsZero() && x.EndedAt.Before(x.EndsAt) && x.EndedBy != ledger.ActorTenure {
		return moot("it was ended before its time, which was told then")
	}
	if on, err := l.goesOn(ctx, x, l.now); err != nil || on {
		return Finding{Moot: "another grant goes on"}, err
	}
	data := l.ofGrant(x)
	data.Until = ended
	return Finding{Data: data}, nil
}

// lookTask looks at a task.
func lookTask(ctx context.Context, l look) (Finding, error) {
	id, _ := ledger.TaskID(l.About)
	found, err := l.in.Tasks(ctx, ledger.TaskFilter{ID: id}, 0, 1)
	if err != nil {
		return Finding{}, err
	}
	if id == 0 || len(found) == 0 {
		return moot("the task is not there")
	}
	k := found[0]
	if !k.Unfinished() {
		return moot("the task is " + string(k.State))
	}
	number := strings.TrimPrefix(k.Name(), "t-")
	return Finding{Data: Private{
		Public: Public{
			App: k.App, Step: k.Kind, State: string(k.State), At: k.OpenedAt, Until: k.DueAt,
			Commands: []string{"tenure task show " + number, "tenure task done " + number, "tenure task refuse " + number},
		},
		Account: k.Work.Account,
	}}, nil
}

// lookFindings looks at what a scan has found first and somebody is asked about.
func lookFindings(ctx context.Context, l look) (Finding, error) {
	counts := map[string]int{}
	data := Private{}
	for f, err := range ledger.AllFindings(ctx, l.in, ledger.FindingFilter{App: l.App, States: []ledger.FindingStatus{ledger.FindingOpen}}) {
		if err != nil {
			return Finding{}, err
		}
		if l.Occasion != scanned(f.FirstScan) {
			continue
		}
		counts[string(f.Kind)]++
		data.Count++
	}
	if data.Count == 0 {
		return moot("nothing of it is open any more")
	}
	data.Counts = tally(counts)
	data.Commands = []string{command("tenure finding list --app %s", l.App)}
	return Finding{Data: data}, nil
}

// tally lists numbers by code.
func tally(counts map[string]int) (list []Count) {
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Count{What: what, N: counts[what]})
	}
	return list
}

// lookCutOff looks at somebody who is to be cut off.
func lookCutOff(ctx context.Context, l look) (Finding, error) {
	p, err := l.in.Person(ctx, l.PersonID)
	if err != nil {
		return Finding{}, err
	}
	i := slices.IndexFunc(p.Steps, func(s ledger.Step) bool {
		return s.App == l.App && s.Key == l.Occasion && s.State == ledger.StepAttention
	})
	if i < 0 {
		return moot("the step no longer needs attention")
	}
	return Finding{Data: Private{Public: Public{
		App: l.App, Step: p.Steps[i].Kind, State: p.Steps[i].Code, At: p.Steps[i].PlannedAt, Commands: []string{command("tenure person show %s", l.PersonID)},
	}}}, nil
}

// lookHeld looks at a mass change that the breaker holds.
func lookHeld(ctx context.Context, l look) (Finding, error) {
	id, _ := ledger.CohortID(l.About)
	found, err := l.in.Cohorts(ctx, ledger.CohortFilter{ID: id})
	if err != nil {
		return Finding{}, err
	}
	if id == 0 || len(found) == 0 || found[0].State != ledger.CohortOpen {
		return moot("it is decided, or nothing of it is left")
	}
	c := found[0]
	return Finding{Data: Private{Public: Public{
		State: string(c.Kind), Count: c.Counted, Allowed: c.Allowed, At: c.OpenedAt, Commands: []string{"tenure breaker show " + c.Name()},
	}}}, nil
}

// The states of joiner.start and leaver.end.
const (
	stateReady   = "ready"
	statePlanned = "planned" // nothing is to be there yet
	stateLate    = "late"
	stateDone    = "done"
)

// lookJoiner looks at somebody who starts.
func lookJoiner(ctx context.Context, l look) (Finding, error) {
	p, err := l.in.Person(ctx, l.PersonID)
	if err != nil {
		return Finding{}, err
	}
	now := assess.TimelineOf(p).At(l.now)
	comes := now.Status == hr.StatusUpcoming || now.Status == hr.StatusActive
	if !comes || now.Period == nil || occasion(now.Period.Starts) != l.Occasion {
		return moot("they do not start on that day any more")
	}
	if at := now.Period.Starts.Add(-readyBefore); at.After(l.now) {
		return Finding{Later: at}, nil
	}
	data := Private{Public: Public{State: statePlanned, At: now.Period.Starts, Commands: []string{command("tenure person show %s", l.PersonID)}}}
	late := unfinished(p.Steps)
	for _, link := range p.Links {
		if link.State == ledger.LinkActive && !slices.Contains(late, link.App) {
			data.State, data.Apps = stateReady, append(data.Apps, link.App)
		}
	}
	if len(late) > 0 {
		data.State, data.Apps = stateLate, late
	}
	return Finding{Data: data}, nil
}

// unfinished lists the apps in which something is still to be done.
func unfinished(steps []ledger.Step) (apps []string) {
	for _, s := range steps {
		if s.App != "" && (s.State == ledger.StepOpen || s.State == ledger.StepAttention) {
			apps = append(apps, s.App)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(apps)))
}

const (
	// leaverLooks is how often it is looked whether somebody is cut off everywhere.
	leaverLooks = 15 * time.Minute
	// leaverLate is how long after the end of access it is told that somebody is not.
	leaverLate = 24 * time.Hour
)

// lookLeaver looks at somebody whose access has ended.
func lookLeaver(ctx context.Context, l look) (Finding, error) {
	p, err := l.in.Person(ctx, l.PersonID)
	if err != nil {
		return Finding{}, err
	}
	now := assess.TimelineOf(p).At(l.now)
	if now.Status != hr.StatusEnded || now.Period == nil || occasion(now.Period.Ends) != l.Occasion {
		return moot("they were hired again, or their access has not ended")
	}
	data := Private{Public: Public{State: stateDone, At: now.Period.Ends, Commands: []string{command("tenure person evidence %s", l.PersonID)}}}
	var late []string
	for _, link := range p.Links {
		switch link.State {
		case ledger.LinkActive, ledger.LinkPlanned:
			late = append(late, link.App)
		default:
			data.Apps = append(data.Apps, link.App)
		}
	}
	for _, s := range p.Steps {
		if s.Kind == string(plan.Disable) && s.State != ledger.StepDone && s.State != ledger.StepSuperseded && s.State != ledger.StepSkipped {
			late = append(late, s.App)
		}
	}
	if late = slices.Compact(slices.Sorted(slices.Values(late))); len(late) > 0 {
		if l.now.Before(now.Period.Ends.Add(leaverLate)) {
			return Finding{Later: l.now.Add(leaverLooks)}, nil
		}
		data.State, data.Apps = stateLate, late
	}
	if len(p.Links) == 0 {
		return moot("they had no account")
	}
	return Finding{Data: data}, nil
}

// spell writes a duration as the configuration does.
func spell(d time.Duration) string {
	if d == 0 {
		return ""
	}
	text := d.String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
