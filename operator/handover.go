package operator

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// HandOver says who is, or was, given a leaver's data in an app.
type HandOver struct {
	App   string
	To    string   // person ID; empty: nobody was chosen
	By    string   // why they are given them
	Could []string // if nobody was chosen: the IDs of the people of whom an operator may choose one
	Why   string   // if nobody was chosen: why
	// Begun is when that was decided for good, and Done when the data were handed over; zero
	// if that is to come.
	Begun, Done time.Time
}

// HandOvers lists, by app, what becomes of a leaver's data: what was handed over, and what is to
// be. Of an app that is not configured or cannot be opened it says only what is on record.
func (v *Viewer) HandOvers(ctx context.Context, person ledger.Person) ([]HandOver, error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		rules.Apps = nil
	}
	pending, err := rules.HandOvers(ctx, person, v.Clock.Now(), v.Ledger)
	if err != nil {
		return nil, err
	}
	var all []HandOver
	for _, link := range person.Links {
		h, open := pending[link.App]
		to := link.Receiver
		if open {
			to = h.To
		}
		if open && skipsHandOver(person, link.App) {
			to, h = ledger.Receiver{At: link.Receiver.At}, assess.HandOver{Why: "an operator has skipped the hand-over"}
		}
		if !open && to.PersonID == "" && link.HandedOverAt.IsZero() {
			continue
		}
		all = append(all, HandOver{
			App: link.App, To: to.PersonID, By: to.By, Could: h.Could, Why: h.Why, Begun: to.At, Done: link.HandedOverAt,
		})
	}
	return all, nil
}

// skipsHandOver reports whether an operator has said that a leaver's data are not handed over.
func skipsHandOver(person ledger.Person, app string) bool {
	return slices.ContainsFunc(person.Steps, func(s ledger.Step) bool {
		return s.App == app && s.Kind == string(plan.HandOver) && s.State == ledger.StepSkipped
	})
}
