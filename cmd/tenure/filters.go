package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/provision"
)

// oneOf checks what a filter was given against what there is: a misspelt one would
// select nothing, which reads as "all is well". Empty is no filter.
func oneOf(flag, given string, known []string) error {
	if given == "" || slices.Contains(known, given) {
		return nil
	}
	return usagef("--%s %s: there is %s%s", flag, plain(given), strings.Join(known, ", "), nearest.Hint(given, known))
}

// statuses are those of people.
var statuses = []string{
	string(hr.StatusUpcoming), string(hr.StatusActive), string(hr.StatusOnLeave),
	string(hr.StatusSuspended), string(hr.StatusEnded), string(hr.StatusUnknown),
}

// letterReasons are the codes with which dead letters are refused.
var letterReasons = []string{
	source.ReasonTombstone, source.ReasonMalformed, source.ReasonWrongContentType, source.ReasonUnsupportedVersion,
	source.ReasonUnknownType, source.ReasonSchema, source.ReasonKeyMismatch, source.ReasonNotFound,
	source.ReasonFetchRefused, source.ReasonThin, source.ReasonChannel, source.ReasonReusedID, source.ReasonRefused,
	source.ReasonGivenUp,
}

// stepCodes are what steps fail with, besides the conflicts in what HR says.
var stepCodes = []string{
	string(connector.KindUnavailable), string(connector.KindRateLimited), string(connector.KindUnauthorized),
	string(connector.KindForbidden), string(connector.KindNotFound), string(connector.KindExists),
	string(connector.KindConflict), string(connector.KindInvalid), string(connector.KindUnsupported),
	string(connector.KindPending), string(connector.KindContradictory),
	provision.CodeLedger, provision.CodeUnknownApp, provision.CodeNotConverging, provision.CodeNoRecipient,
	provision.CodeProtected, provision.CodeSpared, provision.CodePolicy, provision.CodeDeadLetter,
	provision.CodeWaiting, provision.CodeOverdue, provision.CodeRefused,
	provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven, provision.CodeNotKept,
}

// eventWords are the event types as people write them: "hired".
var eventWords = []string{
	shortType(hr.EventHired), shortType(hr.EventRehired), shortType(hr.EventTransferred), shortType(hr.EventUpdated),
	shortType(hr.EventConverted), shortType(hr.EventLeaveStarted), shortType(hr.EventLeaveEnded),
	shortType(hr.EventTerminated), shortType(hr.EventRescinded), shortType(hr.EventSuspended), shortType(hr.EventReinstated),
}

// appFilter checks --app: an app of the configuration, or one that was taken out of it
// and of which somebody still has an account.
func appFilter(ctx context.Context, cfg *config.Config, l ledger.Ledger, app string) error {
	if _, configured := cfg.Apps[app]; configured || app == "" {
		return nil
	}
	links, err := l.Links(ctx, ledger.LinkFilter{App: app})
	if err != nil || len(links) > 0 {
		return err
	}
	return oneOf("app", app, slices.Sorted(maps.Keys(cfg.Apps)))
}

// codeFilter checks --code: one that is known, or that a step that needs attention has.
func codeFilter(ctx context.Context, l ledger.Ledger, code string) error {
	if code == "" || slices.Contains(stepCodes, code) {
		return nil
	}
	present, err := eachStep(ctx, l, ledger.StepFilter{States: []ledger.StepState{ledger.StepAttention}}, func(ledger.Step) bool { return true })
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

// personFilter checks --person: somebody whom the ledger knows.
func personFilter(ctx context.Context, l ledger.Ledger, id string) error {
	if id == "" {
		return nil
	}
	if _, err := operator.FindPerson(ctx, l, id); err != nil {
		return usagef("--person: %w", err)
	}
	return nil
}

// peopleKnown checks --person where it can be given several times.
func peopleKnown(ctx context.Context, l ledger.Ledger, ids []string) error {
	for _, id := range ids {
		if err := personFilter(ctx, l, id); err != nil {
			return err
		}
	}
	return nil
}

// seenMost is how much of a ledger is looked through for what a filter may have meant.
const seenMost = 20 * pageSize

// sourceFilter checks --source: an HR system of which the ledger has events.
func sourceFilter(ctx context.Context, l ledger.Ledger, name string) error {
	if name == "" {
		return nil
	}
	found, err := l.Events(ctx, ledger.EventFilter{Source: name}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	seen := map[string]bool{}
	for after, n := int64(0), 0; n < seenMost; n += pageSize {
		some, err := l.Events(ctx, ledger.EventFilter{}, after, pageSize)
		if err != nil {
			return err
		}
		for _, e := range some {
			seen[e.Event.Source], after = true, e.Seq
		}
		if len(some) < pageSize {
			break
		}
	}
	return noneOf("source", name, "the ledger has no event of it; it has those of", seen)
}

// assigneeFilter checks --assignee: somebody who was ever asked for something.
func assigneeFilter(ctx context.Context, l ledger.Ledger, name string) error {
	if name == "" {
		return nil
	}
	found, err := l.Tasks(ctx, ledger.TaskFilter{Assignee: name}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	seen := map[string]bool{}
	for after, n := int64(0), 0; n < seenMost; n += pageSize {
		some, err := l.Tasks(ctx, ledger.TaskFilter{}, after, pageSize)
		if err != nil {
			return err
		}
		for _, k := range some {
			seen[k.Assignee], after = true, k.ID
		}
		if len(some) < pageSize {
			break
		}
	}
	return noneOf("assignee", name, "nobody of that name was ever asked; those who were:", seen)
}

// noneOf refuses what is not among what was seen.
func noneOf(flag, given, says string, seen map[string]bool) error {
	known := slices.Sorted(maps.Keys(seen))
	list := strings.Join(known, ", ")
	if list == "" {
		list = "none"
	}
	return usagef("--%s %s: %s %s%s", flag, plain(given), says, list, nearest.Hint(given, known))
}

// check refuses what no dead letter can have.
func (s *letterSelection) check(ctx context.Context, cfg *config.Config, l ledger.Ledger) error {
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
