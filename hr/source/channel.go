package source

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// Channel describes which events may arrive on one channel: a topic, or an endpoint for
// webhooks. A record claims a source and a type. The configuration says which of them the
// channel may carry. The zero Channel carries events of every HR system, except events
// about security.
type Channel struct {
	Sources []string // sources of events, each in full or as a prefix with a final *; empty means all but Tenure's own
	Types   []string // short types of events, such as worker.hired, or worker.* and security.*; empty means worker.*
}

// The patterns for all types of a group. A channel without types carries WorkerTypes.
const (
	WorkerTypes   = "worker.*"
	SecurityTypes = "security.*"
)

// types holds the event types by their short names.
var types = func() map[string]hr.EventType {
	byWord := map[string]hr.EventType{}
	for _, t := range []hr.EventType{
		hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted, hr.EventLeaveStarted,
		hr.EventLeaveEnded, hr.EventTerminated, hr.EventRescinded, hr.EventSuspended, hr.EventReinstated,
	} {
		byWord[shortType(t)] = t
	}
	return byWord
}()

// shortType returns an event type without the prefix and suffix that all have:
// "worker.hired".
func shortType(t hr.EventType) string {
	return strings.TrimSuffix(strings.TrimPrefix(string(t), "com.tenurehq."), ".v1")
}

// Check returns an error that says what is wrong with the configured channel, and the
// setting at fault ("types"). The error is nil if nothing is wrong.
func (c Channel) Check() (setting string, err error) {
	for _, s := range c.Sources {
		switch {
		case strings.TrimSuffix(s, "*") == "" || strings.Contains(strings.TrimSuffix(s, "*"), "*"):
			return "sources", fmt.Errorf("%q must be a source such as /hr/example, or its beginning and a *", s)
		case tenures(s):
			return "sources", fmt.Errorf("%q is Tenure's own: nobody else speaks for %s*", s, hr.TenureSources)
		}
	}
	for _, t := range c.Types {
		if _, known := types[t]; !known && t != WorkerTypes && t != SecurityTypes {
			return "types", fmt.Errorf("%q must be %s, %s, or one type such as worker.hired or security.suspended", t, WorkerTypes, SecurityTypes)
		}
	}
	return "", nil
}

// Says returns the types that the channel may carry, as they are configured.
func (c Channel) Says() []string {
	if len(c.Types) == 0 {
		return []string{WorkerTypes}
	}
	return c.Types
}

// SpeaksFor returns the sources whose events the channel may carry, as they are configured.
func (c Channel) SpeaksFor() []string {
	if len(c.Sources) == 0 {
		return []string{"any but " + hr.TenureSources + "*"}
	}
	return c.Sources
}

// tenures reports whether a source is Tenure's own. It ignores case, since the beginning of
// a URN has none (RFC 8141 section 3.1).
func tenures(source string) bool {
	n := len(hr.TenureSources)
	return len(source) >= n && strings.EqualFold(source[:n], hr.TenureSources)
}

// Refuse returns an error if an event may not come on this channel; nil if it may. where
// names the channel's settings for the error's text: "kafka.topics (hr.events) settings".
func (c Channel) Refuse(e hr.Event, where string) *Error {
	refusal := &Error{Reason: ReasonChannel, Person: e.PersonID, Urgent: e.Type == hr.EventTerminated || e.Type == hr.EventSuspended}
	switch {
	case tenures(e.Source):
		refusal.Field, refusal.Text = "source", "is Tenure's own ("+hr.TenureSources+"*): nobody else may speak for it, and no setting lets them"
	case !speaks(c.Sources, e.Source):
		refusal.Field, refusal.Text = "source", "is none that may speak here: if it may, add it to sources in "+where
	case !says(c.Says(), shortType(e.Type)):
		refusal.Field, refusal.Text = "type", shortType(e.Type)+" may not be said here: if it may, write types: ["+
			strings.Join(append(append([]string{}, c.Says()...), group(e.Type)), ", ")+"] in "+where+
			", and redrive the record; or send it over a topic that is named for it"
	default:
		return nil
	}
	return refusal
}

// group returns the entry to add to a channel's types so that it carries this type: the
// whole group of security types, or the one type.
func group(t hr.EventType) string {
	if t.Security() {
		return SecurityTypes
	}
	return shortType(t)
}

func speaks(sources []string, source string) bool {
	return len(sources) == 0 || matches(sources, source)
}

func says(types []string, word string) bool { return matches(types, word) }

// matches reports whether one of the patterns is the text, or a prefix of it and a *.
func matches(patterns []string, text string) bool {
	for _, p := range patterns {
		beginning, open := strings.CutSuffix(p, "*")
		if p == text || open && strings.HasPrefix(text, beginning) {
			return true
		}
	}
	return false
}
