package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
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

// letterReasons are what dead letters are refused for.
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
	string(connector.KindPending),
	activities.CodeLedger, activities.CodeUnknownApp, activities.CodeNotConverging, activities.CodeNoRecipient,
	activities.CodeProtected, activities.CodeSpared, activities.CodePolicy, activities.CodeDeadLetter,
	activities.CodeWaiting, activities.CodeOverdue, activities.CodeRefused,
	activities.CodeWhose, activities.CodeNotTheirs, activities.CodeUnproven, activities.CodeNotKept,
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
	if _, err := findPerson(ctx, l, id); err != nil {
		return usagef("--person: %w", err)
	}
	return nil
}
