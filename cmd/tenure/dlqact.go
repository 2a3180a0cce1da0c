package main

import (
	"bufio"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
)

// letterActFlags are the flags of a command that does something about dead
// letters.
type letterActFlags struct {
	selection        letterSelection
	operator, reason string
	yes              bool
}

func (f *letterActFlags) flags(cmd *cobra.Command) {
	f.selection.flags(cmd, "refused")
	flags := cmd.Flags()
	flags.BoolVar(&f.selection.all, "all", false, "all that are open")
	flags.StringVar(&f.reason, "reason", "", "why, for the record")
	operatorFlag(cmd, &f.operator)
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// check says what is missing.
func (f *letterActFlags) check(ids []string) error {
	switch {
	case len(ids) == 0 && !f.selection.given():
		return usagef("say which dead letters: by number, by filter (--person, --refused, ...), or --all")
	case len(ids) > 0 && f.selection.given():
		return usagef("give either numbers or filters, not both")
	}
	return nil
}

// choose finds the dead letters that are meant: those with the numbers given,
// whatever their state, else those that the filters select and are in one of the
// states.
func (f *letterActFlags) choose(ctx context.Context, cfg *config.Config, l ledger.Ledger, ids []string, states ...ledger.LetterState) ([]ledger.DeadLetter, error) {
	if len(ids) == 0 {
		if err := f.selection.check(ctx, cfg, l, "refused"); err != nil {
			return nil, err
		}
		filter, err := f.selection.filter(time.Now(), states...)
		if err != nil {
			return nil, err
		}
		return findLetters(ctx, l, filter)
	}
	var chosen []ledger.DeadLetter
	for _, id := range ids {
		found, err := findLetter(ctx, l, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(d ledger.DeadLetter) bool { return d.ID == found.ID }) {
			chosen = append(chosen, found)
		}
	}
	return chosen, nil
}

// errDeclined ends a command whose question was answered with no.
var errDeclined = errors.New("nothing was done")

// confirm asks whoever sits at the terminal, unless they said yes already.
func (c *cli) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !c.inTTY {
		return usagef("%s Nobody can be asked here: say --yes", question)
	}
	c.tell("%s [y/N] ", question)
	answer, _ := bufio.NewReader(c.in).ReadString('\n') // the end of input is no answer, which is a no
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errDeclined
	}
	return nil
}
