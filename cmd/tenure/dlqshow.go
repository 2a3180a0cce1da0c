package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service/redrive"
)

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
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				entry, err := findLetter(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				return c.withLetters(func(letters *ingest.Letters) error {
					letter, err := redrive.Read(cmd.Context(), letters, entry, wait)
					v := contentView{letterView: viewLetter(entry)}
					switch {
					case errors.Is(err, ingest.ErrGone):
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

// contentView is a dead letter with its content. Of key, value and headers,
// what is no UTF-8 is given in base64; a null has neither.
type contentView struct {
	letterView
	Gone        bool         `json:"gone,omitempty"` // not on the topic any more
	Key         *string      `json:"key,omitempty"`
	KeyBase64   string       `json:"keyBase64,omitempty"`
	Headers     []headerView `json:"headers,omitempty"`
	Value       *string      `json:"value,omitempty"`
	ValueBase64 string       `json:"valueBase64,omitempty"`

	letter ingest.Letter
}

type headerView struct {
	Name        string  `json:"name"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 string  `json:"valueBase64,omitempty"`
}

func (v *contentView) fill(letter ingest.Letter) {
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
		field{"dead letter", v.id()}, field{"state", string(v.State)}, field{"urgency", v.urgency()},
		field{"reason", v.Reason}, field{"field", v.Field}, field{"text", v.Text},
		field{"person", v.Person}, field{"type", v.Type}, field{"source", v.Source}, field{"event", v.Event},
		field{"read as", v.Format}, field{"record was at", v.Record}, field{"letter is at", v.DeadLetter},
		field{"sent again from", v.RedriveOf}, field{"refused", instant(v.ReceivedAt)},
		field{"operator", operatorFrom(v.Operator, v.Login)}, field{"acted", instant(v.ActedAt)}, field{"why", v.Why}, field{"ended", instant(v.EndedAt)},
		field{"digest", v.Digest})
	if v.Gone {
		p.note("")
		p.note("The record is not on %s any more: retention removed it, or the topic was made", v.DeadLetter)
		p.note("anew. What HR said is lost to Tenure; let HR send it again, then discard this.")
		return
	}
	p.table("Headers", "name,value", rowsOf(v.letter.Headers(), func(h ingest.Header) []string {
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

// shown shows a value: JSON indented, text as it is, and anything else as a
// hexadecimal dump.
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

// printable says whether a terminal shows the text as it is, and does nothing
// else.
func printable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool {
		return !unicode.IsPrint(r) && !strings.ContainsRune("\n\t", r)
	}) < 0
}
