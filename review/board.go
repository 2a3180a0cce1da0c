package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

// Board finds out from the ledger and the policy what reviews are about, and who decides.
// Ledger, Rules and Clock are needed.
type Board struct {
	Ledger ledger.Reader
	Rules  assess.Rules
	Clock  clock.Clock
	// Fresh is the age up to which the last complete scan of an app is good enough; zero: any.
	Fresh time.Duration
	Zone  *time.Location // in which days begin and end; nil: UTC
	// Limits are the breaker's, by which it is told what it would hold; nil: it is turned off.
	Limits *ledger.Limits
}

// snapshot reads what is known of one person. Since is the last review of the same name, if
// there was one.
func (b *Board) snapshot(ctx context.Context, id string, name string, since *ledger.Review) (Snapshot, error) {
	person, err := b.Ledger.Person(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Policy: b.Rules.Policy, Extended: map[int64]int{}}
	if s.Decision, err = b.Rules.For(ctx, person, b.Clock.Now(), assess.Onlooker{Reader: b.Ledger}); err != nil {
		return Snapshot{}, err
	}
	if s.Seen, err = b.seen(ctx, person); err != nil {
		return Snapshot{}, err
	}
	for _, x := range person.Exceptions {
		switch {
		case x.Kind == string(policy.ExceptGrant):
			if s.Extended[x.ID], err = b.extended(ctx, x); err != nil {
				return Snapshot{}, err
			}
		case x.Kind == string(policy.ExceptWithhold) && x.InForce(s.Decision.Now):
			of, err := b.originOf(ctx, x)
			if err != nil {
				return Snapshot{}, err
			}
			if of.Name == name {
				s.Withheld = append(s.Withheld, x)
			}
		}
	}
	if since != nil {
		s.Before = map[ledger.AccessPlace]bool{}
		for a, err := range ledger.AllReviewAccesses(ctx, b.Ledger, ledger.AccessFilter{Review: since.ID, PersonID: id}) {
			if err != nil {
				return Snapshot{}, err
			}
			s.Before[a.AccessPlace] = true
		}
	}
	return s, nil
}

// holders is what is known of the human who had something when a population was frozen: under the
// ID of then and, if their accounts were carried to another ID since, under that one too. The last
// one has the access now.
type holders []Snapshot

// holders reads what is known of the human behind an ID.
func (b *Board) holders(ctx context.Context, id, name string) (holders, error) {
	s, err := b.snapshot(ctx, id, name, nil)
	if err != nil || s.Decision.Person.CarriedTo == "" {
		return holders{s}, err
	}
	heir, err := b.snapshot(ctx, s.Decision.Person.CarriedTo, name, nil)
	return holders{s, heir}, err
}

// now returns what is known under the ID that has the access now.
func (h holders) now() Snapshot { return h[len(h)-1] }

// gone reports whether something is gone under every ID: see Gone.
func (h holders) gone(i ledger.ReviewItem, a ledger.AccessPlace, since time.Time) bool {
	return !slices.ContainsFunc(h, func(s Snapshot) bool { return !Gone(s, i, a, since) })
}

// longestChain bounds how many extensions of a grant are followed.
const longestChain = 50

// extended returns how often a grant was prolonged.
func (b *Board) extended(ctx context.Context, x ledger.Exception) (times int, err error) {
	for range longestChain {
		id, ok := ledger.RequestID(x.Origin)
		if !ok {
			break
		}
		found, err := b.Ledger.Requests(ctx, ledger.RequestFilter{ID: id}, 0, 1)
		if err != nil || len(found) == 0 || found[0].Extends == 0 {
			return times, err
		}
		times++
		exceptions, err := b.Ledger.Exceptions(ctx, ledger.ExceptionFilter{ID: found[0].Extends}, 0, 1)
		if err != nil || len(exceptions) == 0 {
			return times, err
		}
		x = exceptions[0]
	}
	return times, nil
}

// originOf returns the review that has made an exception; the zero Review if none has.
func (b *Board) originOf(ctx context.Context, x ledger.Exception) (ledger.Review, error) {
	id, _, ok := ledger.ItemOf(x.Origin)
	if !ok {
		return ledger.Review{}, nil
	}
	return b.review(ctx, id)
}

// review reads a review; the zero Review if there is none.
func (b *Board) review(ctx context.Context, id int64) (ledger.Review, error) {
	found, err := b.Ledger.Reviews(ctx, ledger.ReviewFilter{ID: id}, 0, 1)
	if err != nil || len(found) == 0 {
		return ledger.Review{}, err
	}
	return found[0], nil
}

// before returns the last review of everybody of the same name that was closed before this one
// was started; nil if there is none.
func (b *Board) before(ctx context.Context, r ledger.Review) (*ledger.Review, error) {
	var last *ledger.Review
	for other, err := range ledger.AllReviews(ctx, b.Ledger, ledger.ReviewFilter{Name: r.Name, States: []ledger.ReviewState{ledger.ReviewClosed}}, 0) {
		if err != nil {
			return nil, err
		}
		if other.ID < r.ID && other.PersonID == "" {
			last = &other
		}
	}
	return last, nil
}

// Panel finds out who decides about items. It looks everybody up once: it is for one look at a
// review.
type Panel struct {
	board    *Board
	terms    Terms
	standIns []ledger.StandIn
	people   map[string]request.Colleague
}

// Panel returns who decides about the items of a review as of now.
func (b *Board) Panel(ctx context.Context, terms Terms) (*Panel, error) {
	standIns, err := ledger.Collect(ledger.AllStandIns(ctx, b.Ledger, ledger.StandInFilter{At: b.Clock.Now()}, 0))
	return &Panel{board: b, terms: terms, standIns: standIns, people: map[string]request.Colleague{}}, err
}

// Colleague returns what has to be known of somebody now.
func (p *Panel) Colleague(ctx context.Context, id string) (request.Colleague, error) {
	if c, ok := p.people[id]; ok {
		return c, nil
	}
	desk := request.Desk{Registry: p.board.Ledger, Policy: p.board.Rules.Policy, Clock: p.board.Clock}
	c, err := desk.Colleague(ctx, id, p.board.Clock.Now())
	if err == nil {
		p.people[id] = c
	}
	return c, err
}

// question asks who decides about an item, of those whom names name.
func (p *Panel) question(ctx context.Context, i ledger.ReviewItem, names []string) request.Question {
	rules := p.board.Rules.Policy
	q := request.Question{
		PersonID: i.PersonID, AskedBy: i.PersonID, Stage: names, Needed: 1, Groups: rules.Deciders, Fallback: rules.Fallback(), StandIns: p.standIns,
		Lookup: func(id string) (request.Colleague, error) { return p.Colleague(ctx, id) },
	}
	switch app := i.App; {
	case i.Duty != "":
		q.Owner, q.Of = rules.DutyOwner(i.Duty), "rule "+i.Duty
	case i.Role != "":
		about, ok := rules.Facts(i.Role)
		if q.Owner, q.Of = about.Owner, "role "+i.Role; !ok { // it has left the configuration meanwhile
			q.Owner = rules.Fallback()
		}
	default:
		q.Owner, q.Of = rules.AppOwner(app), "app "+app
	}
	return q
}

// Assign returns who is asked about an item, and why they may decide; nobody if nobody can. Nobody
// is asked about what they have themself.
func Assign(q request.Question) (request.Decider, error) {
	all, err := request.Deciders(q)
	if err != nil || len(all) == 0 {
		return request.Decider{}, err
	}
	return all[0], nil
}

// Assign returns who is asked about an item now.
func (p *Panel) Assign(ctx context.Context, i ledger.ReviewItem) (request.Decider, error) {
	return Assign(p.question(ctx, i, p.terms.Asks(Kind(i.Kind))))
}

// reviewers is the name of those who are asked about an item, as a group.
const reviewers = "reviewers"

// May returns why somebody may decide about an item now: they are asked, or stand in for who is.
// It returns false if they may not.
func (p *Panel) May(ctx context.Context, i ledger.ReviewItem, id string) (request.Decider, bool, error) {
	q := p.question(ctx, i, []string{reviewers})
	q.Groups = func(string) []string {
		return slices.DeleteFunc([]string{i.Reviewer, i.Also}, func(id string) bool { return id == "" })
	}
	q.Fallback = nil
	all, err := request.Deciders(q)
	if err != nil {
		return request.Decider{}, false, err
	}
	n := slices.IndexFunc(all, func(d request.Decider) bool { return d.PersonID == id })
	if n < 0 {
		return request.Decider{}, false, nil
	}
	d := all[n]
	reviewer, err := p.Colleague(ctx, i.Reviewer)
	if err != nil {
		return d, false, err
	}
	also, err := p.Colleague(ctx, i.Also)
	if err != nil {
		return d, false, err
	}
	switch id {
	case reviewer.ID:
		d.Authority = i.Authority
	case also.ID:
		d.Authority = "next above " + i.Reviewer + ", asked since they had not decided"
	}
	return d, true, nil
}

// Above returns who is asked as well if somebody does not decide about an item: the next one up,
// or one of the fallback. It returns false if there is nobody.
func (p *Panel) Above(ctx context.Context, i ledger.ReviewItem) (request.Decider, bool, error) {
	q := p.question(ctx, i, []string{reviewers})
	q.Groups, q.Escalated, q.StandIns = func(string) []string { return []string{i.Reviewer} }, true, nil
	all, err := request.Deciders(q)
	for _, d := range all {
		if d.PersonID != i.Reviewer {
			return d, err == nil, err
		}
	}
	return request.Decider{}, false, err
}

// Selves lists the IDs of the human whom an ID means: the one by which they are known now, and
// those that they had before.
func (p *Panel) Selves(ctx context.Context, id string) ([]string, error) {
	c, err := p.Colleague(ctx, id)
	if err != nil {
		return nil, err
	}
	selves := []string{c.ID}
	person, err := p.board.Ledger.Person(ctx, c.ID)
	if err != nil && !missing(err) {
		return nil, err
	}
	for _, e := range person.Earlier {
		selves = append(selves, e.PersonID)
	}
	return selves, nil
}

// AtWork reports whether somebody is at work, or is on leave and will be back.
func (p *Panel) AtWork(ctx context.Context, id string) (bool, error) {
	c, err := p.Colleague(ctx, id)
	return c.Status == hr.StatusActive || c.Status == hr.StatusOnLeave, err
}

// chained returns the digest of a population that goes on with these lines. It does not depend on
// how the lines are parted into pages.
func chained(digest string, lines []string) string {
	for _, line := range lines {
		sum := sha256.Sum256([]byte(digest + "\n" + line))
		digest = hex.EncodeToString(sum[:])
	}
	return digest
}

// missing reports whether an error says that somebody is not in the ledger.
func missing(err error) bool { return errors.Is(err, ledger.ErrNotFound) }

// scans returns the last complete scan of each app.
func (b *Board) scans(ctx context.Context) ([]ledger.ReviewScan, error) {
	last, err := b.Ledger.LastScans(ctx)
	if err != nil {
		return nil, err
	}
	now := b.Clock.Now()
	var all []ledger.ReviewScan
	for _, app := range b.Rules.Policy.Apps() {
		one := ledger.ReviewScan{App: app, Stale: true}
		for _, s := range last {
			if s.App == app {
				one.Scan, one.At = s.ID, s.StartedAt
				one.Stale = b.Fresh > 0 && s.StartedAt.Before(now.Add(-b.Fresh))
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// describe returns what a finding about an account that is nobody's is asked as.
func describe(f ledger.Finding) (Kind, string) {
	switch f.Kind {
	case ledger.FindingOrphan:
		if len(f.Candidates) == 0 && f.PersonID == "" {
			return Orphan, fmt.Sprintf("%s: the account is nobody's, and matches nobody", findingName(f.ID))
		}
		return Orphan, fmt.Sprintf("%s: the account is nobody's, and matches people who have left", findingName(f.ID))
	default:
		return Unlinked, fmt.Sprintf("%s: the account is nobody's, and may be somebody's", findingName(f.ID))
	}
}

func findingName(id int64) string { return fmt.Sprintf("f-%d", id) }

// IfRevoked returns a person as they are, and as they would be if what an item says about them
// were revoked now. It changes nothing.
func (b *Board) IfRevoked(ctx context.Context, i ledger.ReviewItem, personID string) (before, after ledger.Person, err error) {
	h, err := b.holders(ctx, personID, "")
	if err != nil {
		return before, after, err
	}
	s := h.now()
	var all []ledger.AccessPlace
	for a, err := range ledger.AllReviewAccesses(ctx, b.Ledger, ledger.AccessFilter{Review: i.Review, Item: i.Item, PersonID: personID}) {
		if err != nil {
			return before, after, err
		}
		all = append(all, a.AccessPlace)
	}
	if before, err = b.Ledger.Person(ctx, s.Decision.Person.PersonID); err != nil { // with the username that the ledger has
		return before, after, err
	}
	after = before
	after.Exceptions, after.Links = slices.Clone(before.Exceptions), slices.Clone(before.Links)
	i.Decision = ledger.VerdictRevoke
	for _, e := range Effects(i, s, all, nil) {
		if e.Withhold != nil {
			after.Exceptions = append(after.Exceptions, *e.Withhold)
		}
		after.Exceptions = slices.DeleteFunc(after.Exceptions, func(x ledger.Exception) bool { return x.ID != 0 && (x.ID == e.End || slices.Contains(e.Also, x.ID)) })
		for n, l := range after.Links {
			if e.Repair && l.App == e.App && !slices.Contains(l.Entitlements, e.Entitlement) {
				after.Links[n].Entitlements = append(slices.Clone(l.Entitlements), e.Entitlement)
			}
		}
	}
	return before, after, nil
}
