package review

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// The places where freezing goes on: after a person, after a finding, or at the end.
const (
	placePerson  = "person:"
	placeFinding = "finding:"
	placeEnd     = "end"
)

// frozenPage is how many people, or findings, are frozen at once.
var frozenPage = 200

// freezing freezes the population of a review.
type freezing struct {
	*Board
	review ledger.Review
	terms  Terms
	cover  *policy.Cover
	panel  *Panel
	since  *ledger.Review
	peers  *peers
	lines  []string // of the page, person by person and finding by finding: see chained
}

// freeze returns what freezes a review.
func (b *Board) freeze(ctx context.Context, r ledger.Review) (*freezing, error) {
	f := &freezing{Board: b, review: r}
	var err error
	if f.terms, err = TermsOf(r); err != nil {
		return nil, err
	}
	if f.terms.Covers != "" {
		if f.cover, err = policy.CompileCover("covers", f.terms.Covers); err != nil {
			return nil, err
		}
	}
	if f.panel, err = b.Panel(ctx, f.terms); err != nil {
		return nil, err
	}
	if f.since, err = b.before(ctx, r); err != nil {
		return nil, err
	}
	f.peers, err = b.peers(ctx)
	return f, err
}

// page returns the next page of the population, and false if nothing is left.
func (f *freezing) page(ctx context.Context) (ledger.FrozenPage, bool, error) {
	r := f.review
	page := ledger.FrozenPage{Review: r.ID, Place: r.Place, Next: placeEnd, At: f.Clock.Now()}
	var err error
	f.lines = nil
	switch after, findings := strings.CutPrefix(r.Place, placeFinding); {
	case r.Place == placeEnd:
		return page, false, nil
	case findings:
		err = f.findings(ctx, after, &page)
	default:
		err = f.people(ctx, strings.TrimPrefix(r.Place, placePerson), &page)
	}
	if err != nil {
		return page, false, err
	}
	for i := range page.Items {
		one := &page.Items[i]
		d, err := f.panel.Assign(ctx, one.ReviewItem)
		if err != nil {
			return page, false, err
		}
		one.Reviewer, one.Authority = d.PersonID, d.Authority
	}
	page.Digest = chained(r.Digest, f.lines)
	return page, true, nil
}

// people adds the items about people after a person.
func (f *freezing) people(ctx context.Context, after string, page *ledger.FrozenPage) error {
	ids := []string{f.review.PersonID}
	last := true
	if f.review.PersonID == "" {
		people, err := f.Ledger.People(ctx, after, frozenPage)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, p := range people {
			ids = append(ids, p.PersonID)
		}
		last = len(people) < frozenPage
	}
	switch {
	case !last:
		page.Next = placePerson + ids[len(ids)-1]
	case f.review.PersonID == "":
		page.Next = placeFinding
	}
	for _, id := range ids {
		if ledger.IsOrphan(id) { // their account is being ended
			continue
		}
		s, err := f.snapshot(ctx, id, f.review.Name, f.since)
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.Peers = f.peers.of(s.Decision.Person.Summary)
		items, err := Items(s, f.terms, f.cover)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, items...)
		f.lines = append(f.lines, Lines(items)...)
	}
	return nil
}

// findings adds the accounts that are nobody's, after a finding.
func (f *freezing) findings(ctx context.Context, after string, page *ledger.FrozenPage) error {
	id, _ := strconv.ParseInt(after, 10, 64)
	found, err := f.Ledger.Findings(ctx, ledger.FindingFilter{}, id, frozenPage)
	if err != nil {
		return err
	}
	if len(found) == frozenPage {
		page.Next = placeFinding + strconv.FormatInt(found[len(found)-1].ID, 10)
	}
	for _, one := range found {
		i, err := f.nobodys(ctx, one)
		if err != nil {
			return err
		}
		if i != nil {
			page.Items = append(page.Items, *i)
			f.lines = append(f.lines, Lines([]ledger.FrozenItem{*i})...)
		}
	}
	return nil
}

// nobodys returns the item about an account that is nobody's; nil if the finding is about
// something else, the account is being ended already, or the terms do not cover it.
func (f *freezing) nobodys(ctx context.Context, one ledger.Finding) (*ledger.FrozenItem, error) {
	if !nobodys(one) || ends(one) {
		return nil, nil
	}
	kind, because := describe(one)
	seen, ok, err := f.Ledger.Seen(ctx, one.App, one.AccountID)
	if err != nil || !ok {
		return nil, err
	}
	facts := Facts{Since: seen.FirstAt, Proven: seen.At, LastUsed: seen.LastUsedAt}
	if f.terms.UnusedAfter > 0 && !seen.LastUsedAt.IsZero() && seen.LastUsedAt.Before(f.Clock.Now().Add(-f.terms.UnusedAfter)) {
		facts.Flags = append(facts.Flags, FlagUnused)
	}
	if !seen.Active {
		facts.Flags = append(facts.Flags, FlagOff)
	}
	if f.cover != nil {
		covered := policy.Covered{Because: string(kind), App: one.App, Risk: policy.RiskStandard}
		for _, flag := range facts.Flags {
			covered.Flags = append(covered.Flags, string(flag))
		}
		if holds, err := f.cover.Holds(covered, "", nil); err != nil || !holds {
			return nil, err
		}
	}
	text, err := json.Marshal(facts)
	if err != nil {
		return nil, err
	}
	i := &ledger.FrozenItem{ReviewItem: ledger.ReviewItem{
		Key: "account:" + one.App + ":" + one.AccountID, Kind: string(kind), App: one.App, AccountID: one.AccountID, Because: because, Facts: text,
	}}
	for _, name := range append([]string{""}, seen.Entitlements...) {
		i.Accesses = append(i.Accesses, ledger.AccessPlace{App: one.App, AccountID: one.AccountID, Entitlement: name})
	}
	return i, nil
}

// peers counts who has what among those who have the same department and title.
type peers struct {
	jobs   map[string]Job
	number map[Job]int
	have   map[Job]map[[2]string]int
}

// fewestPeers is the number of people of one department and title from which on it can be told
// what is unusual among them.
const fewestPeers = 5

// peers counts what everybody has who is at work.
func (b *Board) peers(ctx context.Context) (*peers, error) {
	jobs, err := b.jobs(ctx)
	if err != nil {
		return nil, err
	}
	p := &peers{jobs: jobs, number: map[Job]int{}, have: map[Job]map[[2]string]int{}}
	for _, j := range jobs {
		p.number[j]++
	}
	for _, app := range b.Rules.Policy.Apps() {
		for l, err := range ledger.AllLinks(ctx, b.Ledger, ledger.LinkFilter{App: app, State: ledger.LinkActive}) {
			if err != nil {
				return nil, err
			}
			j, ok := jobs[l.PersonID]
			if !ok {
				continue
			}
			if p.have[j] == nil {
				p.have[j] = map[[2]string]int{}
			}
			for _, name := range append([]string{""}, l.Entitlements...) {
				p.have[j][[2]string{app, name}]++
			}
		}
	}
	return p, nil
}

// of returns how many percent of somebody's peers have something.
func (p *peers) of(s ledger.Summary) func(app, entitlement string) int {
	j := Job{s.Department, s.JobTitle}
	return func(app, entitlement string) int {
		if p.number[j] < fewestPeers {
			return -1
		}
		return 100 * p.have[j][[2]string{app, entitlement}] / p.number[j]
	}
}

// freezeFor is how long (real time) a look at a review freezes before it lets others have a turn.
const freezeFor = time.Minute
