package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service/redrive"
)

func (c *cli) dlqListCommand() *cobra.Command {
	var s letterSelection
	var after int64
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, and how many there are for each reason",
		Long: `List dead letters: records that could not be read, so that nothing came of them.

It lists those that are pending: open (nobody has done anything) and redriven (sent
again, and not arrived). --state all lists the others too: applied (the record that was sent again is in the ledger),
failed (it could not be read either, and is a dead letter of its own) and
discarded.

No record's content is shown: see tenure dlq show. The list comes from the
ledger, and needs no Kafka. Exits with 3 if one that is listed is pending, since
nothing has come of what HR said. tenure status goes by the same rule.`,
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
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if err := s.check(cmd.Context(), cfg, l); err != nil {
					return err
				}
				return c.listLetters(ledger.AllDeadLetters(cmd.Context(), l, f, after))
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
	Letters []report.Letter `json:"letters"`
	Totals  map[string]int  `json:"totals"` // by reason
	Urgent  int             `json:"urgent"`
}

// viewLetters describes dead letters.
func viewLetters(found []ledger.DeadLetter) lettersView {
	v := lettersView{Letters: []report.Letter{}, Totals: map[string]int{}}
	for _, l := range found {
		v.Letters = append(v.Letters, report.LetterOf(l))
		v.count(l)
	}
	return v
}

func (v *lettersView) count(l ledger.DeadLetter) {
	v.Totals[l.Reason]++
	if l.Urgent {
		v.Urgent++
	}
}

// listLetters lists dead letters and, below them, how many there are.
func (c *cli) listLetters(letters iter.Seq2[ledger.DeadLetter, error]) error {
	v, pending := viewLetters(nil), false
	views := viewsOf(letters, every, func(l ledger.DeadLetter) (report.Letter, error) {
		v.count(l)
		pending = pending || l.Pending()
		return report.LetterOf(l), nil
	})
	_, err := streamed(c, views, listView[report.Letter]{
		header: letterHeader, row: letterRow, none: noLetters, whole: true,
		frame: frame{value: func() any { return v }, list: "letters", below: v.drawTotal},
	})
	if err == nil && pending {
		return errAttention
	}
	return err
}

// noLetters is said where there are no dead letters.
const noLetters = "no dead letters"

const letterHeader = "id,received,state,urgency,code,person,type,record,what is wrong"

func letterRow(v report.Letter) []string {
	return []string{letterID(v), words.Instant(v.ReceivedAt), string(v.State), urgency(v.Urgent), v.Code, v.Person, v.Type, v.Record, v.What()}
}

func (v lettersView) draw(p *page) {
	if len(v.Letters) == 0 {
		p.note(noLetters)
	}
	p.table("", letterHeader, rowsOf(v.Letters, letterRow))
	v.drawTotal(p)
}

// drawTotal says how many there are, if there are any.
func (v *lettersView) drawTotal(p *page) {
	if len(v.Totals) > 0 {
		p.note("")
		p.note("%s", v.total())
	}
}

// total says how many dead letters there are for each reason, the most frequent first.
func (v lettersView) total() string {
	all := 0
	for _, n := range v.Totals {
		all += n
	}
	text := fmt.Sprintf("%s: %s", words.Count(all, "dead letter"), words.Tally(v.Totals, ""))
	if v.Urgent > 0 {
		text += fmt.Sprintf("; %d urgent: each was to end somebody's access", v.Urgent)
	}
	return text
}

func (c *cli) dlqShowCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter: why, where from, its headers and its content",
		Long: `Show one dead letter: why it could not be read, where it was, its headers and its
content, which comes from Kafka: JSON indented, other text as it is, and anything
else as a hexadecimal dump.

The content may be personal data. It is shown here and nowhere else.`,
		Example: `  tenure dlq show 17
  tenure dlq show 17 -o json | jq -r .value > mended.json`,
		Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				entry, err := findLetter(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				return c.withLetters(func(letters *deadletter.Letters) error {
					letter, err := redrive.Read(cmd.Context(), letters, entry, wait)
					v := contentView{Letter: report.LetterOf(entry)}
					switch {
					case errors.Is(err, broker.ErrGone):
						v.Gone = true
					case err != nil:
						return err
					default:
						v.fill(letter)
					}
					return c.print(v, v.draw)
				})
			})
		},
	}
	waitFlag(cmd, &wait)
	return c.reads(cmd)
}

func waitFlag(cmd *cobra.Command, wait *time.Duration) {
	cmd.Flags().DurationVar(wait, "wait", time.Minute, "how `long` to wait for Kafka when it cannot be reached")
}

// contentView describes a dead letter with its content. A key, value or header that is
// not UTF-8 is given in base64; a null has neither form.
type contentView struct {
	report.Letter
	Gone        bool         `json:"gone,omitempty"` // not on the topic any more
	Key         *string      `json:"key,omitempty"`
	KeyBase64   string       `json:"keyBase64,omitempty"`
	Headers     []headerView `json:"headers,omitempty"`
	Value       *string      `json:"value,omitempty"`
	ValueBase64 string       `json:"valueBase64,omitempty"`

	letter deadletter.Letter
}

type headerView struct {
	Name        string  `json:"name"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 string  `json:"valueBase64,omitempty"`
}

func (v *contentView) fill(letter deadletter.Letter) {
	v.letter = letter
	v.Key, v.KeyBase64 = textOf(letter.Key())
	v.Value, v.ValueBase64 = textOf(letter.Value())
	for _, h := range letter.Headers() {
		view := headerView{Name: h.Name}
		view.Value, view.ValueBase64 = textOf(h.Value)
		v.Headers = append(v.Headers, view)
	}
}

func textOf(b []byte) (text *string, base string) {
	switch {
	case b == nil:
		return nil, ""
	case utf8.Valid(b):
		s := string(b)
		return &s, ""
	}
	return nil, base64.StdEncoding.EncodeToString(b)
}

func (v *contentView) draw(p *page) {
	p.fields(
		field{"dead letter", letterID(v.Letter)}, field{"state", string(v.State)}, field{"urgency", urgency(v.Urgent)},
		field{"reason", v.Reason}, field{"field", v.Field}, field{"text", v.Text},
		field{"person", v.Person}, field{"type", v.Type}, field{"source", v.Source}, field{"event", v.Event},
		field{"read as", v.Format}, field{"record was at", v.Record}, field{"letter is at", v.DeadLetter},
		field{"sent again from", v.RedriveOf}, field{"refused", words.Instant(v.ReceivedAt)},
		field{"operator", operatorFrom(v.Operator, v.Login)}, field{"acted", words.Instant(v.ActedAt)}, field{"why", v.Why}, field{"ended", words.Instant(v.EndedAt)},
		field{"digest", v.Digest})
	if v.Gone {
		p.note("")
		p.note("The record is not on %s any more: retention removed it, or the topic was made", v.DeadLetter)
		p.note("anew. What HR said is lost to Tenure; let HR send it again, then discard this.")
		return
	}
	p.table("Headers", "name,value", rowsOf(v.letter.Headers(), func(h deadletter.Header) []string {
		return []string{h.Name, inline(h.Value)}
	}))
	p.note("")
	p.note("Key: %s", inline(v.letter.Key()))
	p.note("Value:")
	p.block(strings.TrimSuffix(shown(v.letter.Value()), "\n"))
}

// inline shows bytes in one line.
func inline(b []byte) string {
	switch {
	case b == nil:
		return "(none)"
	case len(b) == 0:
		return "(empty)"
	case printable(b) && !bytes.ContainsAny(b, "\n\t"):
		return string(b)
	}
	return fmt.Sprintf("%q", b)
}

// shown shows a value: JSON indented, text as it is, and anything else as a hexadecimal
// dump.
func shown(b []byte) string {
	var indented bytes.Buffer
	switch {
	case len(b) == 0:
		return inline(b)
	case json.Indent(&indented, b, "", "  ") == nil && printable(indented.Bytes()):
		return indented.String()
	case printable(b):
		return string(b)
	}
	return hex.Dump(b)
}

// printable reports whether a terminal shows the text as it is, and does nothing else.
func printable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune("\n\t", r)
	}) < 0
}
