package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// idPrefix begins the IDs of the events that snapshots make.
const idPrefix = "snapshot-"

// made reports whether an event's ID was given by a snapshot.
func made(id string) bool { return strings.HasPrefix(id, idPrefix) }

// event fills in the person, recorded time, source and ID of an event. The ID depends on all
// of these and on the event's content. So the same file with the same instant gives the same
// events, and a file with another instant gives other events.
func (s *subject) event(e hr.Event) hr.Event {
	e.PersonID, e.Recorded, e.Source = s.id, s.AsOf, s.Source
	e.PositionID, e.Primary = s.positionID, s.primary && e.Profile != nil
	if s.numbered != nil { // events about several positions have an order
		s.numbered.said++
		e.Sequence = strconv.Itoa(s.numbered.said)
	}
	content, err := json.Marshal(e)
	if err != nil {
		// Only an instant beyond year 9999 has no JSON, and New refuses that.
		panic(err)
	}
	sum := sha256.Sum256(content)
	e.ID = idPrefix + s.AsOf.Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:12])
	return e
}
