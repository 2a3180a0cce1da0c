package notice

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
)

// Mailer carries mails. Its errors hold no personal data. An error does not always mean that
// the mail was not delivered: see Undecided.
type Mailer interface {
	Mail(ctx context.Context, to, id string, m Mail) error
}

// Poster carries messages to one chat. Its errors hold no personal data.
type Poster interface {
	Post(ctx context.Context, id, text string) error
}

// Outbox is the part of the ledger that a Sender works on.
type Outbox interface {
	Registry
	ledger.Notices
	ledger.Leases
}

// Sender sends the notices that are due. All fields but Mailer and Chats are needed.
type Sender struct {
	Outbox  Outbox
	Holder  string // no other process ever has this name
	Texts   *Texts
	Mailer  Mailer // nil: none is sent
	Chats   map[string]Poster
	Gather  time.Duration
	Hours   Hours
	Days    Days
	Limit   int            // messages an hour
	Zone    *time.Location // of whoever has none
	Clock   clock.Clock
	Log     *zap.Logger
	Metrics *Metrics

	holding bool // the limit is reached
}

const (
	// turnEvery is how often it is looked for notices that are due.
	turnEvery = 2 * time.Second
	// leaseFor is how long a process that has died keeps others from sending.
	leaseFor = 2 * time.Minute
	// sendFor bounds how long one message may take. It is shorter than the lease.
	sendFor = time.Minute
	// firstPause is the time until an attempt is repeated. It doubles, up to longestPause.
	firstPause   = 2 * time.Minute
	longestPause = 2 * time.Hour
	// triedFor is how long a notice is tried before it has failed.
	triedFor = 24 * time.Hour
	// mostAtOnce bounds how many notices are read at once.
	mostAtOnce = 5000
)

// Run sends what is due until ctx ends. Any number of processes may run a Sender: one of them
// sends.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	failing := false
	for {
		if err := s.Turn(ctx); err != nil && ctx.Err() == nil {
			if !failing {
				s.Log.Warn("notices could not be sent: it is tried again and again", zap.Error(err))
			}
			failing = true
		} else {
			failing = false
		}
		select {
		case <-ctx.Done():
			s.drop(context.WithoutCancel(ctx))
			return
		case <-tick.C:
		}
	}
}

// drop lets another process send at once.
func (s *Sender) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	leases, err := s.Outbox.Leases(ctx)
	if err != nil {
		return
	}
	for _, l := range leases {
		if l.Name == ledger.LeaseNotices && l.Holder == s.Holder {
			_ = s.Outbox.DropLease(ctx, l) // otherwise it ends by itself
		}
	}
}

// Turn sends what is due now, if nobody else does.
func (s *Sender) Turn(ctx context.Context) error {
	if _, held, err := s.lease(ctx); err != nil || !held {
		return err
	}
	now := s.Clock.Now()
	// What is gathered goes along with what is due, so it is read as well.
	found, err := s.Outbox.Notices(ctx, ledger.NoticeFilter{DueBy: now.Add(s.Gather)}, 0, mostAtOnce)
	if err != nil {
		return err
	}
	batches := s.batches(found, now)
	if len(batches) == 0 {
		s.holds(false)
		return nil
	}
	counts, err := s.Outbox.CountNotices(ctx, now.Add(-time.Hour))
	if err != nil {
		return err
	}
	left := s.Limit - counts.Messages
	for _, b := range batches {
		if left <= 0 {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sent, err := s.handle(ctx, b)
		if err != nil {
			return err
		}
		if sent {
			left--
		}
	}
	s.holds(left <= 0)
	return nil
}

// holds says that the limit is reached, or no longer.
func (s *Sender) holds(now bool) {
	s.Metrics.held(now)
	if now && !s.holding {
		s.Log.Warn("as many messages were sent as notices.limit allows in an hour: the rest waits", zap.Int("limit", s.Limit))
	}
	s.holding = now
}

func (s *Sender) lease(ctx context.Context) (ledger.Lease, bool, error) {
	return s.Outbox.TakeLease(ctx, ledger.LeaseNotices, s.Holder, leaseFor)
}

// batch is what goes into one message.
type batch struct {
	to      Recipient
	urgent  bool
	message string // its ID, if somebody has begun to send it
	notices []ledger.Notice
}

// batches puts notices together: what is urgent, and what was begun to be sent, by itself; of
// the rest, all that one recipient is told, if some of it is due. What is urgent comes first.
func (s *Sender) batches(found []ledger.Notice, now time.Time) []batch {
	type group struct {
		to      string
		urgent  bool
		message string
	}
	byGroup, order := map[group][]ledger.Notice{}, []group{}
	for _, n := range found {
		due := !n.SendAt.After(now)
		gathered := !n.Urgent && n.Message == "" && n.SendAt.Sub(n.MadeAt) <= s.Gather
		if !due && !gathered {
			continue
		}
		g := group{n.To, n.Urgent, n.Message}
		if _, ok := byGroup[g]; !ok {
			order = append(order, g)
		}
		byGroup[g] = append(byGroup[g], n)
	}
	var all []batch
	for _, g := range order {
		if slices.ContainsFunc(byGroup[g], func(n ledger.Notice) bool { return !n.SendAt.After(now) }) {
			all = append(all, batch{to: Recipient(g.to), urgent: g.urgent, message: g.message, notices: byGroup[g]})
		}
	}
	slices.SortStableFunc(all, func(a, b batch) int {
		return cmp.Compare(rank(a.urgent), rank(b.urgent))
	})
	return all
}

func rank(urgent bool) int {
	if urgent {
		return 0
	}
	return 1
}

// anyDay reports whether a notice would come too late if it waited for a working day.
func anyDay(n ledger.Notice) bool {
	kind, _ := KindOf(n.Kind)
	return kind.AnyDay
}

// handle looks at the notices of a batch again, and sends what is left of it. It reports
// whether a message was sent, or tried.
func (s *Sender) handle(ctx context.Context, b batch) (sent bool, err error) {
	now := s.Clock.Now()
	addressee, err := s.reach(ctx, b.to, now)
	if err != nil {
		return false, err
	}
	if addressee.Why != "" {
		state := ledger.NoticeFailed
		if addressee.Off {
			state = ledger.NoticeMoot
		}
		return false, s.settle(ctx, b.notices, state, addressee.Why, time.Time{})
	}
	if !b.urgent {
		days := s.Days
		if slices.ContainsFunc(b.notices, anyDay) {
			days = Days{}
		}
		if opens := s.Hours.Next(now, addressee.Zone, days); opens.After(now) {
			return false, s.settle(ctx, b.notices, ledger.NoticeWaiting, "outside notices.hours and notices.days", opens)
		}
	}
	items, left, err := s.look(ctx, b.notices, now, addressee.Zone)
	if err != nil || len(left) == 0 {
		return false, err
	}
	b.notices = left
	return true, s.send(ctx, b, addressee, items, now)
}

// reach finds out how a recipient is told something.
func (s *Sender) reach(ctx context.Context, to Recipient, now time.Time) (Addressee, error) {
	if id, ok := to.Person(); ok {
		if s.Mailer == nil {
			return Addressee{Why: whyNoMail}, nil
		}
		return Reach(ctx, s.Outbox, id, now, s.Zone)
	}
	if address, ok := to.Mailbox(); ok {
		if s.Mailer == nil {
			return Addressee{Why: whyNoMail}, nil
		}
		return Addressee{Address: address, Zone: s.Zone}, nil
	}
	name, _ := to.Chat()
	if s.Chats[name] == nil {
		return Addressee{Why: "there is no such chat in notices.chat"}, nil
	}
	return Addressee{Zone: s.Zone}, nil
}

const whyNoMail = "no mail is sent: notices.mail"

// look looks at notices again. It settles those that are moot, or for later, and returns what
// the others say.
func (s *Sender) look(ctx context.Context, notices []ledger.Notice, now time.Time, zone *time.Location) (items []Item, left []ledger.Notice, err error) {
	for _, n := range notices {
		found, err := Look(ctx, s.Outbox, n, now)
		switch {
		case err != nil:
			return nil, nil, err
		case found.Moot != "":
			err = s.settle(ctx, []ledger.Notice{n}, ledger.NoticeMoot, found.Moot, time.Time{})
		case !found.Later.IsZero():
			err = s.settle(ctx, []ledger.Notice{n}, ledger.NoticeWaiting, "", found.Later)
		default:
			items, left = append(items, Item{Kind: n.Kind, Data: found.Data.in(zone)}), append(left, n)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return items, left, nil
}

// in returns the data with times in a zone.
func (p Private) in(zone *time.Location) Private {
	for _, t := range []*time.Time{&p.At, &p.Until} {
		if !t.IsZero() {
			*t = t.In(zone)
		}
	}
	return p
}

// settle records what has become of notices.
func (s *Sender) settle(ctx context.Context, notices []ledger.Notice, state ledger.NoticeState, why string, at time.Time) error {
	lease, held, err := s.lease(ctx)
	if err != nil || !held {
		return cmp.Or(err, ledger.ErrLeaseLost)
	}
	var all []ledger.Settled
	for _, n := range notices {
		all = append(all, ledger.Settled{ID: n.ID, State: state, Why: why, At: s.Clock.Now(), SendAt: at})
	}
	if err := s.Outbox.SettleNotices(ctx, lease, all); err != nil {
		return err
	}
	s.Metrics.settled(notices, state)
	return nil
}

// send sends one message: it records the attempt, sends, and records the result. If the
// process dies between the last two, or the answer is lost, the message is sent again with the
// same ID.
func (s *Sender) send(ctx context.Context, b batch, to Addressee, items []Item, now time.Time) error {
	lease, held, err := s.lease(ctx) // for the whole of leaseFor from now on
	if err != nil || !held {
		return cmp.Or(err, ledger.ErrLeaseLost)
	}
	id := cmp.Or(b.message, rand.Text())
	first := b.notices[0]
	sending := ledger.Sending{Message: id, At: now, Next: now.Add(s.pause(first.Attempts))}
	for _, n := range b.notices {
		sending.Notices = append(sending.Notices, n.ID)
	}
	if err := s.Outbox.SendingNotices(ctx, lease, sending); errors.Is(err, ledger.ErrStale) {
		return nil // it was settled meanwhile
	} else if err != nil {
		return err
	}
	why := s.carry(ctx, b.to, to.Address, id, items)
	switch {
	case why == nil:
		return s.settle(ctx, b.notices, ledger.NoticeSent, "", time.Time{})
	case ctx.Err() != nil:
		return ctx.Err() // it is tried again
	case !first.FirstAt.IsZero() && now.Sub(first.FirstAt) >= triedFor:
		s.Log.Error("a notice could not be sent for a day: see `tenure notice list --state failed`",
			zap.String("notice", first.Name()), zap.String("kind", first.Kind), zap.Error(why))
		return s.settle(ctx, b.notices, ledger.NoticeFailed, why.Error(), time.Time{})
	}
	s.Log.Warn("a notice could not be sent: it is tried again", zap.String("notice", first.Name()), zap.String("kind", first.Kind),
		zap.Time("next", sending.Next), zap.Error(why))
	return s.settle(ctx, b.notices, ledger.NoticeWaiting, why.Error(), time.Time{})
}

// carry sends the message.
func (s *Sender) carry(ctx context.Context, to Recipient, address, id string, items []Item) error {
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	if name, ok := to.Chat(); ok {
		text, err := s.Texts.Chat(items)
		if err != nil {
			return err
		}
		return s.Chats[name].Post(ctx, id, text)
	}
	m, err := s.Texts.Mail(items)
	if err != nil {
		return err
	}
	return s.Mailer.Mail(ctx, address, id, m)
}

// pause returns the time until the next attempt after so many. It is longer than an attempt
// can take.
func (s *Sender) pause(attempts int) time.Duration {
	pause := firstPause
	for range min(attempts, 10) {
		pause *= 2
	}
	return max(min(pause, longestPause), s.Clock.Span(firstPause))
}
