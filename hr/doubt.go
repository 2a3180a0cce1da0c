package hr

// ineffective returns conflicts for the terminations that end nothing because of a rehire
// that was received before them: the rehire counts as said later, or the last day lies
// before it although HR knew of the rehire. A termination that only came late, and in HR's
// own order ended the employment before the rehire, is no conflict, unless it is immediate.
func (s *split) ineffective() []Conflict {
	var conflicts []Conflict
	for k, m := range s.list {
		for _, t := range m.ends {
			for _, next := range s.list[k+1:] {
				if next.rehired != nil && len(next.ends) == 0 && t.arrivedAfter(next.rehired) &&
					(next.rehired.before(t) || t.lastDay().Compare(next.from) >= 0 || t.immediate()) {
					conflicts = append(conflicts, Conflict{Code: ConflictNoEffect, Event: t.EventKey})
					break
				}
			}
		}
	}
	for _, t := range s.unassigned {
		conflicts = append(conflicts, Conflict{Code: ConflictNoEffect, Event: t.EventKey})
	}
	return conflicts
}

// doubtful returns the conflicts that an operator has to look at in any case: the last event
// that was recorded ahead of its time, rescinds that came before the termination that they
// name, and rescinds of security events, which HR may not rescind. all holds all events,
// standing those that are not rescinded.
func doubtful(all, standing []*Event) []Conflict {
	var conflicts []Conflict
	byKey := make(map[EventKey]*Event, len(all))
	for _, e := range all {
		byKey[e.EventKey] = e
	}
	void := voided(all)
	for _, e := range all {
		if by := void[e]; by != nil && e.Type == EventTerminated && e.arrivedAfter(by) {
			conflicts = append(conflicts, Conflict{Code: ConflictNoEffect, Event: e.EventKey})
		}
		if e.Type != EventRescinded {
			continue
		}
		if named := byKey[e.Rescinded()]; named != nil && void[e] == nil && !e.mayRescind(named) {
			conflicts = append(conflicts, Conflict{Code: ConflictRescindsSecurity, Event: e.EventKey})
		}
	}
	var last *Event
	for _, e := range standing {
		if e.ahead() && (last == nil || e.arrivedAfter(last)) {
			last = e
		}
	}
	if last != nil {
		conflicts = append(conflicts, Conflict{Code: ConflictRecordedAhead, Event: last.EventKey})
	}
	return conflicts
}
