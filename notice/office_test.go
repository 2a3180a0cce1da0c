package notice_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
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
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
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
