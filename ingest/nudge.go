package ingest

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/workflows"
)

// Nudger tells Temporal that there is something new about a person. In
// production it is a runs.Client.
type Nudger interface {
	Nudge(ctx context.Context, n workflows.Nudge) error
}

// requestSpace is the namespace of the request IDs that nudges derive from events.
var requestSpace = uuid.MustParse("9a0e4b0c-43a5-5ac8-93c2-7d1b7f1c2a51")

// NudgeFor returns the nudge for an event that has the number seq in the ledger. The
// same event always gives the same request ID, so that Temporal recognizes a repeated
// signal.
func NudgeFor(e hr.Event, seq int64) workflows.Nudge {
	return workflows.Nudge{
		PersonID:  e.PersonID,
		Seq:       seq,
		Urgent:    urgent(e),
		Type:      workflows.TypeFor(e.Type),
		Why:       why(e),
		RequestID: requestID(e.EventKey),
	}
}

// requestID returns the request ID of nudges for an event.
func requestID(k hr.EventKey) string {
	return uuid.NewSHA1(requestSpace, []byte(k.Source+"\x00"+k.ID)).String()
}

// urgent reports whether the event cuts access off at once.
func urgent(e hr.Event) bool {
	return e.Type == hr.EventSuspended ||
		e.Type == hr.EventTerminated && e.Termination != nil && e.Termination.Urgency == hr.UrgencyImmediate
}

// settles reports whether the event takes effect only after Options.Settle, so that
// Tenure sees first whether many like it follow.
func settles(e hr.Event) bool { return e.Type == hr.EventTerminated && !urgent(e) }

// why returns one line for people, without personal data: "leave started, effective
// 2026-12-01".
func why(e hr.Event) string {
	name := strings.TrimSuffix(string(e.Type), ".v1")
	name = name[strings.LastIndexByte(name, '.')+1:]
	return strings.ReplaceAll(name, "_", " ") + ", effective " + e.Effective.String()
}
