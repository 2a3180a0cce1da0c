package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

func (c *cli) dlqCommand() *cobra.Command {
	return noun("dlq", "See and mend the records that could not be read (dead letters)",
		c.dlqListCommand(), c.dlqShowCommand(), c.dlqRedriveCommand(), c.dlqDiscardCommand(), c.dlqIndexCommand())
}

// letterView is a dead letter as the ledger knows it: no personal data.
type letterView struct {
	ID         int64              `json:"id"`
	State      ledger.LetterState `json:"state"`
	Urgent     bool               `json:"urgent,omitempty"` // it was to end somebody's access
	Reason     string             `json:"reason"`           // of the refusal: the same as the code
	Code       string             `json:"code"`
	Field      string             `json:"field,omitempty"`
	Text       string             `json:"text,omitempty"`
	Person     string             `json:"person,omitempty"`
	Type       string             `json:"type,omitempty"`
	Source     string             `json:"source,omitempty"`
	Event      string             `json:"event,omitempty"`
	Format     string             `json:"format,omitempty"`
	Record     string             `json:"record"`     // where the record was: topic/partition/offset
	DeadLetter string             `json:"deadLetter"` // where the dead letter is
	RedriveOf  string             `json:"redriveOf,omitempty"`
	Digest     string             `json:"digest"`
	ReceivedAt time.Time          `json:"receivedAt"`
	Operator   string             `json:"operator,omitempty"`
	Login      string             `json:"login,omitempty"`
	Why        string             `json:"why,omitempty"`
	ActedAt    time.Time          `json:"actedAt,omitzero"`
	EndedAt    time.Time          `json:"endedAt,omitzero"`
}

func viewLetter(l ledger.DeadLetter) letterView {
	return letterView{
		ID: l.ID, State: l.State, Urgent: l.Urgent, Reason: l.Reason, Code: l.Reason, Field: l.Field, Text: l.Text,
		Person: l.PersonID, Type: l.EventType, Source: l.EventSource, Event: l.EventID, Format: l.Format,
		Record: l.Origin.String(), DeadLetter: l.At.String(), RedriveOf: l.RedriveOf.String(), Digest: l.Digest,
		ReceivedAt: l.ReceivedAt, Operator: l.Operator, Login: l.Login, Why: l.Why, ActedAt: l.ActedAt, EndedAt: l.EndedAt,
	}
}

func (v letterView) id() string { return strconv.FormatInt(v.ID, 10) }

// what is what is wrong with the record.
func (v letterView) what() string { return strings.TrimSpace(v.Field + " " + v.Text) }

func (v letterView) urgency() string { return urgency(v.Urgent) }

func urgency(urgent bool) string {
	if urgent {
		return "urgent"
	}
	return ""
}

// letterSelection are the flags by which dead letters are selected.
type letterSelection struct {
	code, person, topic, since, until string
	states                            []string
	urgent, all                       bool
}

func (s *letterSelection) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.code, "code", "", "only those refused with this `code`: schema, malformed, ...")
	complete(cmd, "code", letterReasons)
	flags.StringVar(&s.person, "person", "", "only those about the person with this `ID`")
	flags.StringVar(&s.topic, "topic", "", "only those whose record was on this `topic`")
	flags.StringVar(&s.since, "since", "", "only those refused at or after this `time`: 2026-11-22, an RFC 3339 instant, or so long ago: 36h")
	flags.StringVar(&s.until, "until", "", "only those refused before this `time`")
	flags.BoolVar(&s.urgent, "urgent", false, "only those that were to end somebody's access")
}

// given says whether anything is selected.
func (s *letterSelection) given() bool {
	return s.code+s.person+s.topic+s.since+s.until != "" || s.urgent || s.all
}

func (s *letterSelection) filter(now time.Time, states ...ledger.LetterState) (ledger.LetterFilter, error) {
	f := ledger.LetterFilter{PersonID: s.person, Reason: s.code, Topic: s.topic, Urgent: s.urgent, States: states}
	var err error
	if f.From, err = moment("since", s.since, now); err != nil {
		return f, err
	}
	f.Until, err = moment("until", s.until, now)
	return f, err
}

// moment reads a point in time as people write it.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, read := range []func(string) (time.Duration, error){time.ParseDuration, config.ParseDuration} {
		if ago, err := read(text); err == nil {
			return now.Add(-ago), nil
		}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--%s %s is no time: write 2026-11-22, 2026-11-22T09:00:00Z, or 36h or 7d for so long ago", flag, text)
}

// letterStateNames are what --state may be.
var letterStateNames = []string{"open", "redriven", "applied", "failed", "discarded", "all"}

// letterStates reads --state.
func letterStates(names []string) ([]ledger.LetterState, error) {
	known := []ledger.LetterState{
		ledger.LetterOpen, ledger.LetterRedriven, ledger.LetterApplied, ledger.LetterFailed, ledger.LetterDiscarded,
	}
	var states []ledger.LetterState
	for _, name := range names {
		switch state := ledger.LetterState(name); {
		case name == "all":
			return known, nil
		case slices.Contains(known, state):
			states = append(states, state)
		default:
			return nil, oneOf("state", name, letterStateNames)
		}
	}
	return states, nil
}

// findLetters lists every dead letter behind one that a filter selects.
func findLetters(ctx context.Context, l ledger.Ledger, f ledger.LetterFilter, after int64) ([]ledger.DeadLetter, error) {
	var all []ledger.DeadLetter
	for {
		page, err := l.DeadLetters(ctx, f, after, pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
}

// findLetter reads one dead letter by the ID that somebody typed.
func findLetter(ctx context.Context, o *operator.Operator, typed string) (ledger.DeadLetter, error) {
	id, err := strconv.ParseInt(typed, 10, 64)
	if err != nil || id <= 0 {
		return ledger.DeadLetter{}, usagef("%q is no dead letter's number: tenure dlq list shows them", typed)
	}
	return o.Letter(ctx, id)
}

// withLetters calls f with the dead letters of the cluster that the configuration
// names.
func (c *cli) withLetters(f func(*ingest.Letters) error) error {
	cfg, err := c.config(config.PartLedger, config.PartKafka)
	if err != nil {
		return err
	}
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return usagef("%w", err)
	}
	letters := ingest.NewLetters(cluster, func(reason error) { c.tell("waiting: %v\n", reason) })
	return errors.Join(f(letters), letters.Close())
}
