package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ledger"
)

// completer finds what somebody may go on typing.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// oneOfWords completes with one of these.
func oneOfWords(list []string) completer {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// complete has a flag completed with one of these.
func complete(cmd *cobra.Command, flag string, list []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, oneOfWords(list))
}

// completeMost is how many people, cohorts or tasks are shown at most.
const completeMost = 100

// completions gives every command below root what completes its flags and arguments,
// by their names, unless it has something of its own.
func (c *cli) completions(root *cobra.Command) {
	flags := map[string]completer{
		"app": c.completeApps, "person": c.completePeople, "manager": c.completePeople, "role": c.completeRoles,
		"status": oneOfWords(statuses), "code": oneOfWords(stepCodes), "type": oneOfWords(eventWords), "topic": c.completeTopics,
		"source": oneOfWords(catalog.Names()),
	}
	arguments := map[string]completer{
		"PERSON": c.completePeople, "APP": c.completeApps, "COHORT": c.completeCohorts, "TYPE": oneOfWords(eventWords),
		"NEW": c.completePeople, "OLD": c.completePeople, "HOLD|PERSON": c.completeHolds,
		"dlq ID": c.completeLetters, "task ID": c.completeTasks,
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for name, f := range flags {
			if _, has := cmd.GetFlagCompletionFunc(name); !has && cmd.LocalFlags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, f)
			}
		}
		names := argumentsOf(cmd)
		for i, name := range names {
			if name == "ID" { // of what, the noun says
				names[i] = cmd.Parent().Name() + " ID"
			}
		}
		if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 && len(names) > 0 {
			cmd.ValidArgsFunction = byPlace(names, arguments)
		}
		for _, verb := range cmd.Commands() {
			walk(verb)
		}
	}
	walk(root)
}

// argumentsOf are the names of a command's arguments, as its usage has them: PERSON APP.
func argumentsOf(cmd *cobra.Command) (names []string) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if name := strings.Trim(word, "[]."); name != "" && name == strings.ToUpper(name) && name != "|" {
			names = append(names, name)
		}
	}
	return names
}

// byPlace completes each argument by its name; the last one may come again.
func byPlace(names []string, by map[string]completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		f := by[names[min(len(args), len(names)-1)]]
		if f == nil {
			return nil, cobra.ShellCompDirectiveDefault // a file's name
		}
		found, directive := f(cmd, args, typed)
		return slices.DeleteFunc(found, func(one string) bool {
			word, _, _ := strings.Cut(one, "\t")
			return slices.Contains(args, word)
		}), directive
	}
}

// completePeople finds people whose ID begins with what was typed.
func (c *cli) completePeople(cmd *cobra.Command, _ []string, typed string) (found []string, _ cobra.ShellCompDirective) {
	_, last := utf8.DecodeLastRuneInString(typed)
	after := typed[:len(typed)-last] // it comes before all that begin with what was typed
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Ledger) error {
		for {
			people, err := l.People(ctx, after, pageSize)
			if err != nil {
				return err
			}
			for _, s := range people {
				after = s.PersonID
				if strings.HasPrefix(after, typed) {
					found = append(found, described(after, cmp.Or(viewPerson(s).name(), string(s.Status))))
				} else if after > typed {
					return nil
				}
				if len(found) == completeMost {
					return nil
				}
			}
			if len(people) < pageSize {
				return nil
			}
		}
	}, &found)
}

func (c *cli) completeCohorts(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Ledger) error {
		open, err := l.Cohorts(ctx, ledger.CohortFilter{Open: true})
		for _, cohort := range open {
			found = append(found, described(cohort.Name(), string(cohort.Kind)))
		}
		return err
	}, &found)
}

// completeHolds finds holds that are in force, and the people whom they are on.
func (c *cli) completeHolds(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Ledger) error {
		holds, err := l.Holds(ctx, ledger.HoldFilter{InForce: c.cfg.Clock().Now()}, 0, completeMost)
		for _, h := range holds {
			found = append(found, described(h.Name(), h.PersonID), described(h.PersonID, h.Name()))
		}
		return err
	}, &found)
}

// completeLetters finds dead letters of which nothing has come.
func (c *cli) completeLetters(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Ledger) error {
		pending := ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterOpen, ledger.LetterRedriven}}
		letters, err := l.DeadLetters(ctx, pending, 0, completeMost)
		for _, letter := range letters {
			v := viewLetter(letter)
			found = append(found, described(v.id(), strings.TrimSpace(v.Code+" "+v.Person)))
		}
		return err
	}, &found)
}

// completeTasks finds tasks that are not finished.
func (c *cli) completeTasks(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Ledger) error {
		unfinished := ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskOpen, ledger.TaskConfirming}}
		tasks, err := l.Tasks(ctx, unfinished, 0, completeMost)
		for _, k := range tasks {
			found = append(found, described(strconv.FormatInt(k.ID, 10), k.App+" "+k.PersonID))
		}
		return err
	}, &found)
}

func (c *cli) completeTopics(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := c.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	topics := map[string]bool{}
	for _, t := range cfg.Kafka.Topics {
		topics[t.Name] = true
	}
	return slices.Sorted(maps.Keys(topics)), cobra.ShellCompDirectiveNoFileComp
}

// described is a completion and what a shell shows beside it.
func described(word, text string) string {
	if text == "" {
		return plain(word)
	}
	return plain(word) + "\t" + plain(text)
}

// completeFrom completes with what the ledger has.
func (c *cli) completeFrom(cmd *cobra.Command, find func(context.Context, ledger.Ledger) error, found *[]string) ([]string, cobra.ShellCompDirective) {
	err := c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Ledger) error { return find(cmd.Context(), l) })
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return *found, cobra.ShellCompDirectiveNoFileComp
}
