package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// letterActFlags are the flags of a command that does something about dead
// letters.
type letterActFlags struct {
	selection letterSelection
	decisionFlags
	applying
}

func (f *letterActFlags) flags(cmd *cobra.Command) {
	f.selection.flags(cmd)
	formerly(cmd, "refused", "", "code")
	cmd.Flags().BoolVar(&f.selection.all, "all", false, "all that are open")
	f.decisionFlags.flags(cmd)
	f.askedBefore(cmd)
}

// check says what is missing. To look, neither name nor reason is needed.
func (f *letterActFlags) check(ids []string) error {
	switch {
	case len(ids) == 0 && !f.selection.given():
		return usagef("say which dead letters: by number, by filter (--person, --code, ...), or --all")
	case len(ids) > 0 && f.selection.given():
		return usagef("give either numbers or filters, not both")
	case f.does():
		return f.given()
	}
	return nil
}

// choose finds the dead letters that are meant: those with the numbers given,
// whatever their state, else those that the filters select and are in one of the
// states.
func (f *letterActFlags) choose(ctx context.Context, cfg *config.Config, o *operator.Operator, ids []string, states ...ledger.LetterState) ([]ledger.DeadLetter, error) {
	if len(ids) == 0 {
		if err := f.selection.check(ctx, cfg, o.Ledger); err != nil {
			return nil, err
		}
		filter, err := f.selection.filter(time.Now(), states...)
		if err != nil {
			return nil, err
		}
		return findLetters(ctx, o.Ledger, filter, 0)
	}
	var chosen []ledger.DeadLetter
	for _, id := range ids {
		found, err := findLetter(ctx, o, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(d ledger.DeadLetter) bool { return d.ID == found.ID }) {
			chosen = append(chosen, found)
		}
	}
	return chosen, nil
}
