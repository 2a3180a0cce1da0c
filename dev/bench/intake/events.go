package intake

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
)

// publishAtOnce bounds how many messages are created before they are published.
const publishAtOnce = 5_000

// person returns the ID of somebody about whom there was no event before.
func person(topic string, i int) string { return fmt.Sprintf("%s-%d", topic, i) }

// hired returns a hire as HR systems send it.
func hired(personID string) hr.Event {
	today := hr.Date{Year: 2026, Month: 12, Day: 1}
	return hr.Event{
		EventKey:  hr.EventKey{Source: "/hr/bench", ID: "hire/" + personID},
		Type:      hr.EventHired,
		PersonID:  personID,
		Recorded:  time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		Effective: today,
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", WorkEmail: "ada.lovelace@example.com",
			EmployeeNumber: personID, JobTitle: "Engineer", Department: "Engineering", CostCenter: "4711", Company: "Example",
			Location: hr.Location{Site: "Berlin", Country: "DE", TimeZone: "Europe/Berlin"}, ManagerID: "1", StartDate: today,
		},
	}
}

// large returns a hire that is as large as a record may be.
func large(personID string) hr.Event {
	e := hired(personID)
	e.Profile.Attributes = map[string]string{"badge": strings.Repeat("x", largeRecord)}
	return e
}

func message(e hr.Event) (broker.Message, error) {
	value, err := cloudevents.Encode(e)
	return broker.Message{
		Key: e.PersonID, Value: value, Headers: map[string]string{"content-type": "application/cloudevents+json"},
	}, err
}

// publish publishes n events.
func (r *rig) publish(ctx context.Context, topic string, n int, event func(i int) hr.Event) error {
	for begun := 0; begun < n; begun += publishAtOnce {
		messages := make([]broker.Message, 0, publishAtOnce)
		for i := begun; i < min(n, begun+publishAtOnce); i++ {
			m, err := message(event(i))
			if err != nil {
				return err
			}
			messages = append(messages, m)
		}
		if err := r.publisher.Publish(ctx, topic, messages); err != nil {
			return err
		}
	}
	return nil
}
