package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// derived begins the IDs of positions that have none in the file.
const derived = "job-"

// unnamed reports whether an ID is not HR's own: it is empty or derived.
func unnamed(id string) bool { return id == "" || strings.HasPrefix(id, derived) }

// jobFields lists the fields that, besides the first day, tell the jobs of one person apart.
var jobFields = []string{"worker.department", "worker.jobTitle", "worker.company"}

// jobID returns the ID of a row's position: the file's own, else one that is computed from
// jobFields and the first day. With the first day, a job that somebody takes up again later
// is another position.
func (r *Row) jobID() string {
	if r.PositionID != "" {
		return r.PositionID
	}
	var told []string
	for _, field := range jobFields {
		told = append(told, *texts[field](&r.Profile))
	}
	sum := sha256.Sum256([]byte(strings.Join(append(told, r.Profile.StartDate.String()), "\x00")))
	return derived + hex.EncodeToString(sum[:6])
}

// sameJob reports whether two profiles are about jobs that differ only in their dates.
func sameJob(a, b *hr.Profile) bool {
	return !slices.ContainsFunc(jobFields, func(field string) bool { return *texts[field](a) != *texts[field](b) })
}

// jobLost reports whether the file has lost a value that identifies the row's job.
func (r *Row) jobLost() bool {
	return r.PositionID == "" && (r.missing[FieldStart] || slices.ContainsFunc(jobFields, func(field string) bool { return r.missing[field] }))
}

// contradicts returns the field in which two rows of one person contradict each other
// about the person or about one position; it is empty if they go together.
func (r *Row) contradicts(other *Row) string {
	for _, field := range []string{FieldGiven, FieldFamily, "worker.preferredName", "worker.workEmail", "worker.personalEmail"} {
		a, b := *texts[field](&r.Profile), *texts[field](&other.Profile)
		if a != "" && b != "" && !strings.EqualFold(a, b) {
			return "with another " + field + ": these are two people, or one of the lines is wrong"
		}
	}
	if r.jobID() == other.jobID() && r.done == other.done {
		return "otherwise, and for the same position: name the column that tells positions apart (snapshot.columns.positionId), or mend the file"
	}
	return ""
}

// distinct leaves out repeated rows.
func distinct(rows []*Row) (kept []*Row) {
	for _, row := range rows {
		if i := slices.IndexFunc(kept, func(k *Row) bool { return k.content() == row.content() }); i >= 0 {
			kept[i].Primary = kept[i].Primary || row.Primary
			continue
		}
		kept = append(kept, row)
	}
	return kept
}

// byRank orders the rows of a person, the primary one first. That is the row that the file
// marks, else the one that began first, else the first one in the file.
func byRank(a, b *Row) int {
	marked := func(r *Row) int {
		if r.Primary {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(marked(a), marked(b)), a.Profile.StartDate.Compare(b.Profile.StartDate), cmp.Compare(a.Line, b.Line))
}

// choose splits the rows into those of jobs that are held and of jobs that are over. It
// makes one row the subject's: the primary one or, for somebody who has left, the one with
// the latest last day.
func (s *subject) choose(rows []*Row) {
	for _, row := range rows {
		s.row = row
		row.done = row.Left || s.over()
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, byRank)
	for _, row := range rows {
		if row.done {
			s.done = append(s.done, row)
		} else {
			s.current = append(s.current, row)
		}
	}
	if len(s.current) > 0 {
		s.row = s.current[0]
	} else if len(s.done) > 0 {
		s.row = slices.MaxFunc(s.done, func(a, b *Row) int {
			if a.end().IsZero() != b.end().IsZero() {
				return map[bool]int{true: 1, false: -1}[a.end().IsZero()]
			}
			return a.end().Compare(b.end())
		})
	}
	if i := slices.IndexFunc(s.current, func(row *Row) bool { return row.unclear }); i >= 0 {
		s.row = s.current[i]
	}
}

// several reports whether positions have to be told apart.
func (s *subject) several(t hr.Timeline) bool {
	return len(s.current)+len(s.done) > 1 || s.row.PositionID != "" || len(t.Held(s.AsOf)) > 1
}

// held is a position that somebody holds, or will hold on their first day.
type held struct {
	*hr.Position
	period *hr.Period
	in     hr.EffectiveProfile // in force
}

// positions returns the positions that the person holds, or will hold on their first day. If
// there are several, it returns those that the snapshot covers, and reports whether there
// are others.
func (s *subject) positions(t hr.Timeline) (ours []*held, others bool, err error) {
	all := t.Positions
	if len(all) == 0 {
		all = []hr.Position{{Periods: t.Periods}}
	}
	var list []*held
	for i := range all {
		for j := range all[i].Periods {
			p := &all[i].Periods[j]
			if p.Ends.IsZero() || p.Ends.After(s.AsOf) && p.Ends.After(p.Starts) {
				list = append(list, &held{&all[i], p, inForce(p, latest(s.AsOf, p.Starts))})
				break
			}
		}
	}
	if len(list) < 2 {
		return list, false, nil
	}
	for _, h := range list {
		covered := h.in.Event.Source == s.Source
		if s.Covers != nil {
			if covered, err = s.Covers(s.id, &h.in.Profile); err != nil {
				return nil, false, err
			}
		}
		if covered {
			ours = append(ours, h)
		}
	}
	return ours, len(ours) < len(list), nil
}

// gone decides about somebody who holds no position by any row. It does not end positions
// that another system has given them.
func (s *subject) gone(t hr.Timeline, end func(*subject) finding) (finding, error) {
	list, others, err := s.positions(t)
	if err != nil || !others {
		return end(s), err
	}
	var f finding
	for _, h := range list {
		found := end(s.with(s.row, h, endingID(h), false))
		f.events = append(f.events, found.events...)
		if f.question == nil {
			f.question = found.question
		}
	}
	return f, nil
}

// pair finds the position of each row. A row without an ID belongs to the position with the
// same job. If one row and one position are left over, they belong together: that is a move.
func (s *subject) pair(list []*held) map[*Row]*held {
	pairs, taken := map[*Row]*held{}, map[*held]bool{}
	each := func(rows []*Row, is func(*Row, *held) bool) {
		for _, row := range rows {
			for _, h := range list {
				if pairs[row] == nil && !taken[h] && is(row, h) {
					pairs[row], taken[h] = h, true
				}
			}
		}
	}
	named := func(row *Row, h *held) bool {
		id := row.jobID()
		return h.ID == id || slices.Contains(h.Former, id)
	}
	alike := func(row *Row, h *held) bool {
		p := row.over(h.in.Profile) // a lost value counts as unchanged
		return (row.PositionID == "" || unnamed(h.ID)) && sameJob(&p, &h.in.Profile)
	}
	began := func(row *Row, h *held) bool { return row.Profile.StartDate == h.in.Profile.StartDate }
	for _, rows := range [][]*Row{s.current, s.done} {
		each(rows, named)
		each(rows, func(row *Row, h *held) bool { return alike(row, h) && began(row, h) })
	}
	each(s.current, alike)
	alone := func(day hr.Date) bool { // only one row and one position that are left over began then
		rows, positions := 0, 0
		for _, row := range s.current {
			if pairs[row] == nil && row.Profile.StartDate == day {
				rows++
			}
		}
		for _, h := range list {
			if !taken[h] && h.in.Profile.StartDate == day {
				positions++
			}
		}
		return rows == 1 && positions == 1
	}
	each(s.current, func(row *Row, h *held) bool {
		return row.PositionID == "" && began(row, h) && alone(row.Profile.StartDate)
	})
	// A hire for the first day of a position that has no ID would name that one.
	first := func(row *Row, h *held) bool { return h.ID == "" && began(row, h) }
	each(s.current, func(row *Row, h *held) bool {
		p, in := &row.Profile, &h.in.Profile
		return first(row, h) && (p.Department == in.Department || p.JobTitle == in.JobTitle)
	})
	each(s.current, first)
	rest := slices.DeleteFunc(slices.Clone(s.current), func(row *Row) bool { return pairs[row] != nil })
	if free := len(list) - len(taken); len(rest) == 1 && free == 1 {
		each(rest, func(row *Row, h *held) bool {
			return row.PositionID == "" || h.ID == "" || len(list) == 1 && len(s.current) == 1
		})
	}
	if free := len(list) - len(taken); len(s.current) == 0 && len(s.done) == 1 && free == 1 {
		each(s.done, func(*Row, *held) bool { return true })
	}
	return pairs
}

// jobs decides about somebody who is at work by the snapshot and has several positions.
func (s *subject) jobs(t hr.Timeline) (finding, error) {
	switch {
	case s.now != nil, s.last == nil && s.next != nil:
	default:
		return s.begin(s.with(s.row, nil, s.current[0].jobID(), len(s.current) > 1).present(t)), nil
	}
	list, _, err := s.positions(t)
	if err != nil {
		return finding{}, err
	}
	s.keepPrimary(t, s.pair(list))
	f := s.settle(t, list, false)
	if f.question != nil || len(s.current) < 2 {
		return f, nil
	}
	pairs := s.pair(list)
	main := s.nameOf(s.current[0], pairs[s.current[0]], list)
	holds := hr.Merge(s.id, append(slices.Clone(s.events), f.events...)).Held(s.AsOf)
	theirs := slices.ContainsFunc(list, func(h *held) bool { return len(holds) > 0 && h.ID == holds[0].ID }) ||
		len(holds) > 0 && slices.ContainsFunc(s.current, func(row *Row) bool { return row.jobID() == holds[0].ID })
	if len(holds) > 0 && holds[0].ID != main && (theirs || s.current[0].Primary) {
		s.said = 0
		return s.settle(t, list, true), nil
	}
	return f, nil
}

// keepPrimary keeps the primary position, unless the file marks another row as primary. The
// order of rows must not decide, because it may change.
func (s *subject) keepPrimary(t hr.Timeline, pairs map[*Row]*held) {
	holds := t.Held(s.AsOf)
	if len(holds) == 0 {
		return
	}
	for i, row := range s.current {
		first := s.current[0]
		if h := pairs[row]; h != nil && h.ID == holds[0].ID && row.Primary == first.Primary && row.Profile.StartDate == first.Profile.StartDate {
			s.current = slices.Insert(slices.Delete(slices.Clone(s.current), i, i+1), 0, row)
			s.row = row
			return
		}
	}
}

// begin adds the events that begin the other positions to those that begin the first one.
func (s *subject) begin(f finding) finding {
	if len(f.events) == 0 {
		return f
	}
	for _, row := range s.current[1:] {
		first := s.with(row, nil, row.jobID(), false)
		profile := row.over(s.profile)
		if s.last == nil {
			profile = row.over(row.Profile)
		}
		f.events = append(f.events, first.begins(profile, later(profile.StartDate, f.events[0].Effective))...)
	}
	return f
}

// begins returns the events that begin a position.
func (s *subject) begins(profile hr.Profile, day hr.Date) []hr.Event {
	events := []hr.Event{s.event(hr.Event{Type: hr.EventHired, Effective: day, Profile: &profile})}
	if last := s.row.LastDay; !last.IsZero() {
		events = append(events, s.event(hr.Event{
			Type: hr.EventTerminated, Effective: last,
			Termination: &hr.Termination{LastDay: last, Reason: "announced by the snapshot of " + s.today().String()},
		}))
	}
	return events
}

// settle compares each position with its row. If call is set, it marks the primary one.
func (s *subject) settle(t hr.Timeline, list []*held, call bool) (f finding) {
	pairs := s.pair(list)
	add := func(found finding) {
		f.events, f.changed = append(f.events, found.events...), append(f.changed, found.changed...)
		if f.question == nil {
			f.question = found.question
		}
	}
	for _, row := range slices.Concat(s.current, s.done) {
		if h := pairs[row]; h != nil {
			add(s.known(t, row, h, list, call && row == s.current[0]))
		}
	}
	for _, row := range s.current {
		if pairs[row] == nil {
			add(s.taken(t, row, call && row == s.current[0]))
		}
	}
	if f.question != nil {
		return f // no position ends while there is a question: the operator has to know which ones are left
	}
	for _, h := range list {
		paired := false
		for _, other := range pairs {
			paired = paired || other == h
		}
		if !paired && s.counted {
			add(s.with(nil, h, endingID(h), false).absent())
		}
	}
	return f
}

// known decides about a position that is held and in the file.
func (s *subject) known(t hr.Timeline, row *Row, h *held, list []*held, call bool) finding {
	if row.done {
		return s.with(row, h, endingID(h), false).left()
	}
	id := s.nameOf(row, h, list)
	of := s.with(row, h, id, call)
	f := of.compare(h.period)
	names := id != h.ID && len(list) == 1
	if len(f.events) == 0 && (names || call) {
		profile := row.over(h.in.Profile)
		f.events = append(f.events, of.event(hr.Event{
			Type: hr.EventUpdated, Profile: &profile, Effective: later(s.today(), s.effective(h.in.Event)),
		}))
	}
	if holds := t.Held(s.AsOf); len(f.events) > 0 && h.ID == "" && len(holds) > 1 && holds[0].ID != "" {
		return s.ask(CodeUnsettled, "has a position without an ID, which no event can name, and that the snapshot has otherwise: HR must end it and give it an ID", h.in.Event)
	}
	return f
}

// nameOf returns the position ID for a row's events. The only position held gets an ID when
// another position is added, and a new one when the file's own differs.
func (s *subject) nameOf(row *Row, h *held, list []*held) string {
	switch {
	case h == nil, len(list) == 1 && (row.PositionID != "" && h.ID != "" || h.ID == "" && len(s.current) > 1):
		return row.jobID()
	default:
		return h.ID
	}
}

// endingID returns the ID by which a position can be ended: its own or, if it has none, one
// that no position has.
func endingID(h *held) string {
	if h.ID != "" {
		return h.ID
	}
	row := Row{Profile: h.in.Profile}
	return row.jobID()
}

// mayBe reports whether the row may be about a position that is over. It is if it has that
// position's ID, or the same first day and a job that the position had. It is not if HR gave
// both of them different IDs.
func (r *Row) mayBe(p *hr.Position) bool {
	if id := r.jobID(); p.ID == id || slices.Contains(p.Former, id) {
		return true
	}
	if r.PositionID != "" && !unnamed(p.ID) {
		return false
	}
	for _, period := range p.Periods {
		for _, in := range period.Profiles {
			if sameJob(&r.Profile, &in.Profile) && r.Profile.StartDate == in.Profile.StartDate {
				return true
			}
		}
	}
	return false
}

// taken decides about a job that is new.
func (s *subject) taken(t hr.Timeline, row *Row, call bool) finding {
	if row.jobLost() {
		return s.ask(CodeUnsettled, fmt.Sprintf("has a position in line %d that lost what would tell which one it is: mend the file", row.Line), hr.EventKey{})
	}
	id := row.jobID()
	for _, p := range t.Positions {
		if p.At(s.AsOf) == nil && row.mayBe(&p) {
			return s.ask(CodeLeft, fmt.Sprintf("has given up the position of line %d, but holds it by the snapshot: if they hold it again, "+
				"it needs another positionId or first day; if they never gave it up, HR must rescind what ended it", row.Line), p.Periods[len(p.Periods)-1].End.Event)
		}
	}
	profile := row.over(row.Profile)
	return finding{
		events:  s.with(row, nil, id, call).begins(profile, profile.StartDate),
		changed: differences(&hr.Profile{}, &profile),
	}
}

// with returns the subject for one of the person's positions.
func (s *subject) with(row *Row, h *held, id string, primary bool) *subject {
	of := *s
	of.row, of.positionID, of.primary, of.numbered = row, id, primary && id != "", s
	if h == nil {
		return &of
	}
	of.profile, of.now, of.next, of.last = h.in.Profile, nil, nil, nil
	if h.period.Starts.After(s.AsOf) {
		of.next = h.period
	} else {
		of.now = h.period
	}
	return &of
}
