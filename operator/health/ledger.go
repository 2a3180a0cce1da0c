package health

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
)

// callsLate is how long an app's calls have to wait before there is a line about it.
const callsLate = 10 * time.Second

// ledgerParts describes what the ledger knows.
func (t Tenure) ledgerParts(ctx context.Context) (parts []Part) {
	names := []string{"people", "turns", "steps", "mass changes", "approvals", "tasks", "dead letters", "apps", "licences", "notices"}
	const do = "check ledger.url, and that the database is up: tenure config check --connect"
	err := t.Ledger(ctx, func(l ledger.Reader) error {
		counts, countErr := l.Count(ctx)
		for i, look := range []func() (Part, error){
			func() (Part, error) { return t.overduePart(ctx, l) },
			func() (Part, error) { return t.turnsPart(ctx, l) },
			func() (Part, error) { return attentionPart(counts.Attention), countErr },
			func() (Part, error) { return heldPart(ctx, l) },
			func() (Part, error) { return approvalsPart(counts.Approvals), countErr },
			func() (Part, error) { return tasksPart(ctx, l, t.Clock.Now()) },
			func() (Part, error) { return lettersPart(ctx, l) },
			func() (Part, error) { return t.callsPart(ctx, l) },
			func() (Part, error) { return t.licencesPart(ctx, l, time.Now()) },
			func() (Part, error) { return noticesPart(ctx, l, t.Clock.Now()) },
		} {
			part, err := look()
			if err != nil {
				parts = append(parts, away(err, do, names[i])...)
				continue
			}
			part.Part = names[i]
			parts = append(parts, part)
		}
		return nil
	})
	if err != nil {
		return away(err, do, names...)
	}
	return parts
}

// noticesPart counts what people could not be told.
func noticesPart(ctx context.Context, l ledger.Reader, now time.Time) (Part, error) {
	counts, err := l.CountNotices(ctx, now)
	p := Part{State: OK, Text: "nobody waits to be told anything", Numbers: map[string]int{"waiting": counts.Waiting, "failed": counts.Failed}}
	if counts.Waiting > 0 {
		p.Text = words.Count(counts.Waiting, "notice") + " to be sent"
	}
	if counts.Failed > 0 {
		p.State, p.Text, p.Do = Attention, words.Count(counts.Failed, "notice")+" could not be sent", "tenure notice list --state failed"
	}
	return p, err
}

// turnsPart counts the people of whom HR has said something and who wait for their turn.
func (t Tenure) turnsPart(ctx context.Context, l ledger.Reader) (Part, error) {
	b, err := l.Backlog(ctx)
	p := Part{State: OK, Text: "nobody waits for their turn", Numbers: map[string]int{"waiting": b.People}}
	if b.People > 0 {
		p.State, p.Text = Note, fmt.Sprintf("%d wait for their turn, the first for %s: HR says more than can be done at once (kafka.readAhead)",
			b.People, t.Clock.Now().Sub(b.Oldest).Truncate(time.Second))
	}
	return p, err
}

// overduePart counts the people whose time has passed without progress, as the metric
// tenure_people_overdue does.
func (t Tenure) overduePart(ctx context.Context, l ledger.Reader) (Part, error) {
	late, err := l.Overdue(ctx, ledger.LateSince(t.Clock, t.OverdueAfter))
	p := Part{State: OK, Text: "nobody is overdue", Numbers: map[string]int{"overdue": late}}
	if late > 0 {
		p.State, p.Text = Attention, fmt.Sprintf("%d overdue: something was to be done more than %s ago, and nothing has come of it", late, t.OverdueAfter)
		p.Do = "see that workers and sweeper are at work; the runbook is docs/runbooks/people-overdue.md"
	}
	return p, err
}

func attentionPart(byApp map[string]int) Part {
	n := sum(byApp)
	p := Part{State: OK, Text: "none needs attention", Numbers: map[string]int{"attention": n}}
	if n > 0 {
		p.State, p.Text, p.Do = Attention, fmt.Sprintf("%d need attention: %s", n, words.Tally(byApp, "questions")), "tenure run list --attention"
	}
	return p
}

func approvalsPart(byApp map[string]int) Part {
	n := sum(byApp)
	p := Part{State: OK, Text: "no deletion waits for one", Numbers: map[string]int{"waiting": n}}
	if n > 0 {
		p.State, p.Text, p.Do = Attention, words.Count(n, "deletion")+" to be approved: "+words.Tally(byApp, ""), "tenure deletion list"
	}
	return p
}

func sum(counts map[string]int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}

func heldPart(ctx context.Context, l ledger.Reader) (Part, error) {
	open, err := l.Cohorts(ctx, ledger.CohortFilter{Open: true})
	people := 0
	var names []string
	for _, cohort := range open {
		people += cohort.Held
		names = append(names, fmt.Sprintf("%s %s %d", cohort.Name(), cohort.Kind, cohort.Held))
	}
	p := Part{State: OK, Text: "nothing is held", Numbers: map[string]int{"cohorts": len(open), "held": people}}
	if len(open) > 0 {
		p.State, p.Text, p.Do = Attention, fmt.Sprintf("%d held: %s", people, strings.Join(names, ", ")), "tenure breaker list"
	}
	return p, err
}

func tasksPart(ctx context.Context, l ledger.Reader, now time.Time) (Part, error) {
	open, overdue := 0, 0
	for k, err := range ledger.AllTasks(ctx, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskOpen, ledger.TaskConfirming}}) {
		if err != nil {
			return Part{}, err
		}
		if open++; k.Late(now) {
			overdue++
		}
	}
	p := Part{State: OK, Text: "no human is asked for anything", Numbers: map[string]int{"open": open, "overdue": overdue}}
	switch {
	case overdue > 0:
		p.State, p.Text, p.Do = Attention, fmt.Sprintf("%d overdue, of %d", overdue, open), "tenure task list --overdue"
	case open > 0:
		p.State, p.Text, p.Do = Note, fmt.Sprintf("%d to be done by humans, none overdue", open), "tenure task list"
	}
	return p, nil
}

func lettersPart(ctx context.Context, l ledger.Reader) (Part, error) {
	letters, err := ledger.Collect(ledger.AllDeadLetters(ctx, l, ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterOpen, ledger.LetterRedriven}}, 0))
	urgent := 0
	for _, letter := range letters {
		if letter.Urgent {
			urgent++
		}
	}
	p := Part{State: OK, Text: "none is open", Numbers: map[string]int{"open": len(letters), "urgent": urgent}}
	switch {
	case urgent > 0:
		p.State, p.Do = Attention, "tenure dlq list --urgent"
		p.Text = fmt.Sprintf("%d open, of which %d were to end somebody's access", len(letters), urgent)
	case len(letters) > 0:
		p.State, p.Text, p.Do = Attention, fmt.Sprintf("%d open: HR said something that could not be read", len(letters)), "tenure dlq list"
	}
	return p, err
}

// callsPart lists the apps whose calls wait: for their rate, or because the app asked
// for a pause.
func (t Tenure) callsPart(ctx context.Context, l ledger.Reader) (Part, error) {
	waits, err := l.CallWaits(ctx)
	var texts []string
	for _, app := range slices.Sorted(maps.Keys(waits)) {
		if wait := waits[app]; wait >= callsLate {
			texts = append(texts, fmt.Sprintf("%s for %s", app, wait.Round(time.Second)))
		}
	}
	p := Part{State: OK, Text: words.Count(len(t.Apps), "app") + ", no calls wait", Numbers: map[string]int{"apps": len(t.Apps), "waiting": len(texts)}}
	if len(texts) > 0 {
		p.State, p.Text = Note, "calls wait, for the app's rate or because it asked for quiet: "+strings.Join(texts, ", ")
	}
	return p, err
}

// licencesPart lists the licences that run out, as the workers have counted them.
func (t Tenure) licencesPart(ctx context.Context, l ledger.Reader, now time.Time) (Part, error) {
	licences, err := l.Licences(ctx)
	known := 0
	var low []string
	for _, one := range licences {
		enough, ours := t.EnoughSeats[one.App]
		if !ours || !one.Known(now) {
			continue
		}
		if known++; one.Low(enough) {
			low = append(low, fmt.Sprintf("%s %s (%d of %d free, %d awaited)", one.App, one.Name, one.Free(), one.Seats, one.Awaited))
		}
	}
	p := Part{State: OK, Text: "no app has said how many seats there are", Numbers: map[string]int{"known": known, "low": len(low)}}
	switch {
	case len(low) > 0:
		p.State, p.Text, p.Do = Attention, "run out: "+strings.Join(low, ", "), "get seats, or free some: tenure app licences"
	case known > 0:
		p.Text = words.Count(known, "licence") + ", with enough free seats"
	}
	return p, err
}
