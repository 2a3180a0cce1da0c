package source

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// Channel says which events may arrive by one way: over a topic, or at an endpoint for
// webhooks. A record claims a source and a type; the configuration says which of them
// the way may carry. The zero Channel carries events of any HR system, except those about
// security.
type Channel struct {
	Sources []string // sources of events, each whole or up to a final *; empty: all but Tenure's own
	Types   []string // types of events, as Words has them, or worker.* and security.*; empty: worker.*
}

// What a channel may say that names no types, and what every type of a group is.
const (
	WorkerTypes   = "worker.*"
	SecurityTypes = "security.*"
)

// types are the event types, by their words.
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

// shortType is an event type without what all have: "worker.hired".
func shortType(t hr.EventType) string {
	return strings.TrimSuffix(strings.TrimPrefix(string(t), "com.tenurehq."), ".v1")
}

// Check reports what is wrong with the channel as it was configured, with the setting
// ("types") that says so; nil if nothing is.
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

// Says are the types that the channel may say, as they are configured.
func (c Channel) Says() []string {
	if len(c.Types) == 0 {
		return []string{WorkerTypes}
	}
	return c.Types
}

// SpeaksFor are the sources that the channel may speak for, as they are configured.
func (c Channel) SpeaksFor() []string {
	if len(c.Sources) == 0 {
		return []string{"any but " + hr.TenureSources + "*"}
	}
	return c.Sources
}

// tenures reports whether a source is Tenure's own, or reads as if it were: the
// beginning of a URN has no case (RFC 8141 section 3.1).
func tenures(source string) bool {
	n := len(hr.TenureSources)
	return len(source) >= n && strings.EqualFold(source[:n], hr.TenureSources)
}

// Refuse says why an event may not come this way; nil if it may. where is what is
// configured: "kafka.topics (hr.events) settings".
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

// group returns the name of the group of types that a channel must carry for this type.
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

// matches reports whether one of the patterns is the text, or its beginning and a *.
func matches(patterns []string, text string) bool {
	for _, p := range patterns {
		beginning, open := strings.CutSuffix(p, "*")
		if p == text || open && strings.HasPrefix(text, beginning) {
			return true
		}
	}
	return false
}
