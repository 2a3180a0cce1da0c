package review

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Quality says how people have decided in a review, as far as the ledger can tell: facts about
// each reviewer, and no judgement of anybody.
type Quality struct {
	All Manner `json:"all"` // of everybody together
	// Reviewers holds who was asked or has decided, by ID; with an empty ID, what nobody can be
	// asked about.
	Reviewers []Manner `json:"reviewers"`
	KeptAll   int      `json:"keptAll"` // reviewers who have decided, and kept everything
	Stamps    int      `json:"stamps"`  // reviewers who bear the sign of a rubber stamp
	// Again counts revocations of a granted role that the person requested again within 30 days.
	Again int `json:"again"`
}

// Manner says how somebody has decided. What was moot is not counted.
type Manner struct {
	Person    string  `json:"person,omitempty"`
	Asked     int     `json:"asked"`     // items that are, or were last, with them
	Decided   int     `json:"decided"`   // items they have decided, for others too
	Kept      int     `json:"kept"`      // of these
	Revoked   int     `json:"revoked"`   // of these
	KeptShare float64 `json:"keptShare"` // kept among decided; 0 if nothing is
	Undecided int     `json:"undecided"` // items that were with them, and that nobody has decided
	ByOthers  int     `json:"byOthers"`  // items that were with them, and that somebody else has decided
	Reminded  int     `json:"reminded"`  // decided after they had been reminded
	Late      int     `json:"late"`      // decided after the next ones up were asked as well
	// Quick counts decisions less than 2 seconds after the one before, or after they were asked.
	Quick int `json:"quick"`
	// MedianSeconds is how long they took over an item: half took less.
	MedianSeconds float64 `json:"medianSeconds"`
	// FastestMinute is the most items that they decided within a minute.
	FastestMinute int `json:"fastestMinute"`
	// Stamp is the sign of a rubber stamp: they decided ten items or more, kept all of them, and
	// took less than 2 seconds over most.
	Stamp bool `json:"stamp,omitempty"`
}

const (
	// quickly is the time below which nobody has looked at an item.
	quickly = 2 * time.Second
	// fewestStamps is how many decisions it takes to tell that somebody does not look.
	fewestStamps = 10
	// againWithin is how soon after a revocation a request says that it was wrong.
	againWithin = 30 * 24 * time.Hour
)

// Measure says how people have decided about the items of a review. Reminded tells when each of
// them was first reminded. It depends on nothing but its arguments.
func Measure(r ledger.Review, items iter.Seq[ledger.ReviewItem], reminded map[string]time.Time) Quality {
	m := measure{escalated: r.EscalatedAt, reminded: reminded, of: map[string]*decisions{}}
	for i := range items {
		m.add(i)
	}
	q := Quality{Reviewers: []Manner{}}
	var all decisions
	for _, one := range m.of {
		manner := one.manner()
		q.Reviewers = append(q.Reviewers, manner)
		if all.add(one); one.Decided > 0 && one.Revoked == 0 {
			q.KeptAll++
		}
		if manner.Stamp {
			q.Stamps++
		}
	}
	q.All = all.manner()
	q.All.FastestMinute, q.All.Stamp = 0, false // of many people they say nothing
	for _, one := range q.Reviewers {
		q.All.FastestMinute = max(q.All.FastestMinute, one.FastestMinute)
	}
	slices.SortFunc(q.Reviewers, func(a, b Manner) int { return cmp.Compare(a.Person, b.Person) })
	return q
}

// measure measures how people have decided.
type measure struct {
	escalated time.Time
	reminded  map[string]time.Time
	of        map[string]*decisions // by person
}

// decisions holds what one person has decided.
type decisions struct {
	Manner
	at   []time.Time
	took []time.Duration
}

func (m *measure) person(id string) *decisions {
	d, ok := m.of[id]
	if !ok {
		d = &decisions{Manner: Manner{Person: id}}
		m.of[id] = d
	}
	return d
}

// add counts an item.
func (m *measure) add(i ledger.ReviewItem) {
	if i.Decision == ledger.VerdictMoot {
		return
	}
	asked := m.person(i.Reviewer)
	asked.Asked++
	if i.Decision == "" || i.DecidedBy == ledger.ReviewNobody {
		asked.Undecided++
		return
	}
	by := m.person(i.DecidedBy)
	if by != asked {
		asked.ByOthers++
	}
	by.Decided++
	if i.Decision == ledger.VerdictRevoke {
		by.Revoked++
	} else {
		by.Kept++
	}
	if i.Took < quickly {
		by.Quick++
	}
	if at, ok := m.reminded[i.DecidedBy]; ok && i.DecidedAt.After(at) {
		by.Reminded++
	}
	if !m.escalated.IsZero() && i.DecidedAt.After(m.escalated) {
		by.Late++
	}
	by.at, by.took = append(by.at, i.DecidedAt), append(by.took, i.Took)
}

// add adds what somebody else has decided.
func (d *decisions) add(one *decisions) {
	d.Asked += one.Asked
	d.Decided += one.Decided
	d.Kept += one.Kept
	d.Revoked += one.Revoked
	d.Undecided += one.Undecided
	d.ByOthers += one.ByOthers
	d.Reminded += one.Reminded
	d.Late += one.Late
	d.Quick += one.Quick
	d.took = append(d.took, one.took...)
}

// manner says how it was decided.
func (d *decisions) manner() Manner {
	m := d.Manner
	if m.Decided == 0 {
		return m
	}
	m.KeptShare = float64(m.Kept) / float64(m.Decided)
	slices.Sort(d.took)
	m.MedianSeconds = d.took[(len(d.took)-1)/2].Seconds()
	slices.SortFunc(d.at, time.Time.Compare)
	first := 0
	for n, at := range d.at {
		for at.Sub(d.at[first]) >= time.Minute {
			first++
		}
		m.FastestMinute = max(m.FastestMinute, n-first+1)
	}
	m.Stamp = m.Decided >= fewestStamps && m.Revoked == 0 && 2*m.Quick > m.Decided
	return m
}

// QualityOf says how people have decided in a review. It reads all its items.
func QualityOf(ctx context.Context, l ledger.Reader, r ledger.Review) (Quality, error) {
	reminded := map[string]time.Time{}
	counts, err := l.CountItems(ctx, r.ID)
	if err != nil {
		return Quality{}, err
	}
	if r.Reminders > 0 {
		if err := readReminders(ctx, l, r, counts, reminded); err != nil {
			return Quality{}, err
		}
	}
	again := 0
	var failed error
	q := Measure(r, func(yield func(ledger.ReviewItem) bool) {
		for i, err := range ledger.AllReviewItems(ctx, l, ledger.ItemFilter{Review: r.ID}) {
			if err == nil && i.Decision == ledger.VerdictRevoke && i.Kind == string(ByGrant) {
				var asked bool
				if asked, err = askedAgain(ctx, l, i); asked {
					again++
				}
			}
			if failed = err; failed != nil || !yield(i) {
				return
			}
		}
	}, reminded)
	q.Again = again
	return q, failed
}

// readReminders reads from the record when each of those who were asked was first reminded.
func readReminders(ctx context.Context, l ledger.Reader, r ledger.Review, counts []ledger.ItemCount, reminded map[string]time.Time) error {
	for _, c := range counts {
		if _, known := reminded[c.Reviewer]; known || c.Reviewer == "" {
			continue
		}
		for row, err := range ledger.AllAudit(ctx, l, c.Reviewer, 0) {
			if err != nil {
				return err
			}
			if row.Action == ledger.AuditReviewReminded && row.Detail["review"] == r.Ref() {
				reminded[c.Reviewer] = row.At
				break
			}
		}
	}
	return nil
}

// askedAgain reports whether what was revoked was requested again soon.
func askedAgain(ctx context.Context, l ledger.Reader, i ledger.ReviewItem) (bool, error) {
	for r, err := range ledger.AllRequests(ctx, l, ledger.RequestFilter{PersonID: i.PersonID, Role: i.Role}, 0) {
		if err != nil {
			return false, err
		}
		if r.AskedAt.After(i.DecidedAt) && r.AskedAt.Sub(i.DecidedAt) <= againWithin {
			return true, nil
		}
	}
	return false, nil
}
