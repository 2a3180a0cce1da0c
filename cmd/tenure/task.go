package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
)

func (c *cli) taskCommand() *cobra.Command {
	return noun("task", "See and complete what humans are asked to do",
		c.taskListCommand(), c.taskShowCommand(), c.taskDoneCommand(), c.taskRefuseCommand())
}

// taskView describes a task, and the person whom it concerns.
type taskView struct {
	ID         int64            `json:"id"`
	Person     string           `json:"person"`
	Name       string           `json:"name,omitempty"`
	App        string           `json:"app"`
	Step       string           `json:"step"`
	State      ledger.TaskState `json:"state"`
	Overdue    bool             `json:"overdue,omitempty"`
	Assignee   string           `json:"assignee"`
	EscalateTo string           `json:"escalateTo,omitempty"`
	OpenedAt   time.Time        `json:"openedAt"`
	DueAt      time.Time        `json:"dueAt"`
	Reminders  int              `json:"reminders,omitempty"`
	Work       ledger.TaskWork  `json:"work"`

	SecondPerson bool      `json:"secondPerson,omitempty"`
	DoneBy       string    `json:"doneBy,omitempty"`
	DoneLogin    string    `json:"doneLogin,omitempty"`
	Proof        string    `json:"proof,omitempty"`
	DoneAt       time.Time `json:"doneAt,omitzero"`
	EndedBy      string    `json:"endedBy,omitempty"`
	EndedLogin   string    `json:"endedLogin,omitempty"`
	Why          string    `json:"why,omitempty"`
	EndedAt      time.Time `json:"endedAt,omitzero"`
}

func viewTask(k ledger.Task, name string, now time.Time) taskView {
	return taskView{
		ID: k.ID, Person: k.PersonID, Name: name, App: k.App, Step: k.Kind, State: k.State,
		Overdue:  k.Late(now),
		Assignee: k.Assignee, EscalateTo: k.EscalateTo, OpenedAt: k.OpenedAt, DueAt: k.DueAt, Reminders: k.Reminders, Work: k.Work,
		SecondPerson: k.SecondPerson, DoneBy: k.DoneBy, Proof: k.Proof, DoneAt: k.DoneAt,
		EndedBy: k.EndedBy, Why: k.Why, EndedAt: k.EndedAt, DoneLogin: k.DoneLogin, EndedLogin: k.EndedLogin,
	}
}

// state describes the task's state for people.
func (v taskView) state() string {
	if v.Overdue {
		return "overdue"
	}
	return string(v.State)
}

// taskTexts describes, by kind of step, what a human is asked to do.
var taskTexts = map[string]string{
	"Provision": "make or enable the account",
	"Update":    "change the account",
	"Disable":   "disable the account and end its sessions",
	"Strip":     "take all entitlements",
	"HandOver":  "hand the data over",
	"Delete":    "delete the account for good",
}

// what describes in one line what has to be done.
func (v taskView) what() string {
	parts := []string{cmp.Or(taskTexts[v.Step], v.Step)}
	if v.Step == "Provision" && !v.Work.Enabled {
		parts[0] = "make the account, disabled"
	}
	if v.Work.Account != "" {
		parts[0] += " " + v.Work.Account
	}
	if len(v.Work.Grant) > 0 {
		parts = append(parts, "give "+strings.Join(v.Work.Grant, ", "))
	}
	if len(v.Work.Revoke) > 0 {
		parts = append(parts, "take "+strings.Join(v.Work.Revoke, ", "))
	}
	switch {
	case v.Work.ToPerson != "":
		parts = append(parts, "to "+v.Work.To+" of person "+v.Work.ToPerson)
	case v.Work.To != "":
		parts = append(parts, "to "+v.Work.To)
	case len(v.Work.Could) > 0:
		parts = append(parts, "to one of the people "+strings.Join(v.Work.Could, ", "))
	}
	return strings.Join(parts, "; ")
}

// taskStateNames lists the values of --state.
var taskStateNames = []string{"open", "confirming", "done", "refused", "withdrawn", "all"}

func (c *cli) taskListCommand() *cobra.Command {
	var (
		f       ledger.TaskFilter
		state   string
		overdue bool
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what humans are asked to do, the most urgent first",
		Long: `List what humans are asked to do in apps that have no interface, and have not
done yet, the most urgent first.
Exits with 3 if one of them is overdue.`,
		Example: `  tenure task list
  tenure task list --assignee it-helpdesk
  tenure task list --overdue -o json
  tenure task list --state all --person 10004`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case state == "":
				f.States = []ledger.TaskState{ledger.TaskOpen, ledger.TaskConfirming}
			case state == "all":
			case slices.Contains(taskStateNames, state):
				f.States = []ledger.TaskState{ledger.TaskState(state)}
			default:
				return oneOf("state", state, taskStateNames)
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if err := errors.Join(appFilter(cmd.Context(), cfg, l, f.App), personFilter(cmd.Context(), l, f.PersonID),
					assigneeFilter(cmd.Context(), l, f.Assignee)); err != nil {
					return err
				}
				return c.listTasks(cmd.Context(), cfg, l, f, overdue)
			})
		},
	}
	cmd.Flags().StringVar(&f.App, "app", "", "only in this `app`")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only about this `person`")
	cmd.Flags().StringVar(&f.Assignee, "assignee", "", "only what this `team` or person is asked for")
	cmd.Flags().StringVar(&state, "state", "", "only in this `state`: open, confirming, done, refused, withdrawn, all (default: unfinished ones)")
	complete(cmd, "state", taskStateNames)
	cmd.Flags().BoolVar(&overdue, "overdue", false, "only what is overdue")
	return c.lists(cmd)
}

func (c *cli) listTasks(ctx context.Context, cfg *config.Config, l ledger.Reader, f ledger.TaskFilter, overdue bool) error {
	now := cfg.Clock().Now()
	late := false
	tasks := withNames(ctx, l, ledger.AllTasks(ctx, l, f), func(k ledger.Task) string { return k.PersonID },
		func(k ledger.Task, name string) (taskView, error) {
			v := viewTask(k, name, now)
			late = late || v.Overdue
			return v, nil
		})
	listed := func(v taskView) bool { return v.Overdue || !overdue }
	_, err := streamed(c, viewsOf(tasks, listed, func(v taskView) (taskView, error) { return v, nil }), listView[taskView]{
		header: taskHeader, row: taskView.row, none: "nobody has been asked for anything",
		order: func(a, b taskView) int { return a.DueAt.Compare(b.DueAt) },
	})
	if err != nil || !late {
		return err
	}
	return errAttention
}

const taskHeader = "id,due,state,assignee,app,person,name,what"

func (v taskView) row() []string {
	return []string{strconv.FormatInt(v.ID, 10), words.Instant(v.DueAt), v.state(), v.Assignee, v.App, v.Person, v.Name, v.what()}
}

// nameOf returns a person's name; names remembers some of those that were read.
func nameOf(ctx context.Context, l ledger.Reader, names map[string]string, id string) (string, error) {
	if name, ok := names[id]; ok {
		return name, nil
	}
	person, err := l.Person(ctx, id)
	if err != nil {
		return "", err
	}
	if len(names) >= ledger.PageSize {
		clear(names)
	}
	names[id] = report.SummaryOf(person.Summary).Name()
	return names[id], nil
}

func (c *cli) taskShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:     "show ID",
		Short:   "Show one task: what is to be done, for whom, and how it stands",
		Example: `  tenure task show 17`,
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(args[0])
			if err != nil {
				return err
			}
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				task, err := o.Task(cmd.Context(), id)
				if err != nil {
					return err
				}
				name, err := nameOf(cmd.Context(), o.Ledger, map[string]string{}, task.PersonID)
				if err != nil {
					return err
				}
				v := viewTask(task, name, o.Clock.Now())
				return c.print(v, v.draw)
			})
		},
	})
}

func (v taskView) draw(p *page) {
	second := ""
	if v.SecondPerson {
		second = "has to confirm it"
	}
	p.fields(
		field{"task", strconv.FormatInt(v.ID, 10)}, field{"state", v.state()}, field{"person", v.Person}, field{"name", v.Name},
		field{"app", v.App}, field{"what", v.what()}, field{"why", v.Work.Why}, field{"how", v.Work.Instructions},
		field{"assignee", v.Assignee}, field{"escalate to", v.EscalateTo}, field{"second person", second},
		field{"opened", words.Instant(v.OpenedAt)}, field{"due", words.Instant(v.DueAt)},
		field{"done", strings.TrimSpace(words.Instant(v.DoneAt) + " " + operatorFrom(v.DoneBy, v.DoneLogin))}, field{"proof", v.Proof},
		field{"ended", strings.TrimSpace(words.Instant(v.EndedAt) + " " + operatorFrom(v.EndedBy, v.EndedLogin))}, field{"reason", v.Why},
	)
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(v.Work.Attributes)) {
		rows = append(rows, []string{name, fmt.Sprint(v.Work.Attributes[name])})
	}
	p.table("Attributes, as they are to be", "attribute,value", rows)
}

func taskID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is no task's number: see tenure task list", arg)
	}
	return id, nil
}

func (c *cli) taskDoneCommand() *cobra.Command {
	var r operator.Request
	var proof, account string
	cmd := &cobra.Command{
		Use:   "done ID",
		Short: "Say that a task is done, and how that can be seen",
		Long: `Say that a task is done, and how that can be seen (--proof): a ticket, a
screenshot's name, a log line. It counts as the proof, and is on the record with
your name and login. If a second person has to confirm it, somebody else says done
again: under another name and from another login (or database role).`,
		Example: `  tenure task done 17 --proof "ticket 4711"
  tenure task done 18 --proof "seen in the console" --account alovelace2`,
		Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(proof) == "" {
				return usagef("say with --proof how it can be seen that this is done: it goes on the record")
			}
			return c.actOnTask(cmd.Context(), args[0], r, func(o *operator.Operator, r operator.Request, id int64) (ledger.Task, error) {
				return o.FinishTask(cmd.Context(), r, id, proof, account)
			})
		},
	}
	cmd.Flags().StringVar(&proof, "proof", "", "how it can be seen that this is done, for the record")
	cmd.Flags().StringVar(&account, "account", "", "the account's `name` in the app, if it is another one than was asked for")
	operatorFlag(cmd, &r.Actor)
	return c.reads(cmd)
}

func (c *cli) taskRefuseCommand() *cobra.Command {
	var r operator.Request
	cmd := &cobra.Command{
		Use:   "refuse ID",
		Short: "Say that a task cannot or will not be done",
		Long: `Say that a task cannot or will not be done. Its step needs attention then: tenure
run retry asks for it anew, tenure run skip does without it.`,
		Example: `  tenure task refuse 17 --reason "the portal is closed until May"`,
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(r.Reason) == "" {
				return usagef("say why with --reason: it goes on the record")
			}
			return c.actOnTask(cmd.Context(), args[0], r, func(o *operator.Operator, r operator.Request, id int64) (ledger.Task, error) {
				return o.RefuseTask(cmd.Context(), r, id)
			})
		},
	}
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why it is not to be done, for the record")
	operatorFlag(cmd, &r.Actor)
	return c.reads(cmd)
}

// actOnTask has an operator act on a task, and shows the task as it is then.
func (c *cli) actOnTask(ctx context.Context, arg string, r operator.Request,
	act func(*operator.Operator, operator.Request, int64) (ledger.Task, error),
) error {
	id, err := taskID(arg)
	if err != nil {
		return err
	}
	if r.Actor, err = asking(r.Actor); err != nil {
		return err
	}
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		task, err := act(o, r, id)
		if _, other := operator.Untold(err); other != nil {
			return other
		}
		name, nameErr := nameOf(ctx, o.Ledger, map[string]string{}, task.PersonID)
		if nameErr != nil {
			return nameErr
		}
		if err := c.report(viewTask(task, name, o.Clock.Now())); err != nil {
			return err
		}
		if task.Unfinished() {
			c.say("task %d of %s has to be confirmed by a second person\n", id, task.PersonID)
			return nil
		}
		c.say("task %d of %s is %s\n", id, task.PersonID, task.State)
		return c.tellUntold(err, cfg.Sweep.Every)
	})
}
