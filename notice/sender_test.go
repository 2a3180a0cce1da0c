package notice_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
)

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
