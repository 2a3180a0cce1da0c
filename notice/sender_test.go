package notice_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/notice"
)

// letter is a message that was carried.
type letter struct {
	to, id, subject, text string
	at                    time.Time
}

// post carries messages, or fails.
type post struct {
	office *office
	mu     sync.Mutex
	sent   []letter
	fail   error
	before func() // called before each message
}

func (p *post) add(l letter) error {
	if p.before != nil {
		p.before()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	l.at = p.office.now
	p.sent = append(p.sent, l)
	return nil
}

func (p *post) Mail(_ context.Context, to, id string, m notice.Mail) error {
	return p.add(letter{to: to, id: id, subject: m.Subject, text: m.Text})
}

func (p *post) Post(_ context.Context, id, text string) error {
	return p.add(letter{to: "#security", id: id, text: text})
}

// take returns what was carried since the last call.
func (p *post) take() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.sent
	p.sent = nil
	return all
}

// office is a ledger, a Teller and a Sender, with a clock that is set by hand.
type office struct {
	*testing.T
	now    time.Time
	store  ledger.Ledger // tells nobody
	ledger ledger.Ledger // tells
	sender *notice.Sender
	post   *post
	log    *observer.ObservedLogs
	events int
}

// monday is at 09:00 in Berlin.
var monday = time.Date(2026, time.November, 30, 8, 0, 0, 0, time.UTC)

func newOffice(t *testing.T) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	core, seen := observer.New(zap.WarnLevel)
	o := &office{T: t, now: monday, store: store, log: seen}
	o.post = &post{office: o}
	book := &notice.Book{Mail: true, Chats: []string{"security"}, Security: []string{"security"}, Fallback: []string{"owner"}, Group: groups, Gather: 30 * time.Minute}
	o.ledger = notice.Tell(store, book)
	o.sender = o.another("worker 1")
	o.sender.Log = zap.New(core)
	for _, id := range []string{"ada", "boss", "owner", "d1", "d2"} {
		o.hire(id, "Europe/Berlin")
	}
	return o
}

// groups returns the people of the one group of deciders.
func groups(name string) []string { return map[string][]string{"desk": {"d1", "d2"}}[name] }

// another returns another Sender of the same ledger.
func (o *office) another(holder string) *notice.Sender {
	hours, err := notice.ParseHours("08:00-18:00")
	require.NoError(o, err)
	return &notice.Sender{
		Outbox: o.store, Holder: holder, Texts: texts(o.T), Mailer: o.post, Chats: map[string]notice.Poster{"security": o.post},
		Gather: 30 * time.Minute, Hours: hours, Limit: 200, Zone: time.UTC, Clock: clock.Func(func() time.Time { return o.now }), Log: zap.NewNop(),
	}
}

func (o *office) hear(e hr.Event) {
	o.Helper()
	o.events++
	e.EventKey = hr.EventKey{Source: "/hr", ID: fmt.Sprint("e", o.events)}
	e.Recorded = o.now
	_, err := o.store.Record(o.Context(), []ledger.Received{{Event: e, At: o.now}})
	require.NoError(o, err)
}

func profile(id, zone string) *hr.Profile {
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Имя-" + id, FamilyName: "Фамилия-" + id, WorkEmail: id + "@example.com",
		ManagerID: "boss", StartDate: hr.Date{Year: 2026, Month: 1, Day: 1}, Location: hr.Location{TimeZone: zone},
	}
}

func (o *office) hire(id, zone string) {
	o.Helper()
	o.hear(hr.Event{Type: hr.EventHired, PersonID: id, Effective: hr.Date{Year: 2026, Month: 1, Day: 1}, Profile: profile(id, zone)})
}

func (o *office) leave(id string) {
	o.Helper()
	last := hr.DateOf(o.now).AddDays(-1)
	o.hear(hr.Event{Type: hr.EventTerminated, PersonID: id, Effective: last, Termination: &hr.Termination{LastDay: last, Reason: "секрет"}})
}

// ask stores ada's request, about which these are asked.
func (o *office) ask(voters ...string) ledger.Request {
	o.Helper()
	a := ledger.Asking{Request: ledger.Request{
		PersonID: "ada", Role: "librarian", For: 8 * time.Hour, Reason: "причина", Ticket: "билет", AskedBy: "ada", Operator: "ada", AskedAt: o.now,
		Terms: "{}", State: ledger.RequestAsked, StageAt: o.now, ExpiresAt: o.now.Add(72 * time.Hour), LookAt: o.now,
	}}
	for _, v := range voters {
		a.Asked = append(a.Asked, ledger.Vote{Voter: v, Authority: "manager of ada"})
	}
	r, err := o.ledger.AskFor(o.Context(), a)
	require.NoError(o, err)
	o.now = o.now.Add(time.Second)
	return r
}

// decide decides a request; if it is approved, it is given for eight hours.
func (o *office) decide(r ledger.Request, state ledger.RequestState) ledger.Request {
	o.Helper()
	r.State, r.DecidedAt = state, o.now
	c := ledger.RequestChange{
		Request: r, At: o.now, Action: "request_" + string(state), Actor: "boss",
		Vote: &ledger.Vote{Voter: "boss", Authority: "manager of ada", Vote: ledger.VoteApprove, Operator: "boss", Reason: "ответ"},
	}
	if state == ledger.RequestApproved {
		c.Grant = &ledger.Exception{
			PersonID: "ada", Kind: "grant", Role: "librarian", Employment: hr.EventKey{Source: "/hr", ID: "e1"},
			StartsAt: o.now, EndsAt: o.now.Add(r.For), DecidedAt: o.now, DecidedBy: "boss", Reason: "причина",
		}
	}
	r, err := o.ledger.ChangeRequest(o.Context(), c)
	require.NoError(o, err)
	o.now = o.now.Add(time.Second)
	return r
}

// passes lets time pass, and sends what is due then.
func (o *office) passes(d time.Duration) []letter {
	o.Helper()
	o.now = o.now.Add(d)
	require.NoError(o, o.sender.Turn(o.Context()))
	return o.post.take()
}

// days lets days pass minute by minute or so, and returns what was sent.
func (o *office) lives(d time.Duration) (all []letter) {
	o.Helper()
	for end := o.now.Add(d); o.now.Before(end); {
		all = append(all, o.passes(10*time.Minute)...)
	}
	return all
}

// states lists the notices as "kind recipient state".
func (o *office) states() []string {
	o.Helper()
	var list []string
	for n, err := range ledger.AllNotices(o.Context(), o.store, ledger.NoticeFilter{}, 0) {
		require.NoError(o, err)
		list = append(list, fmt.Sprintf("%s %s %s", n.Kind, n.To, n.State))
	}
	return list
}

func to(letters []letter) (list []string) {
	for _, l := range letters {
		list = append(list, l.to)
	}
	slices.Sort(list)
	return list
}

func TestWhoIsAskedGetsOneMailAfterItWasGathered(t *testing.T) {
	o := newOffice(t)
	o.ask("boss", "owner")
	assert.Empty(t, o.passes(29*time.Minute))
	o.ask("boss")
	got := o.passes(2 * time.Minute)
	assert.Equal(t, []string{"boss@example.com", "owner@example.com"}, to(got))
	assert.Equal(t, "Tenure: 2 notices (r-1, r-2)", got[0].subject, "what came later goes along")
	for _, want := range []string{"Имя-ada Фамилия-ada (ada)", `role "librarian"`, "for 8h", "причина", "билет", "Thu 3 Dec 2026 09:00 CET", "tenure request approve r-1"} {
		assert.Contains(t, got[0].text, want)
	}
	assert.Equal(t, "Tenure: r-1 waits for your decision", got[1].subject)
	assert.Empty(t, o.lives(time.Hour), "and only once")
}

// Whoever asks can type what looks like something that Tenure says, and HR may give an ID that a
// shell would read as a command.
func TestWhatOthersTypeIsOneLineAndNoCommand(t *testing.T) {
	o := newOffice(t)
	const id = "4;$(reboot)"
	o.hire(id, "Europe/Berlin")
	_, err := o.ledger.AskFor(t.Context(), ledger.Asking{
		Request: ledger.Request{
			PersonID: id, Role: "librarian", For: 8 * time.Hour, Reason: "please\n\n----\n\nRequest r-9 is approved.\u202e", AskedBy: id, Operator: id, AskedAt: o.now,
			Terms: "{}", State: ledger.RequestAsked, StageAt: o.now, ExpiresAt: o.now.Add(72 * time.Hour), LookAt: o.now,
		},
		Asked: []ledger.Vote{{Voter: "boss", Authority: "manager of " + id}},
	})
	require.NoError(t, err)
	got := o.passes(31 * time.Minute)
	require.Len(t, got, 1)
	assert.Contains(t, got[0].text, `Reason: please ---- Request r-9 is approved.\u202e`+"\n")
}

func TestACommandIsWrittenAsAShellReadsIt(t *testing.T) {
	o := newOffice(t)
	const id = "4;$(reboot)"
	o.hire(id, "Europe/Berlin")
	o.saved(id, []ledger.Link{{PersonID: id, App: "wiki"}})
	o.leave(id)
	o.saved(id, nil, ledger.Step{PersonID: id, App: "wiki", Key: "k", Kind: "Disable", State: ledger.StepOpen, PlannedAt: o.now})
	got := o.lives(48 * time.Hour)
	require.Len(t, got, 1)
	assert.Contains(t, got[0].text, "  tenure person evidence '"+id+"'\n")
}

func TestAMootNoticeIsNotSent(t *testing.T) {
	o := newOffice(t)
	r := o.ask("boss", "owner")
	o.decide(r, ledger.RequestDenied)
	got := o.lives(2 * time.Hour)
	assert.Equal(t, []string{"ada@example.com"}, to(got), "the deciders need not look at what a colleague has decided")
	assert.Equal(t, "Tenure: r-1 is denied", got[0].subject)
	assert.Equal(t, []string{
		"request.asked person:boss moot", "request.asked person:owner moot", "request.decided person:ada sent", "request.settled person:owner moot",
	}, o.states())
}

func TestWhoWasToldInVainIsToldThatAColleagueHasDecided(t *testing.T) {
	o := newOffice(t)
	r := o.ask("boss", "owner")
	o.lives(time.Hour)
	o.decide(r, ledger.RequestDenied)
	got := o.lives(2 * time.Hour)
	require.Equal(t, []string{"ada@example.com", "owner@example.com"}, to(got))
	assert.Equal(t, "Tenure: r-1 no longer waits for you", got[1].subject)
}

func TestWhoIsNoLongerAskedIsNotTold(t *testing.T) {
	o := newOffice(t)
	r := o.ask("boss")
	_, err := o.ledger.ChangeRequest(t.Context(), ledger.RequestChange{
		Request: r, At: o.now, Action: "request_reassigned", Actor: ledger.ActorTenure, Moot: []string{"boss"},
		Asked: []ledger.Vote{{Voter: "owner", Authority: "owner of librarian"}},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"owner@example.com"}, to(o.lives(2*time.Hour)))
}

func TestOnlyWhoHasNotAnsweredIsReminded(t *testing.T) {
	o := newOffice(t)
	r := o.ask("boss", "owner")
	o.lives(time.Hour)
	r.Reminders, r.EscalatedAt = 1, o.now
	votes := ledger.Vote{Voter: "owner", Authority: "owner of librarian", Vote: ledger.VoteApprove, Operator: "owner"}
	r, err := o.ledger.ChangeRequest(t.Context(), ledger.RequestChange{Request: r, At: o.now, Action: "request_voted", Actor: "owner", Vote: &votes})
	require.NoError(t, err)
	o.now = o.now.Add(time.Second)
	r.Reminders = 1
	_, err = o.ledger.ChangeRequest(t.Context(), ledger.RequestChange{
		Request: r, At: o.now, Action: "request_escalated", Actor: ledger.ActorTenure, Remind: true,
		Asked: []ledger.Vote{{Voter: "d1", Authority: "manager of boss"}},
	})
	require.NoError(t, err)
	got := o.lives(time.Hour)
	assert.Equal(t, []string{"boss@example.com", "d1@example.com"}, to(got))
	assert.Contains(t, got[0].subject+got[1].subject, "r-1 still waits for your decision")
}

func TestWhoAskedIsToldOfEveryChange(t *testing.T) {
	o := newOffice(t)
	r := o.decide(o.ask("boss"), ledger.RequestApproved)
	r.ProvenAt = o.now
	_, err := o.ledger.ChangeRequest(t.Context(), ledger.RequestChange{Request: r, At: o.now, Action: "request_proven", Actor: ledger.ActorTenure})
	require.NoError(t, err)
	var subjects []string
	for _, l := range o.lives(10 * time.Hour) {
		assert.Equal(t, "ada@example.com", l.to)
		subjects = append(subjects, l.at.Format("15:04 ")+l.subject)
	}
	assert.Equal(t, []string{
		"08:30 Tenure: 2 notices (r-1)",                       // approved, and there
		"14:00 Tenure: r-1 ends at Mon 30 Nov 2026 17:00 CET", // two hours before, at once: it would be too late tomorrow
		"16:00 Tenure: r-1 has ended",
	}, subjects)
}

func TestAGrantThatWasProlongedDoesNotEnd(t *testing.T) {
	o := newOffice(t)
	o.decide(o.ask("boss"), ledger.RequestApproved)
	o.lives(time.Hour)
	_, err := o.ledger.PlaceException(t.Context(), ledger.Exception{
		PersonID: "ada", Kind: "grant", Role: "librarian", Employment: hr.EventKey{Source: "/hr", ID: "e1"}, Origin: "operator",
		StartsAt: monday.Add(6 * time.Hour), EndsAt: monday.Add(100 * time.Hour), DecidedAt: o.now, DecidedBy: "boss", Reason: "причина",
	})
	require.NoError(t, err)
	assert.Empty(t, o.lives(20*time.Hour))
	assert.Contains(t, o.states(), "grant.ending person:ada moot")
	assert.Contains(t, o.states(), "grant.ended person:ada moot")
}

func TestAGrantThatIsGivenBackIsToldAtOnceAndOnce(t *testing.T) {
	o := newOffice(t)
	r := o.decide(o.ask("boss"), ledger.RequestApproved)
	o.lives(time.Hour)
	_, err := o.ledger.EndException(t.Context(), ledger.ExceptionEnd{ID: r.Exception, Operator: "ada", Reason: "done", At: o.now})
	require.NoError(t, err)
	var subjects []string
	for _, l := range o.lives(20 * time.Hour) {
		subjects = append(subjects, l.subject)
	}
	assert.Equal(t, []string{"Tenure: x-1 has ended"}, subjects)
}

func TestWhatIsUrgentIsSentAtOnceAtNight(t *testing.T) {
	o := newOffice(t)
	o.now = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)
	_, err := o.ledger.AskFor(t.Context(), ledger.Asking{
		Request: ledger.Request{
			PersonID: "ada", Role: "librarian", For: time.Hour, Reason: "причина", AskedBy: "ada", Operator: "ada", AskedAt: o.now, Emergency: true,
			Terms: "{}", State: ledger.RequestConfirming, StageAt: o.now, ExpiresAt: o.now.Add(12 * time.Hour), LookAt: o.now,
		},
		Asked: []ledger.Vote{{Voter: "owner", Authority: "owner of librarian"}},
		Grant: &ledger.Exception{
			PersonID: "ada", Kind: "grant", Role: "librarian", Employment: hr.EventKey{Source: "/hr", ID: "e1"}, Emergency: true,
			StartsAt: o.now, EndsAt: o.now.Add(time.Hour), DecidedAt: o.now, DecidedBy: "ada", Reason: "причина",
		},
	})
	require.NoError(t, err)
	got := o.passes(0)
	assert.Equal(t, []string{"#security", "owner@example.com"}, to(got))
	assert.Contains(t, got[0].text+got[1].text, "Emergency: ada was given role librarian by r-1 until Mon 30 Nov 2026 03:00 UTC")
}

func TestTheRestWaitsForWorkingHours(t *testing.T) {
	o := newOffice(t)
	o.hire("kim", "Asia/Tokyo")
	o.now = time.Date(2026, 11, 30, 15, 50, 0, 0, time.UTC) // 16:50 in Berlin, 00:50 in Tokyo
	o.ask("boss", "kim")
	var at []string
	for _, l := range o.lives(24 * time.Hour) {
		at = append(at, l.to+l.at.UTC().Format(" 02 15:04"))
	}
	assert.Equal(t, []string{"boss@example.com 30 16:20", "kim@example.com 30 23:00"}, at)
}

func TestTheRestWaitsForWorkingDays(t *testing.T) {
	o := newOffice(t)
	o.sender.Days, _ = notice.ParseDays("Mon-Fri")
	o.hire("kim", "Asia/Tokyo")
	o.now = time.Date(2026, 11, 27, 17, 50, 0, 0, time.UTC) // Friday 18:50 in Berlin
	o.ask("boss", "kim")
	var at []string
	for _, l := range o.lives(4 * 24 * time.Hour) {
		at = append(at, l.to+l.at.UTC().Format(" Mon 02 15:04"))
	}
	assert.Equal(t, []string{"kim@example.com Sun 29 23:00", "boss@example.com Mon 30 07:00"}, at, "when Monday begins where they are")
}

func TestNobodyIsMailedWhoWasTurnedOff(t *testing.T) {
	o := newOffice(t)
	o.hire("gone", "UTC")
	o.hire("cut", "UTC")
	o.hire("mute", "UTC")
	o.ask("gone", "cut", "mute", "nobody")
	o.leave("gone")
	o.hear(hr.Event{Type: hr.EventSuspended, PersonID: "cut", Effective: hr.DateOf(o.now), Suspension: &hr.Suspension{Reason: "секрет"}})
	p := profile("mute", "UTC")
	p.WorkEmail = "mute@example.com, all@example.com"
	o.hear(hr.Event{Type: hr.EventUpdated, PersonID: "mute", Effective: hr.DateOf(o.now), Profile: p})
	assert.Empty(t, o.lives(24*time.Hour))
	assert.Equal(t, []string{
		"request.asked person:cut moot", "request.asked person:gone moot", "request.asked person:mute failed", "request.asked person:nobody failed",
	}, o.states())
}

func TestAFailureIsTriedAgainForADay(t *testing.T) {
	o := newOffice(t)
	o.sender.Hours = notice.AllDay
	o.ask("boss")
	o.post.fail = errors.New("the mail server refused the recipient (550)")
	var tries []time.Time
	o.post.before = func() { tries = append(tries, o.now) }
	o.now = o.now.Add(30 * time.Minute)
	first := o.now
	for range 26 * 60 {
		o.passes(time.Minute)
	}
	assert.Equal(t, []string{"request.asked person:boss failed"}, o.states())
	assert.GreaterOrEqual(t, tries[len(tries)-1].Sub(first), 24*time.Hour)
	assert.Less(t, len(tries), 25)
	for i := 2; i < len(tries); i++ {
		assert.GreaterOrEqual(t, tries[i].Sub(tries[i-1]), tries[i-1].Sub(tries[i-2])-time.Minute, "the pauses grow")
	}
	n := o.all()[0]
	assert.Equal(t, "the mail server refused the recipient (550)", n.Why)
	assert.Equal(t, 1, o.log.FilterMessageSnippet("could not be sent for a day").Len())

	o.post.fail = nil
	_, err := o.store.RetryNotices(t.Context(), ledger.NoticeRetry{IDs: []int64{n.ID}, Operator: "ops", Reason: "it is back", At: o.now})
	require.NoError(t, err)
	assert.Len(t, o.passes(time.Minute), 1)
}

func (o *office) all() []ledger.Notice {
	o.Helper()
	all, err := ledger.Collect(ledger.AllNotices(o.Context(), o.store, ledger.NoticeFilter{}, 0))
	require.NoError(o, err)
	return all
}

func TestTheLimitHoldsTheRest(t *testing.T) {
	o := newOffice(t)
	o.sender.Limit = 5
	for i := range 12 {
		o.hire(fmt.Sprint("m", i), "UTC")
		o.ask(fmt.Sprint("m", i))
	}
	assert.Len(t, o.passes(40*time.Minute), 5)
	assert.Empty(t, o.passes(50*time.Minute))
	assert.Equal(t, 1, o.log.FilterMessageSnippet("notices.limit").Len(), "it says so once")
	assert.Len(t, o.passes(11*time.Minute), 5)
	assert.Len(t, o.passes(61*time.Minute), 2)
	assert.Empty(t, o.lives(3*time.Hour))
}

func TestAProcessThatDiesBeforeItRecordsSendsAgainWithTheSameID(t *testing.T) {
	o := newOffice(t)
	r := o.ask("boss")
	o.now = o.now.Add(30 * time.Minute)
	ctx, kill := context.WithCancel(t.Context())
	o.post.before = kill // it is sent, and then the process is gone
	require.Error(t, o.sender.Turn(ctx))
	first := o.post.take()
	require.Len(t, first, 1)
	assert.Equal(t, []string{"request.asked person:boss waiting"}, o.states())

	o.post.before = nil
	o.ask("boss") // is told of by another message
	o.sender = o.another("worker 2")
	assert.Empty(t, o.passes(0), "the lease of the one that died lasts")
	o.expire()
	assert.Empty(t, o.passes(time.Minute), "and it is not sent again at once")
	again := o.passes(10 * time.Minute)
	require.Len(t, again, 1)
	assert.Equal(t, first[0].id, again[0].id)
	assert.Equal(t, first[0].subject, again[0].subject)
	_ = r
}

// expire ends the lease.
func (o *office) expire() {
	o.Helper()
	leases, err := o.store.Leases(o.Context())
	require.NoError(o, err)
	for _, l := range leases {
		require.NoError(o, o.store.DropLease(o.Context(), l))
	}
}

func TestAProcessThatDiesBeforeItSendsLosesNothing(t *testing.T) {
	o := newOffice(t)
	o.ask("boss")
	o.now = o.now.Add(30 * time.Minute)
	ctx, kill := context.WithCancel(t.Context())
	o.post.fail = errors.New("killed")
	o.post.before = kill
	require.Error(t, o.sender.Turn(ctx))
	o.post.before, o.post.fail = nil, nil
	o.expire()
	o.sender = o.another("worker 2")
	assert.Len(t, o.lives(time.Hour), 1)
}

func TestOfTwoSendersOneSends(t *testing.T) {
	o := newOffice(t)
	o.sender.Hours = notice.AllDay
	for i := range 20 {
		o.hire(fmt.Sprint("m", i), "UTC")
		o.ask(fmt.Sprint("m", i))
	}
	o.now = o.now.Add(time.Hour)
	var both sync.WaitGroup
	for i := range 4 {
		s := o.another(fmt.Sprint("worker ", i+2))
		both.Go(func() {
			for range 5 {
				assert.NoError(t, s.Turn(t.Context()))
			}
		})
	}
	both.Wait()
	got := to(o.post.take())
	assert.Len(t, got, 20)
	assert.Len(t, slices.Compact(got), 20)
}

func TestASenderThatHasLostItsLeaseStops(t *testing.T) {
	o := newOffice(t)
	for i := range 3 {
		o.hire(fmt.Sprint("m", i), "UTC")
		o.ask(fmt.Sprint("m", i))
	}
	o.now = o.now.Add(time.Hour)
	other := o.another("worker 2")
	o.post.before = func() { // while a message is sent, which takes long, another takes the lease
		o.post.before = nil
		o.expire()
		assert.NoError(t, other.Turn(t.Context()))
	}
	require.ErrorIs(t, o.sender.Turn(t.Context()), ledger.ErrLeaseLost)
	got := to(o.post.take())
	assert.Len(t, got, 3)
	assert.Len(t, slices.Compact(got), 3, "nobody is told twice")
}

func TestTasksAreToldToWhoDoesThem(t *testing.T) {
	o := newOffice(t)
	task := o.task("desk", "it@example.com", "Provision")
	got := o.passes(31 * time.Minute)
	assert.Equal(t, []string{"d1@example.com", "d2@example.com"}, to(got))
	assert.Contains(t, got[0].text, "Provision of account ada, for Имя-ada Фамилия-ada (ada), by ")
	remind := func(r ledger.TaskReminder) {
		r.ID, r.At, r.LookAt, r.Reminded = task.ID, o.now, o.now.Add(time.Hour), true
		require.NoError(t, o.ledger.RemindOfTask(t.Context(), r))
	}
	remind(ledger.TaskReminder{})
	assert.Equal(t, []string{"d1@example.com", "d2@example.com"}, to(o.passes(31*time.Minute)))
	remind(ledger.TaskReminder{Overdue: true})
	assert.Equal(t, []string{"d1@example.com", "d2@example.com", "it@example.com"}, to(o.passes(0)), "what is overdue is urgent")
	remind(ledger.TaskReminder{})
	_, err := o.ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: task.ID, Operator: "d1", Text: "done", At: o.now})
	require.NoError(t, err)
	assert.Empty(t, o.lives(2*time.Hour), "it is done meanwhile")
}

// task opens a task about ada's account.
func (o *office) task(assignee, escalate, kind string) ledger.Task {
	o.Helper()
	p, err := o.store.Person(o.Context(), "ada")
	require.NoError(o, err)
	p.AssessedAt = o.now
	require.NoError(o, o.store.SaveAssessment(o.Context(), ledger.Assessment{
		Summary: p.Summary, Planned: []ledger.Link{{PersonID: "ada", App: "phones", Username: "ada"}},
		Steps: []ledger.Step{{PersonID: "ada", App: "phones", Key: kind, Kind: kind, State: ledger.StepOpen, PlannedAt: o.now}},
	}))
	k, err := o.ledger.OpenTask(o.Context(), ledger.Task{
		PersonID: "ada", App: "phones", Key: kind, Kind: kind, Work: ledger.TaskWork{Account: "ada"}, Assignee: assignee, EscalateTo: escalate,
		OpenedAt: o.now, DueAt: o.now.Add(24 * time.Hour), LookAt: o.now.Add(time.Hour),
	})
	require.NoError(o, err)
	return k
}

func TestATaskThatCutsSomebodyOffIsUrgent(t *testing.T) {
	o := newOffice(t)
	o.task("it@example.com", "", "Disable")
	assert.Equal(t, []string{"it@example.com"}, to(o.passes(0)))
}

func TestWhoCannotBeCutOffIsToldToSecurity(t *testing.T) {
	o := newOffice(t)
	o.task("it@example.com", "", "Disable")
	o.passes(0)
	fails := func() {
		require.NoError(t, o.ledger.FinishStep(t.Context(), ledger.Outcome{
			PersonID: "ada", App: "phones", Key: "Disable", Kind: "Disable", At: o.now, State: ledger.StepAttention, Code: "forbidden",
		}))
	}
	fails()
	got := o.passes(0)
	require.Equal(t, []string{"#security"}, to(got))
	assert.Equal(t, "Disable of ada in phones needs attention (forbidden): they may still have access. tenure person show ada", got[0].text)
	fails()
	assert.Empty(t, o.lives(2*time.Hour), "once")
}

func TestABreakerThatHoldsIsToldToSecurity(t *testing.T) {
	o := newOffice(t)
	ask := func() ledger.Admission {
		a, err := o.ledger.Admit(t.Context(), ledger.AdmissionRequest{
			PersonID: "ada", At: o.now, Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "k6", Apps: []string{"wiki"}, Immediate: true}},
			Limits: ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {}}},
		})
		require.NoError(t, err)
		return a
	}
	require.Len(t, ask().Opened, 1)
	ask()
	got := o.passes(0)
	require.Equal(t, []string{"#security"}, to(got))
	assert.Contains(t, got[0].text, "The breaker holds c-1: 1 people (leavers), 0 are allowed.")
	assert.Empty(t, o.lives(2*time.Hour))
}

// saved saves an assessment of somebody, as the engine does.
func (o *office) saved(id string, links []ledger.Link, steps ...ledger.Step) {
	o.Helper()
	p, err := o.store.Person(o.Context(), id)
	require.NoError(o, err)
	standing := assess.TimelineOf(p).At(o.now)
	s := p.Summary
	s.AssessedAt, s.Status = o.now, standing.Status
	if standing.Profile != nil {
		s.ManagerID, s.GivenName, s.FamilyName = standing.Profile.ManagerID, standing.Profile.GivenName, standing.Profile.FamilyName
	}
	require.NoError(o, o.ledger.SaveAssessment(o.Context(), ledger.Assessment{Summary: s, Period: standing.Period, Planned: links, Steps: steps}))
}

func TestManagersAreToldOnTheDayBeforeSomebodyStarts(t *testing.T) {
	for state, want := range map[string]string{"late": "not ready in wiki", "planned": "given when they start"} {
		t.Run(state, func(t *testing.T) {
			o := newOffice(t)
			start := hr.DateOf(o.now).AddDays(5)
			p := profile("new", "Europe/Berlin")
			p.StartDate = start
			o.hear(hr.Event{Type: hr.EventHired, PersonID: "new", Effective: start, Profile: p})
			for range 3 {
				if state == "late" {
					o.saved("new", []ledger.Link{{PersonID: "new", App: "wiki"}}, ledger.Step{PersonID: "new", App: "wiki", Key: "k", Kind: "Provision", State: ledger.StepAttention, Code: "x", PlannedAt: o.now})
				} else {
					o.saved("new", nil)
				}
				o.now = o.now.Add(time.Hour)
			}
			got := o.lives(7 * 24 * time.Hour)
			require.Equal(t, []string{"boss@example.com"}, to(got))
			assert.Equal(t, "2026-12-04 07:00", got[0].at.Format("2006-01-02 15:04"), "in working hours of the day before")
			assert.Contains(t, got[0].text, want)
		})
	}
}

func TestWhoDoesNotStartAfterAllIsNotToldOf(t *testing.T) {
	o := newOffice(t)
	start := hr.DateOf(o.now).AddDays(5)
	p := profile("new", "Europe/Berlin")
	p.StartDate = start
	o.hear(hr.Event{Type: hr.EventHired, PersonID: "new", Effective: start, Profile: p})
	o.saved("new", nil)
	o.hear(hr.Event{Type: hr.EventRescinded, PersonID: "new", Effective: hr.DateOf(o.now), Rescinds: fmt.Sprint("e", o.events)})
	assert.Empty(t, o.lives(7*24*time.Hour))
	assert.Equal(t, []string{"joiner.start person:boss moot"}, o.states())
}

func TestManagersAreToldOfLeavers(t *testing.T) {
	o := newOffice(t)
	o.hire("gone", "Europe/Berlin")
	o.saved("gone", []ledger.Link{{PersonID: "gone", App: "wiki"}})
	o.leave("gone")
	o.saved("gone", nil, ledger.Step{PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", State: ledger.StepOpen, PlannedAt: o.now})
	got := o.lives(48 * time.Hour)
	require.Equal(t, []string{"boss@example.com"}, to(got))
	assert.Equal(t, "Tenure: gone: access has not ended everywhere", got[0].subject)
	assert.Contains(t, got[0].text, "has not in wiki")
	assert.NotContains(t, got[0].text, "секрет", "never why somebody leaves")
}

func TestManagersAreToldWhenALeaverIsCutOff(t *testing.T) {
	o := newOffice(t)
	o.hire("gone", "Europe/Berlin")
	o.saved("gone", []ledger.Link{{PersonID: "gone", App: "wiki"}})
	o.leave("gone")
	o.saved("gone", nil, ledger.Step{PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", State: ledger.StepOpen, PlannedAt: o.now})
	assert.Empty(t, o.lives(2*time.Hour))
	link := ledger.Link{PersonID: "gone", App: "wiki", AccountID: "7", State: ledger.LinkDisabled, CreatedAt: o.now, DisabledAt: o.now, ProvenAt: o.now}
	require.NoError(t, o.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "gone", App: "wiki", Key: "k", Kind: "Disable", At: o.now, State: ledger.StepDone, Link: &link,
	}))
	got := o.lives(time.Hour)
	require.Equal(t, []string{"boss@example.com"}, to(got))
	assert.Contains(t, got[0].text, "has ended in wiki, as the apps show")
}

func TestOwnersAreToldOfNewFindingsOnly(t *testing.T) {
	o := newOffice(t)
	o.scan("run 1", false)
	assert.Empty(t, o.lives(2*time.Hour), "no items, no notice")
	o.scan("run 2", true)
	got := o.lives(2 * time.Hour)
	require.Equal(t, []string{"owner@example.com"}, to(got))
	assert.Equal(t, "Tenure: 1 new findings in wiki", got[0].subject)
	o.scan("run 3", true)
	assert.Empty(t, o.lives(2*time.Hour), "nothing is new")
}

// scan scans the wiki, where an account is nobody's perhaps.
func (o *office) scan(key string, orphan bool) {
	o.Helper()
	ctx := o.Context()
	s, err := o.ledger.BeginScan(ctx, "wiki", key, o.now)
	require.NoError(o, err)
	require.NoError(o, o.ledger.Observe(ctx, ledger.Listed{Scan: s.ID, Accounts: []ledger.Observed{{AccountID: "9", At: o.now, Active: true}}}))
	_, err = o.ledger.EndListing(ctx, s.ID, o.now, 1)
	require.NoError(o, err)
	verdict := ledger.Verdict{AccountID: "9", Baseline: true}
	if orphan {
		verdict.Findings = []ledger.Finding{{Kind: ledger.FindingOrphan, State: ledger.FindingOpen}}
	}
	_, err = o.ledger.SaveVerdicts(ctx, ledger.Compared{Scan: s.ID, At: o.now, Verdicts: []ledger.Verdict{verdict}})
	require.NoError(o, err)
	require.NoError(o, o.ledger.EndScan(ctx, ledger.ScanEnd{Scan: s.ID, At: o.now, State: ledger.ScanDone}))
	o.now = o.now.Add(time.Second)
}

// Everything that is told in this test goes to a chat, and nothing of it names anybody.
func TestNoChatShowsAnythingPrivateOfRealFacts(t *testing.T) {
	o := newOffice(t)
	seen := map[string]bool{}
	for _, kind := range notice.KindNames() {
		n := ledger.Notice{Kind: kind, PersonID: "ada", App: "phones", To: "chat:security", MadeAt: o.now, Urgent: true}
		for _, about := range []string{"r-1", "x-1", "t-1", "c-1", "app:wiki", "person:ada"} {
			n.About = about
			for _, occasion := range []string{"", "stage 0", "scan 1", "Disable", "2025-12-31T23:00:00Z"} {
				n.Occasion = occasion
				require.NoError(t, o.store.Notify(t.Context(), []ledger.Notice{n}))
			}
		}
	}
	o.decide(o.ask("boss"), ledger.RequestApproved)
	o.ask("boss")
	o.task("it@example.com", "", "Disable")
	o.scan("run 1", true)
	require.NoError(t, o.store.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "ada", App: "phones", Key: "Disable", Kind: "Disable", At: o.now, State: ledger.StepAttention, Code: "forbidden",
	}))
	o.sender.Limit = 10_000
	for _, l := range o.passes(time.Minute) {
		if l.to == "#security" {
			assert.NotEmpty(t, l.text)
			assert.False(t, strings.ContainsFunc(l.text, private), l.text)
		}
	}
	for _, n := range o.all() {
		if n.State == ledger.NoticeSent {
			seen[n.Kind] = true
		}
	}
	assert.Greater(t, len(seen), 6, "%v", seen)
}
