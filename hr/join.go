package hr

import (
	"cmp"
	"slices"
)

// Join returns one timeline for a human about whom HR has spoken under several IDs. The
// periods of all IDs follow one another. If two would overlap, the later one ends the
// earlier one, as a rehire does. Leaves and suspensions hold for all IDs. The conflicts are
// those of own only, because those of the other IDs are questions of those IDs.
func Join(own Timeline, earlier ...Timeline) Timeline {
	joined := Timeline{PersonID: own.PersonID, Conflicts: own.Conflicts}
	for _, t := range append(slices.Clone(earlier), own) {
		for _, p := range t.Periods {
			p.Profiles = slices.Clone(p.Profiles) // separate changes them
			joined.Periods = append(joined.Periods, p)
		}
		joined.Absences = append(joined.Absences, t.Absences...)
		joined.Suspensions = append(joined.Suspensions, t.Suspensions...)
	}
	slices.SortStableFunc(joined.Periods, func(a, b Period) int { return a.Starts.Compare(b.Starts) })
	joined.Periods = separate(joined.Periods)
	joined.Positions = joinPositions(joined.Periods, append(slices.Clone(earlier), own))
	byStart := func(a, b Interval) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To))
	}
	slices.SortStableFunc(joined.Absences, byStart)
	slices.SortStableFunc(joined.Suspensions, byStart)
	return joined
}

// joinPositions returns the positions that a human had under several IDs; nil if HR names
// none. Each position ends with the employment that it belongs to.
func joinPositions(joined []Period, timelines []Timeline) []Position {
	if !slices.ContainsFunc(timelines, func(t Timeline) bool { return len(t.Positions) > 0 }) {
		return nil
	}
	var list []Position
	for _, t := range timelines {
		positions := t.Positions
		if len(positions) == 0 {
			positions = []Position{{Periods: t.Periods}}
		}
		for _, p := range positions {
			p.Periods = within(p.Periods, t.Periods, joined)
			if len(p.Periods) > 0 {
				list = append(list, p)
			}
		}
	}
	return list
}

// within cuts a position's periods where Join cut the employments that they belong to.
func within(own, employments, joined []Period) []Period {
	var kept []Period
	for _, p := range own {
		p.Profiles = slices.Clone(p.Profiles)
		for _, e := range employments {
			if p.Starts.Before(e.Starts) || !e.Ends.IsZero() && p.Starts.After(e.Ends) {
				continue
			}
			at := slices.IndexFunc(joined, func(j Period) bool { return j.Opened == e.Opened && j.Starts.Equal(e.Starts) })
			if at < 0 {
				continue
			}
			if cut := joined[at]; !cut.Ends.IsZero() && (p.Ends.IsZero() || p.Ends.After(cut.Ends)) {
				p.endAt(cut.Ends, cut.End)
			}
			kept = append(kept, p)
			break
		}
	}
	return kept
}
