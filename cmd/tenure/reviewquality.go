package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/review"
)

// mannerView says how somebody has decided in a review.
type mannerView struct {
	review.Manner
	Name string `json:"name,omitempty"`
}

// qualityView says how people have decided in a review.
type qualityView struct {
	Review    string        `json:"review"`
	All       review.Manner `json:"all"`
	KeptAll   int           `json:"keptAll"`
	Stamps    int           `json:"stamps"`
	Again     int           `json:"again"`
	Reviewers []mannerView  `json:"reviewers"`
}

func viewQuality(ctx context.Context, l ledger.Reader, names map[string]string, r ledger.Review, q review.Quality) (qualityView, error) {
	v := qualityView{Review: r.Ref(), All: q.All, KeptAll: q.KeptAll, Stamps: q.Stamps, Again: q.Again, Reviewers: []mannerView{}}
	for _, m := range q.Reviewers {
		one := mannerView{Manner: m}
		if m.Person != "" {
			var err error
			if one.Name, err = nameOf(ctx, l, names, m.Person); err != nil {
				return v, err
			}
		}
		v.Reviewers = append(v.Reviewers, one)
	}
	return v, nil
}

const mannerHeader = "person,name,asked,decided,kept,undecided,by others,reminded,late,quick,median,fastest minute,sign"

func (v mannerView) row() []string {
	kept, median, sign := "", "", ""
	if v.Decided > 0 {
		kept, median = fmt.Sprintf("%d (%.0f%%)", v.Kept, 100*v.KeptShare), tookText(v.MedianSeconds)
	}
	if v.Stamp {
		sign = "rubber stamp"
	}
	return []string{
		cmp.Or(v.Person, "nobody can be asked"), v.Name, strconv.Itoa(v.Asked), strconv.Itoa(v.Decided), kept, strconv.Itoa(v.Undecided), strconv.Itoa(v.ByOthers),
		strconv.Itoa(v.Reminded), strconv.Itoa(v.Late), strconv.Itoa(v.Quick), median, strconv.Itoa(v.FastestMinute), sign,
	}
}

// tookText says how long somebody took.
func tookText(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", seconds)
	case d < time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 2*24*time.Hour:
		return fmt.Sprintf("%.0fh", d.Hours())
	default:
		return fmt.Sprintf("%.0fd", d.Hours()/24)
	}
}

// fields says how everybody together has decided.
func (v qualityView) fields() []field {
	if v.All.Decided == 0 {
		return nil
	}
	text := fmt.Sprintf("half of the decisions took %s or less, %d of %d less than 2s, and the fastest minute has %d",
		tookText(v.All.MedianSeconds), v.All.Quick, v.All.Decided, v.All.FastestMinute)
	kept := fmt.Sprintf("%.0f%% of what people decided; %d reviewers kept all", 100*v.All.KeptShare, v.KeptAll)
	late := fmt.Sprintf("%d decided after a reminder, %d after the next ones up were asked as well", v.All.Reminded, v.All.Late)
	out := []field{{"kept", kept}, {"pace", text}, {"late", late}}
	if v.Stamps > 0 {
		out = append(out, field{"rubber stamps", fmt.Sprintf("%d reviewers kept ten items or more, all of them, and took less than 2s over most", v.Stamps)})
	}
	if v.Again > 0 {
		out = append(out, field{"asked again", fmt.Sprintf("%d revoked roles were requested again within 30 days", v.Again)})
	}
	return out
}

func (c *cli) reviewQualityCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quality REVIEW",
		Short: "Show how people have decided in a review",
		Long: `Show how each reviewer has decided in a review (v-3): how much they kept, how long they took
over an item, how many items they decided in their fastest minute, what they left undecided
or to others, and what they decided only after a reminder or after the next ones up had been
asked as well.

The sign "rubber stamp" means: ten items or more, all of them kept, and less than 2 seconds
over most. Items that one command decides count as decided at once. These are facts about a
review, to be talked about, and prove nothing about anybody.`,
		Example: `  tenure review quality v-3
  tenure review quality v-3 -o csv`,
		Args: exactly("REVIEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				r, q, err := o.ReviewQuality(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				v, err := viewQuality(cmd.Context(), o.Ledger, map[string]string{}, r, q)
				if err != nil {
					return err
				}
				v.Reviewers = limited(c, v.Reviewers)
				rows := rowsOf(v.Reviewers, mannerView.row)
				if c.output == formatCSV {
					return c.printList(v.Reviewers, mannerHeader, rows, nil)
				}
				return c.print(v, func(p *page) {
					p.fields(append([]field{{"review", v.Review}}, v.fields()...)...)
					p.table("", mannerHeader, rows)
				})
			})
		},
	}
	return c.lists(cmd)
}
