package notice

import "time"

// States lists what Public.State can be in the texts of a kind, if they differ by it.
func States(kind string) []string {
	switch kind {
	case RequestAsked, RequestReminded:
		return []string{"asked", "confirming"}
	case RequestDecided, RequestSettled:
		return []string{"approved", "denied", "cancelled", "expired", "confirmed", "disputed"}
	case JoinerStart:
		return []string{stateReady, statePlanned, stateLate}
	case LeaverEnd:
		return []string{stateDone, stateLate}
	}
	return nil
}

// Sample returns data such as a notice of a kind may have, about nobody. state is
// Public.State; empty: the usual one.
func Sample(kind, state string) Private {
	if all := States(kind); state == "" && len(all) > 0 {
		state = all[0]
	}
	day := time.Date(2026, time.November, 30, 9, 0, 0, 0, time.UTC)
	data := Private{
		Public: Public{
			About: "r-12", Person: "10004", App: "wiki", Apps: []string{"directory", "wiki"}, Role: "librarian", Step: "Disable", State: state,
			Counts: []Count{{What: "orphan", N: 2}, {What: "stray", N: 1}}, Count: 3, Allowed: 10, At: day, Until: day.AddDate(0, 0, 3),
			Commands: []string{"tenure request show r-12"},
		},
		Who: "Ada Example", AskedBy: "Grace Example", For: "8h", Reason: "A sample of a reason", Ticket: "INC-1", Account: "ada",
	}
	switch kind {
	case TaskAsked, TaskReminded, TaskOverdue:
		data.About, data.Commands = "t-7", []string{"tenure task show 7"}
	case FindingAsked:
		data.About, data.Commands = "wiki", []string{"tenure finding list --app wiki"}
	case ReviewAsked, ReviewReminded, ReviewEscalated, ReviewPreviewed, ReviewClosed:
		data.About, data.State, data.Commands = "v-3", "open", []string{"tenure review show v-3"}
		data.Counts = []Count{{What: "keep", N: 2}, {What: "revoke, by silence", N: 1}}
	case BreakerHeld:
		data.About, data.State, data.Commands = "c-2", "leavers", []string{"tenure breaker show c-2"}
	case CutOffAttention, JoinerStart, LeaverEnd:
		data.About, data.Commands = "10004", []string{"tenure person show 10004"}
	}
	return data
}
