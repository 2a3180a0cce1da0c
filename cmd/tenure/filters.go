package main

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/provision"
)

// oneOf checks the value of a filter against those that exist: a misspelt one would
// select nothing, which reads as "all is well". An empty value is no filter.
func oneOf(flag, given string, known []string) error {
	if given == "" || slices.Contains(known, given) {
		return nil
	}
	return usagef("--%s %s: there is %s%s", flag, plain(given), strings.Join(known, ", "), nearest.Hint(given, known))
}

// statuses lists the statuses of people.
var statuses = []string{
	string(hr.StatusUpcoming), string(hr.StatusActive), string(hr.StatusOnLeave),
	string(hr.StatusSuspended), string(hr.StatusEnded), string(hr.StatusUnknown),
}

// letterReasons lists the codes with which records are refused.
var letterReasons = []string{
	source.ReasonTombstone, source.ReasonMalformed, source.ReasonWrongContentType, source.ReasonUnsupportedVersion,
	source.ReasonUnknownType, source.ReasonSchema, source.ReasonKeyMismatch, source.ReasonNotFound,
	source.ReasonFetchRefused, source.ReasonThin, source.ReasonChannel, source.ReasonReusedID, source.ReasonRefused,
	source.ReasonGivenUp,
}

// stepCodes lists the codes with which steps fail, besides those of conflicts in what HR
// says.
var stepCodes = []string{
	string(connector.KindUnavailable), string(connector.KindRateLimited), string(connector.KindUnauthorized),
	string(connector.KindForbidden), string(connector.KindNotFound), string(connector.KindExists),
	string(connector.KindConflict), string(connector.KindInvalid), string(connector.KindUnsupported),
	string(connector.KindPending), string(connector.KindContradictory),
	provision.CodeLedger, provision.CodeUnknownApp, provision.CodeNotConverging, provision.CodeNoRecipient,
	provision.CodeProtected, provision.CodeSpared, provision.CodeNoSeat, provision.CodePolicy, provision.CodeDeadLetter,
	provision.CodeWaiting, provision.CodeOverdue, provision.CodeRefused,
	provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven, provision.CodeNotKept,
}

// eventWords lists the event types as people write them: "hired".
var eventWords = []string{
	shortType(hr.EventHired), shortType(hr.EventRehired), shortType(hr.EventTransferred), shortType(hr.EventUpdated),
	shortType(hr.EventConverted), shortType(hr.EventLeaveStarted), shortType(hr.EventLeaveEnded),
	shortType(hr.EventTerminated), shortType(hr.EventRescinded), shortType(hr.EventSuspended), shortType(hr.EventReinstated),
}

// appFilter checks --app: it has to be an app of the configuration, or one that was
// removed from it and in which somebody still has an account.
func appFilter(ctx context.Context, cfg *config.Config, l ledger.Reader, app string) error {
	if _, configured := cfg.Apps[app]; configured || app == "" {
		return nil
	}
	links, err := l.Links(ctx, ledger.LinkFilter{App: app, Limit: 1})
	if err != nil || len(links) > 0 {
		return err
	}
	return oneOf("app", app, slices.Sorted(maps.Keys(cfg.Apps)))
}

// codeFilter checks --code: it has to be a known code, or that of a step that needs
// attention.
func codeFilter(ctx context.Context, l ledger.Reader, code string) error {
	if code == "" || slices.Contains(stepCodes, code) {
		return nil
	}
	present, err := ledger.Collect(ledger.AllSteps(ctx, l, ledger.StepFilter{States: []ledger.StepState{ledger.StepAttention}}))
	if err != nil {
		return err
	}
	known := slices.Clone(stepCodes)
	for _, s := range present {
		if !slices.Contains(known, s.Code) {
			known = append(known, s.Code)
		}
	}
	return oneOf("code", code, known)
}

// personFilter checks --person: it has to be somebody whom the ledger knows.
func personFilter(ctx context.Context, l ledger.Reader, id string) error {
	if id == "" {
		return nil
	}
	if _, err := operator.FindPerson(ctx, l, id); err != nil {
		return usagef("--person: %w", err)
	}
	return nil
}

// peopleKnown checks --person where it can be given several times.
func peopleKnown(ctx context.Context, l ledger.Reader, ids []string) error {
	for _, id := range ids {
		if err := personFilter(ctx, l, id); err != nil {
			return err
		}
	}
	return nil
}

// seenMost bounds how many entries of the ledger are read to suggest what a filter may
// have meant.
const seenMost = 20 * ledger.PageSize

// sourceFilter checks --source: it has to be an HR system whose events the ledger has.
func sourceFilter(ctx context.Context, l ledger.Reader, name string) error {
	if name == "" {
		return nil
	}
	found, err := l.Events(ctx, ledger.EventFilter{Source: name}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	return noneOf("source", name, "the ledger has no event of it; it has those of",
		ledger.AllEvents(ctx, l, ledger.EventFilter{}), func(e ledger.StoredEvent) string { return e.Event.Source })
}

// assigneeFilter checks --assignee: it has to be somebody who was asked for something at
// some time.
func assigneeFilter(ctx context.Context, l ledger.Reader, name string) error {
	if name == "" {
		return nil
	}
	found, err := l.Tasks(ctx, ledger.TaskFilter{Assignee: name}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	return noneOf("assignee", name, "nobody of that name was ever asked; those who were:",
		ledger.AllTasks(ctx, l, ledger.TaskFilter{}), func(k ledger.Task) string { return k.Assignee })
}

// recipientFilter checks the recipient of notices: one of those that ever were to be told.
func recipientFilter(ctx context.Context, l ledger.Reader, to string) error {
	if to == "" {
		return nil
	}
	found, err := l.Notices(ctx, ledger.NoticeFilter{To: to}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	return noneOf("to", to, "nobody of that name was ever to be told; those who were:",
		ledger.AllNotices(ctx, l, ledger.NoticeFilter{}, 0), func(n ledger.Notice) string { return n.To })
}

// noneOf refuses a value, and lists those that the first entries of the ledger have.
func noneOf[T any](flag, given, says string, entries iter.Seq2[T, error], value func(T) string) error {
	seen := map[string]bool{}
	n := 0
	for entry, err := range entries {
		if err != nil {
			return err
		}
		seen[value(entry)] = true
		if n++; n == seenMost {
			break
		}
	}
	known := slices.Sorted(maps.Keys(seen))
	list := cmp.Or(strings.Join(known, ", "), "none")
	return usagef("--%s %s: %s %s%s", flag, plain(given), says, list, nearest.Hint(given, known))
}

// check refuses values that no dead letter can have.
func (s *letterSelection) check(ctx context.Context, cfg *config.Config, l ledger.Reader) error {
	if err := oneOf("code", s.code, letterReasons); err != nil {
		return err
	}
	if s.person != "" {
		// There may be letters about somebody whom the ledger does not know.
		found, err := l.DeadLetters(ctx, ledger.LetterFilter{PersonID: s.person}, 0, 1)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			if err := personFilter(ctx, l, s.person); err != nil {
				return err
			}
		}
	}
	var topics []string
	for _, t := range cfg.Kafka.Topics {
		topics = append(topics, t.Name)
	}
	if s.topic == "" || slices.Contains(topics, s.topic) {
		return nil
	}
	found, err := l.DeadLetters(ctx, ledger.LetterFilter{Topic: s.topic}, 0, 1) // it may have left the configuration
	if err != nil || len(found) > 0 {
		return err
	}
	return oneOf("topic", s.topic, topics)
}

// completer completes what somebody has typed.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// oneOfWords returns a completer that offers the words of a list.
func oneOfWords(list []string) completer {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// complete has a flag completed with the words of a list.
func complete(cmd *cobra.Command, flag string, list []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, oneOfWords(list))
}

// completeMost bounds how many people, cohorts or tasks are offered.
const completeMost = 100

// completions gives every command below root the completers of its flags and arguments,
// found by their names, unless the command has its own.
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
			if name == "ID" { // the command's noun says what the ID names
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

// argumentsOf returns the names of a command's arguments, as its usage has them: PERSON
// APP.
func argumentsOf(cmd *cobra.Command) (names []string) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if name := strings.Trim(word, "[]."); name != "" && name == strings.ToUpper(name) && name != "|" {
			names = append(names, name)
		}
	}
	return names
}

// byPlace returns a completer that completes each argument by its name; the last one may
// be repeated.
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
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Reader) error {
		for s, err := range ledger.AllPeople(ctx, l, after) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(s.PersonID, typed) {
				found = append(found, described(s.PersonID, cmp.Or(report.SummaryOf(s).Name(), string(s.Status))))
			} else if s.PersonID > typed {
				return nil
			}
			if len(found) == completeMost {
				return nil
			}
		}
		return nil
	}, &found)
}

func (c *cli) completeCohorts(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Reader) error {
		open, err := l.Cohorts(ctx, ledger.CohortFilter{Open: true})
		for _, cohort := range open {
			found = append(found, described(cohort.Name(), string(cohort.Kind)))
		}
		return err
	}, &found)
}

// completeHolds finds holds in force, and the people whom they are on.
func (c *cli) completeHolds(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Reader) error {
		holds, err := l.Holds(ctx, ledger.HoldFilter{InForce: c.cfg.Clock().Now()}, 0, completeMost)
		for _, h := range holds {
			found = append(found, described(h.Name(), h.PersonID), described(h.PersonID, h.Name()))
		}
		return err
	}, &found)
}

// completeLetters finds dead letters that are pending.
func (c *cli) completeLetters(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Reader) error {
		pending := ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterOpen, ledger.LetterRedriven}}
		letters, err := l.DeadLetters(ctx, pending, 0, completeMost)
		for _, letter := range letters {
			v := report.LetterOf(letter)
			found = append(found, described(letterID(v), strings.TrimSpace(v.Code+" "+v.Person)))
		}
		return err
	}, &found)
}

// completeTasks finds tasks that are not finished.
func (c *cli) completeTasks(cmd *cobra.Command, _ []string, _ string) (found []string, _ cobra.ShellCompDirective) {
	return c.completeFrom(cmd, func(ctx context.Context, l ledger.Reader) error {
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

// described returns a word to complete with, and the text that a shell shows beside it.
func described(word, text string) string {
	if text == "" {
		return plain(word)
	}
	return plain(word) + "\t" + plain(text)
}

// completeFrom completes with entries of the ledger.
func (c *cli) completeFrom(cmd *cobra.Command, find func(context.Context, ledger.Reader) error, found *[]string) ([]string, cobra.ShellCompDirective) {
	err := c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Reader) error { return find(cmd.Context(), l) })
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return *found, cobra.ShellCompDirectiveNoFileComp
}
