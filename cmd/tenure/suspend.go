package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/workflows"
)

// operatorSource is the source of the events that operators record.
const operatorSource = hr.OperatorSource

// secured is an operator's word on somebody's access: a suspension, or its end.
type secured struct {
	kind       hr.EventType
	verb       string // for the audit: "suspend"
	personID   string
	operator   string
	reason     string
	noWait     bool
	wait       time.Duration
	breakGlass bool

	before ledger.Summary // of the person, before the event was recorded
}

func (s *secured) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&s.noWait, "no-wait", false, "do not wait until it is done in every app")
	cmd.Flags().DurationVar(&s.wait, "wait", 10*time.Minute, "how `long` to wait until it is done in every app")
	operatorFlag(cmd, &s.operator)
}

func (c *cli) personSuspendCommand() *cobra.Command {
	s := secured{kind: hr.EventSuspended, verb: "suspend"}
	cmd := &cobra.Command{
		Use:   "suspend PERSON",
		Short: "Cut somebody off now: every account disabled, sessions ended, until they are reinstated",
		Long: `Cut somebody off now: in every app their account is disabled and its sessions are
ended, ahead of all other work. Whatever HR says meanwhile, they stay cut off until
they are reinstated.

It is written into the ledger, with your name and reason, and Temporal is told:
Kafka is not needed. The command waits, and shows each app as soon as the app
itself, asked again, has said that the account is off. It exits with 3 if an app
needs attention, or is not done in time.

With --break-glass Temporal is not needed either: this process calls all apps
itself, at once and without waiting for their rates. It needs the configuration and
the secrets of the worker. All of it is on the record, and the person's run finds it
done when Temporal is back.`,
		Example: `  tenure person suspend 10004 --reason "stolen laptop, ticket 4711"
  tenure person suspend 10004 --reason "ticket 4711" --no-wait
  tenure person suspend 10004 --reason "ticket 4711, Temporal is down" --break-glass`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.breakGlass && s.noWait {
				return usagef("--break-glass is done by this command itself: it cannot be had with --no-wait")
			}
			s.personID = args[0]
			return c.secure(cmd.Context(), s)
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&s.breakGlass, "break-glass", false, "call the apps from here, because Temporal is down")
	return c.reads(cmd)
}

func (c *cli) personReinstateCommand() *cobra.Command {
	s := secured{kind: hr.EventReinstated, verb: "reinstate"}
	cmd := &cobra.Command{
		Use:   "reinstate PERSON",
		Short: "End a suspension: what policy gives the person now comes back, in the same accounts",
		Long: `End a suspension: the same accounts are enabled again, with what they had and what
HR and policy have changed since. Who was terminated meanwhile stays without access.

It is on the record with your name and reason. The command waits until it is done,
and exits with 3 if an app needs attention.`,
		Example: `  tenure person reinstate 10004 --reason "laptop found, ticket 4711"`,
		Args:    exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.personID = args[0]
			return c.secure(cmd.Context(), s)
		},
	}
	s.flags(cmd)
	return c.reads(cmd)
}

// secure records what the operator says, sees to it that it is done, and shows how
// that goes.
func (c *cli) secure(ctx context.Context, s secured) error {
	if err := onRecord(&s.operator, s.reason); err != nil {
		return err
	}
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Ledger) error {
		if cfg.Policy.ProtectsPerson(s.personID) {
			return fmt.Errorf("person %s is protected (protected.persons in %s): nothing was recorded or done; "+
				"see to their accounts in the apps by hand, or take them from the list first", s.personID, cfg.Path)
		}
		event, seq, err := s.record(ctx, cfg, l)
		if err != nil {
			return err
		}
		if s.breakGlass {
			return c.breakGlass(ctx, cfg, l, s, event)
		}
		err = c.inNamespace(ctx, func(t client.Client, namespace string) error {
			if err := workflows.NewClient(t, namespace).Nudge(ctx, ingest.NudgeFor(event, seq)); err != nil {
				return err
			}
			return l.MarkDelivered(ctx, []int64{seq})
		})
		if err != nil {
			hint := ""
			if s.kind == hr.EventSuspended {
				hint = "; to cut off now, without Temporal, run it again with --break-glass"
			}
			return fmt.Errorf("it is on the record, and will be done when Temporal is back (by the sweeper), but not before%s: %w", hint, err)
		}
		if s.noWait {
			c.say("%s of %s is recorded and under way: see tenure person show %s\n", s.verb, s.personID, quoted(s.personID))
			return c.report([]securedView{}) // no app is known to be done
		}
		return c.awaitSecured(ctx, cfg.Policy, l, s)
	})
}

// record writes the event into the ledger, with an audit row that says who and why.
func (s *secured) record(ctx context.Context, cfg *config.Config, l ledger.Ledger) (hr.Event, int64, error) {
	person, err := operator.FindPerson(ctx, l, s.personID)
	if err != nil {
		return hr.Event{}, 0, err
	}
	s.before = person.Summary
	now := cfg.Clock().Now().Truncate(time.Microsecond)
	recorded := now
	for _, e := range person.Events {
		if !e.At.Before(recorded) {
			// Another machine's clock is ahead: what is said last has to hold all the same.
			recorded = e.At.Add(time.Microsecond)
		}
	}
	if s.kind == hr.EventReinstated && decide.TimelineOf(person).At(recorded).Status != hr.StatusSuspended {
		return hr.Event{}, 0, fmt.Errorf("person %s is not suspended: see tenure person timeline %s", plain(s.personID), quoted(s.personID))
	}
	event := hr.Event{
		EventKey: hr.EventKey{Source: operatorSource, ID: uuid.NewString()},
		Type:     s.kind, PersonID: s.personID, Recorded: recorded, Effective: hr.DateOf(recorded.UTC()),
	}
	if s.kind == hr.EventSuspended {
		event.Suspension = &hr.Suspension{Reason: s.reason}
	}
	receipts, err := l.Record(ctx, []ledger.Received{{
		Event: event, At: recorded,
		Audit: &ledger.AuditRow{
			Action: s.verb, Actor: s.operator, Cause: s.reason,
			Detail: map[string]any{"source": event.Source, "event": event.ID, "breakGlass": s.breakGlass},
		},
	}})
	if err == nil && receipts[0].Conflict {
		err = fmt.Errorf("event %s is there already and says something else: try it again", event.ID)
	}
	if err != nil {
		return hr.Event{}, 0, err
	}
	return event, receipts[0].Seq, nil
}
