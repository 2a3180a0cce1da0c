package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
)

func (c *cli) dlqListCommand() *cobra.Command {
	var s letterSelection
	var after int64
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, and how many there are for which reason",
		Long: `List dead letters: records that could not be read, so that nothing came of them.

Shown are those of which it is not known yet what they would have changed: open
(nobody did anything) and redriven (sent again, and not arrived). --state all
shows the others too: applied (the record that was sent again is in the ledger),
failed (it could not be read either, and is a dead letter of its own) and
discarded.

No record's content is shown: see tenure dlq show. The list comes from the
ledger, and needs no Kafka. Exits with 3 if one that is listed is open or redriven:
HR said something of which nothing has come. tenure status goes by the same rule.`,
		Example: `  tenure dlq list
  tenure dlq list --urgent
  tenure dlq list --code schema --since 36h
  tenure dlq list --person 10004 --state all -o json | jq '.letters[].text'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			states, err := letterStates(s.states)
			if err != nil {
				return err
			}
			f, err := s.filter(time.Now(), states...)
			if err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				if err := s.check(cmd.Context(), cfg, l); err != nil {
					return err
				}
				found, err := findLetters(cmd.Context(), l, f, after)
				if err != nil {
					return err
				}
				v := viewLetters(found)
				v.Letters = limited(c, v.Letters)
				if err := c.printList(v, letterHeader, rowsOf(v.Letters, letterView.row), v.draw); err != nil {
					return err
				}
				if slices.ContainsFunc(found, ledger.DeadLetter.Pending) {
					return errAttention
				}
				return nil
			})
		},
	}
	s.flags(cmd)
	formerly(cmd, "reason", "", "code")
	cmd.Flags().StringSliceVar(&s.states, "state", []string{"open", "redriven"}, "only those in this `state`: open, redriven, applied, failed, discarded, or all")
	complete(cmd, "state", letterStateNames)
	cmd.Flags().Int64Var(&after, "after", 0, "only those behind the one with this `number`")
	return c.lists(cmd)
}

type lettersView struct {
	Letters []letterView   `json:"letters"`
	Totals  map[string]int `json:"totals"` // by reason
	Urgent  int            `json:"urgent"`
}

func viewLetters(found []ledger.DeadLetter) lettersView {
	v := lettersView{Letters: []letterView{}, Totals: map[string]int{}}
	for _, l := range found {
		v.Letters = append(v.Letters, viewLetter(l))
		v.Totals[l.Reason]++
		if l.Urgent {
			v.Urgent++
		}
	}
	return v
}

const letterHeader = "id,received,state,urgency,code,person,type,record,what is wrong"

func (v letterView) row() []string {
	return []string{v.id(), instant(v.ReceivedAt), string(v.State), v.urgency(), v.Code, v.Person, v.Type, v.Record, v.what()}
}

func (v lettersView) draw(p *page) {
	if len(v.Letters) == 0 {
		p.note("no dead letters")
		return
	}
	p.table("", letterHeader, rowsOf(v.Letters, letterView.row))
	p.note("")
	p.note("%s", v.total())
}

// total says how many there are for which reason, the most frequent first.
func (v lettersView) total() string {
	reasons := slices.SortedFunc(maps.Keys(v.Totals), func(a, b string) int {
		return cmp.Or(cmp.Compare(v.Totals[b], v.Totals[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(reasons))
	for i, reason := range reasons {
		parts[i] = fmt.Sprintf("%s %d", reason, v.Totals[reason])
	}
	all := 0
	for _, n := range v.Totals {
		all += n
	}
	text := fmt.Sprintf("%s: %s", count(all, "dead letter"), strings.Join(parts, ", "))
	if v.Urgent > 0 {
		text += fmt.Sprintf("; %d urgent: each was to end somebody's access", v.Urgent)
	}
	return text
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
