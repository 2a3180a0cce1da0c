package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
)

const (
	// watchRows is how many rows of each table fit on a screen.
	watchRows = 10
	// watchAhead is how far ahead the screen looks for what falls due.
	watchAhead = 24 * time.Hour
	// watchPatience bounds how long one look may take.
	watchPatience = 10 * time.Second
)

func (c *cli) watchCommand() *cobra.Command {
	w := watch{cli: c}
	var from string
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch what happens, live; or read what was done, by whom and why",
		Long: `Watch what happens, until Ctrl-C.

On a terminal it is a screen: the runs that are at work or need attention, what
falls due within a day, and the last things that were done. Elsewhere, and with
-o json or yaml, it prints what is done from now on, one row of the audit record after
the other: what was done to whom in which app, why, and by which operator.

With --from it begins with what was done since then, and shows no screen; with
--no-follow it also ends there. -o json and yaml have the details too.`,
		Example: `  tenure watch
  tenure watch --person 10004
  tenure watch --person 10004 --from 2026-01-01 --no-follow
  tenure watch -o json | jq -r 'select(.action == "disabled") | .person + " " + .app'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case w.every <= 0:
				return usagef("--every must be above zero")
			case w.once && from == "":
				return usagef("--no-follow shows what was done, and ends: say since when with --from")
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				w.cfg, w.ledger = cfg, l
				err := personFilter(cmd.Context(), l, w.person)
				if err != nil {
					return err
				}
				if w.since, err = moment("from", from, cfg.Clock().Now()); err != nil {
					return err
				}
				return w.run(cmd.Context())
			})
		},
	}
	cmd.Flags().DurationVar(&w.every, "every", 2*time.Second, "how `often` to look")
	cmd.Flags().StringVar(&w.person, "person", "", "only this `person`")
	cmd.Flags().StringVar(&from, "from", "", "begin with what was done at or after this `time`: 2026-11-22, an RFC 3339 instant, or so long ago: 36h, 7d")
	cmd.Flags().BoolVar(&w.once, "no-follow", false, "end when what was done since --from is shown")
	return c.reads(cmd)
}

// watch holds the state of one invocation of the command.
type watch struct {
	*cli
	every  time.Duration
	person string
	since  time.Time // changes before it are left out; zero: see run
	once   bool      // it does not wait for what is done from now on
	cfg    *config.Config
	ledger ledger.Reader
	rows   *operator.Follower
}

// run looks again and again until ctx ends, which is how the command is meant to end.
func (w *watch) run(ctx context.Context) error {
	if !w.since.IsZero() {
		return w.record(ctx)
	}
	end, err := operator.AuditEnd(ctx, w.ledger)
	if err != nil {
		return err
	}
	w.rows = operator.FollowAfter(w.ledger, w.person, end)
	look := w.follow
	if w.outTTY && w.output == formatTable {
		screen, closed, err := w.openScreen(ctx, end)
		if err != nil {
			return err
		}
		defer closed()
		look = screen.look
	}
	return w.again(ctx, look)
}

// record shows what was done since the given time.
func (w *watch) record(ctx context.Context) error {
	w.rows = operator.FollowFrom(w.ledger, w.person, w.since)
	if !w.once {
		return w.again(ctx, w.follow)
	}
	shown := false
	err := w.rows.Each(ctx, func(r ledger.AuditRow) error {
		shown = true
		return w.printRow(r)
	})
	if err == nil && !shown {
		w.tell("nothing of the kind is on the record\n")
	}
	return err
}

// again calls look until ctx ends.
func (w *watch) again(ctx context.Context, look func(context.Context) error) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		if err := look(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow prints what was done since the last look.
func (w *watch) follow(ctx context.Context) error {
	return w.rows.Each(ctx, w.printRow)
}

func (w *watch) printRow(r ledger.AuditRow) error {
	if w.output == formatTable {
		w.say("%s\n", strings.Join(slices.DeleteFunc(rowOf(r), func(s string) bool { return s == "" }), "  "))
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if w.output == formatJSON {
		_, err = w.out.Write(append(plainJSON(line), '\n'))
		return err
	}
	w.terminal.say("---\n")
	return writeYAML(w.out, line)
}

// rowOf shows a row of the audit record.
func rowOf(r ledger.AuditRow) []string {
	return []string{words.Instant(r.At), r.PersonID, r.App, r.Action, r.Cause, operatorOf(r.Actor, r.Login)}
}

// operatorOf names the operator who did something; it is empty for Tenure itself.
func operatorOf(actor, login string) string {
	if actor == ledger.ActorTenure {
		return ""
	}
	return "by " + operatorFrom(actor, login)
}

// watchScreen holds what is shown on a terminal.
type watchScreen struct {
	*watch
	runs   *runs.Client
	recent []ledger.AuditRow
}

// openScreen returns a screen that begins with the last things that were done. It takes
// over the terminal until it is closed.
func (w *watch) openScreen(ctx context.Context, end int64) (s *watchScreen, closed func(), err error) {
	w.rows = operator.FollowAfter(w.ledger, "", max(0, end-watchRows))
	if w.person != "" {
		w.rows = operator.FollowFrom(w.ledger, w.person, w.since) // the person's last changes may be long ago
	}
	opts, err := service.TemporalOptions(zap.NewNop())
	if err != nil {
		return nil, nil, service.UsageError(err)
	}
	temporal, err := client.NewLazyClient(opts)
	if err != nil {
		return nil, nil, service.UsageError(err)
	}
	w.say("\x1b[?1049h\x1b[?25l") // another screen, no cursor
	return &watchScreen{watch: w, runs: runs.New(temporal, opts.Namespace)}, func() {
		w.say("\x1b[?25h\x1b[?1049l")
		temporal.Close()
	}, ctx.Err()
}

// look draws the screen anew.
func (s *watchScreen) look(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	p := &page{color: s.colored()}
	s.draw(patient, p)
	_, err := s.out.Write(append([]byte("\x1b[H\x1b[2J"), p.buf.Bytes()...))
	return errors.Join(err, ctx.Err())
}

func (s *watchScreen) draw(ctx context.Context, p *page) {
	now := s.cfg.Clock().Now()
	p.note("Tenure  %s  (Ctrl-C ends)", words.Instant(now))

	working, err := s.runs.List(ctx, runs.Filter{Person: s.person, AtWork: true})
	s.section(p, "At work, or waiting for a human", "nobody", err, len(working), func(title string, n int) {
		p.table(title, "person,change,stage,urgency,attention,since", rowsOf(working[:n], func(r runs.Run) []string {
			return []string{r.Person, r.Type, stageOf(r), r.Urgency, strings.Join(r.Attention, " "), words.Instant(r.Started)}
		}))
	})

	due, err := s.runs.List(ctx, runs.Filter{Person: s.person, DueBefore: now.Add(watchAhead)})
	s.section(p, "Due within a day", "nothing", err, len(due), func(title string, n int) {
		p.table(title, "when,person,what", rowsOf(due[:n], func(r runs.Run) []string {
			return []string{words.Instant(r.NextDue), r.Person, r.NextAction}
		}))
	})

	err = s.rows.Each(ctx, func(r ledger.AuditRow) error {
		s.recent = append(s.recent[max(0, len(s.recent)+1-watchRows):], r)
		return nil
	})
	s.section(p, "Done", "nothing", err, len(s.recent), func(title string, n int) {
		p.table(title, "when,person,app,what,why,who", rowsOf(s.recent[:n], rowOf))
	})
}

// section draws one part of the screen: as many rows as fit, or why there are none. If a
// system cannot be reached, the part says so, and the next look tries again.
func (s *watchScreen) section(p *page, title, none string, err error, rows int, draw func(title string, rows int)) {
	if err == nil && rows > 0 {
		draw(title, min(rows, watchRows))
		if more := rows - watchRows; more > 0 {
			p.note("and %d more", more)
		}
		return
	}
	if err != nil {
		none = "cannot be told: " + err.Error()
	}
	p.note("\n%s\n%s", title, none)
}
