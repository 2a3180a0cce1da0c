package review

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

// Membership says how those whom an item about a role is about differ from those of the last
// review of that name, and from their peers.
type Membership struct {
	Since string `json:"since,omitempty"` // the review with which it is compared; empty: none was about the role
	Came  int    `json:"came"`            // people who have it, and had not
	Went  int    `json:"went"`            // people who had it, and have not
	// Unlike counts people who have it while few of their peers do, or the other way round.
	Unlike int `json:"unlike"`
	// Each of these lists the first of them, by ID.
	CameIDs []string  `json:"cameIds,omitempty"`
	WentIDs []string  `json:"wentIds,omitempty"`
	Unlikes []Outlier `json:"unlikes,omitempty"`
}

// Outlier is somebody who differs from those who have the same department and title.
type Outlier struct {
	Person string `json:"person"`
	Has    bool   `json:"has"`
	Peers  int    `json:"peers"`   // how many have that department and title, with this one
	Share  int    `json:"percent"` // of these who have it
}

// shownMembers is how many people a fact lists at most.
const shownMembers = 20

// Job is what peers have in common.
type Job struct{ Department, Title string }

// Members says who has come to a role and gone from it, and who differs from their peers. Now and
// before hold who has it and who had it; before is nil if nobody was asked. Jobs holds everybody
// who is at work. It depends on nothing but its arguments.
func Members(now, before map[string]bool, jobs map[string]Job) Membership {
	var m Membership
	if before != nil {
		m.CameIDs, m.Came = lacking(now, before)
		m.WentIDs, m.Went = lacking(before, now)
	}
	number, have := map[Job]int{}, map[Job]int{}
	for id, job := range jobs {
		number[job]++
		if now[id] {
			have[job]++
		}
	}
	for id, job := range jobs {
		n := number[job]
		if n < fewestPeers {
			continue
		}
		share := 100 * have[job] / n
		if has := now[id]; has && share < fewPeers || !has && share > 100-fewPeers {
			m.Unlikes = append(m.Unlikes, Outlier{Person: id, Has: has, Peers: n, Share: share})
		}
	}
	slices.SortFunc(m.Unlikes, func(a, b Outlier) int { return cmp.Compare(a.Person, b.Person) })
	m.Unlike = len(m.Unlikes)
	m.Unlikes = m.Unlikes[:min(m.Unlike, shownMembers)]
	return m
}

// lacking returns the first of those who are in one set and not in the other, and their number.
func lacking(of, in map[string]bool) (first []string, n int) {
	for id := range of {
		if !in[id] {
			first = append(first, id)
		}
	}
	first, n = set.Sorted(first), len(first)
	return first[:min(n, shownMembers)], n
}

// jobs returns the jobs of everybody who is at work.
func (b *Board) jobs(ctx context.Context) (map[string]Job, error) {
	jobs := map[string]Job{}
	for s, err := range ledger.AllPeople(ctx, b.Ledger, "") {
		if err != nil {
			return nil, err
		}
		if s.Status == hr.StatusActive || s.Status == hr.StatusOnLeave {
			jobs[s.PersonID] = Job{s.Department, s.JobTitle}
		}
	}
	return jobs, nil
}

// memberships returns new facts of the items about roles, now that the population is frozen: who
// came and went, and who differs from their peers. A review of one person has none.
func (f *freezing) memberships(ctx context.Context, alive func()) (map[int64]json.RawMessage, error) {
	if f.review.PersonID != "" {
		return nil, nil
	}
	items, now, err := f.members(ctx, f.review.ID, alive)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	var before map[string]map[string]bool
	if f.since != nil {
		if _, before, err = f.members(ctx, f.since.ID, alive); err != nil {
			return nil, err
		}
	}
	facts := map[int64]json.RawMessage{}
	for _, i := range items {
		m := Members(now[i.Role], before[i.Role], f.peers.jobs)
		if before[i.Role] != nil {
			m.Since = f.since.Ref()
		}
		of := FactsOf(i)
		of.Members = &m
		if facts[i.Item], err = json.Marshal(of); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// members returns a review's items about roles, and by role those whom they are about, also where
// that became an item of its own.
func (b *Board) members(ctx context.Context, reviewID int64, alive func()) ([]ledger.ReviewItem, map[string]map[string]bool, error) {
	var items []ledger.ReviewItem
	roles, of := map[int64]string{}, map[string]map[string]bool{}
	for i, err := range ledger.AllReviewItems(ctx, b.Ledger, ledger.ItemFilter{Review: reviewID, Kind: string(ByRole)}) {
		if err != nil {
			return nil, nil, err
		}
		roles[i.Item] = i.Role
		of[i.Role] = map[string]bool{}
		if i.PersonID == "" {
			items = append(items, i)
		}
	}
	if len(items) == 0 { // every access is an item of its own
		return nil, nil, nil
	}
	for a, err := range ledger.AllReviewAccesses(ctx, b.Ledger, ledger.AccessFilter{Review: reviewID}) {
		if err != nil {
			return nil, nil, err
		}
		alive()
		if role, ok := roles[a.Item]; ok {
			of[role][a.PersonID] = true
		}
	}
	return items, of, nil
}
