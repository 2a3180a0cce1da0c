package main

import (
	"context"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// handOverView says who is, or was, given a leaver's data in an app.
type handOverView struct {
	App   string    `json:"app"`
	To    string    `json:"to,omitempty"` // person ID
	By    string    `json:"by,omitempty"`
	Could []string  `json:"could,omitempty"`
	Why   string    `json:"why,omitempty"` // why nobody was chosen
	Begun time.Time `json:"begun,omitzero"`
	Done  time.Time `json:"done,omitzero"`
}

func viewHandOvers(ctx context.Context, viewer operator.Viewer, person ledger.Person) (views []handOverView, err error) {
	all, err := viewer.HandOvers(ctx, person)
	for _, h := range all {
		views = append(views, handOverView(h))
	}
	return views, err
}

const handOverHeader = "app,to,begun,handed over"

func (v handOverView) row() []string {
	to := toWhom(v.To, v.By, v.Could)
	if v.To == "" && v.Done.IsZero() {
		to = strings.TrimSuffix("nobody yet ("+v.Why+") "+to, " ")
	}
	return []string{v.App, to, words.Instant(v.Begun), words.Instant(v.Done)}
}

// toWhom says who is given data, and why, or who could be; empty if nobody is known.
func toWhom(person, by string, could []string) string {
	switch {
	case person != "":
		return "to " + person + " (" + by + ")"
	case len(could) > 0:
		return "to one of " + strings.Join(could, ", ")
	}
	return ""
}

func receiverText(r *ledger.Receiver) string {
	if r == nil {
		return ""
	}
	return toWhom(r.PersonID, r.By, nil)
}
