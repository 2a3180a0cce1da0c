package chaos

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
)

// history holds the messages to send, and what everybody must have after all of them.
type history struct {
	messages []broker.Message
	events   map[string]map[hr.EventKey]bool // by person, without repetitions
	distinct int
	refused  int // messages that must become dead letters
	people   map[string]standing
}

// standing is what one person must have in the end.
type standing struct {
	Active, Ended              bool
	Title, Department, Manager string
}

const structured = "application/cloudevents+json"

// made returns the history of a made-up company that is over.
func made(seed uint64, people int) (*history, error) {
	opts := company.Typical(seed, people)
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	generated := company.Generate(opts)
	h := newHistory()
	for _, e := range generated.Events {
		value, err := cloudevents.Encode(e)
		if err != nil {
			return nil, err
		}
		h.add(e, value)
	}
	for _, x := range generated.Expected(time.Now()) {
		h.people[x.PersonID] = standing{
			Active: x.Status == hr.StatusActive, Ended: x.Status == hr.StatusEnded,
			Title: x.JobTitle, Department: x.Department, Manager: x.ManagerID,
		}
	}
	return h, nil
}

// read returns a history from a file with one structured CloudEvent a line. People are
// hired once, change, and perhaps leave: what they must have is decided by their last
// event, by effective date and then by recorded time.
func read(path string) (*history, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h := newHistory()
	all := map[string][]hr.Event{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := bytes.Clone(lines.Bytes())
		events, _, err := cloudevents.Decode(source.Record{Headers: map[string]string{"content-type": structured}, Value: line})
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		for _, e := range events {
			h.add(e, line)
			all[e.PersonID] = append(all[e.PersonID], e)
		}
	}
	for person, events := range all {
		slices.SortStableFunc(events, func(a, b hr.Event) int {
			return cmp.Or(a.Effective.Compare(b.Effective), a.Recorded.Compare(b.Recorded))
		})
		s := standing{Active: true}
		for _, e := range events {
			switch {
			case e.Type == hr.EventTerminated:
				s.Active, s.Ended = false, true
			case e.Profile != nil && !s.Ended:
				s.Title, s.Department, s.Manager = e.Profile.JobTitle, e.Profile.Department, e.Profile.ManagerID
			}
		}
		h.people[person] = s
	}
	return h, lines.Err()
}

func newHistory() *history {
	return &history{events: map[string]map[hr.EventKey]bool{}, people: map[string]standing{}}
}

func (h *history) add(e hr.Event, value []byte) {
	h.messages = append(h.messages, broker.Message{Key: e.PersonID, Value: value, Headers: map[string]string{"content-type": structured}})
	if h.events[e.PersonID] == nil {
		h.events[e.PersonID] = map[hr.EventKey]bool{}
	}
	if !h.events[e.PersonID][e.EventKey] {
		h.events[e.PersonID][e.EventKey] = true
		h.distinct++
	}
}

// granted returns what the roles of the topology's configuration grant a person in an
// app; nil means no account.
func (s standing) granted(app string) []string {
	if !s.Active {
		return nil
	}
	maker := s.Department == "Development" || s.Department == "Research"
	var groups []string
	switch app {
	case topology.AppDirectory:
		groups = []string{"staff"}
		if maker {
			groups = []string{"engineers", "staff"}
		}
	case topology.AppWiki:
		groups = []string{} // the account alone
		if strings.Contains(s.Title, "Manager") {
			groups = append(groups, "managers")
		}
		if s.Department == "Research" {
			groups = append(groups, "researchers")
		}
	case topology.AppDatabase:
		if maker {
			groups = []string{"app_readers"}
		}
	}
	return groups
}
