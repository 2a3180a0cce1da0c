package hr

import (
	"cmp"
	"slices"
)

// Join makes one timeline of what HR has said of one human under several IDs. The
// periods of all of them follow one another: where two would overlap, the one that
// begins later ends the earlier one, as a rehire does. Leaves and suspensions hold
// under whichever ID they were said; conflicts are those of the timeline itself, since
// those of the others are asked about under theirs.
func Join(own Timeline, earlier ...Timeline) Timeline {
	joined := Timeline{PersonID: own.PersonID, Conflicts: own.Conflicts}
	for _, t := range append(slices.Clone(earlier), own) {
		for _, p := range t.Periods {
			p.Snapshots = slices.Clone(p.Snapshots) // separate cuts them
			joined.Periods = append(joined.Periods, p)
		}
		joined.Absences = append(joined.Absences, t.Absences...)
		joined.Suspensions = append(joined.Suspensions, t.Suspensions...)
	}
	slices.SortStableFunc(joined.Periods, func(a, b Period) int { return a.Starts.Compare(b.Starts) })
	joined.Periods = separate(joined.Periods)
	byStart := func(a, b Interval) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To))
	}
	slices.SortStableFunc(joined.Absences, byStart)
	slices.SortStableFunc(joined.Suspensions, byStart)
	return joined
}
