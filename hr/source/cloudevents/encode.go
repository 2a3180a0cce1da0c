package cloudevents

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// wire is the structured form of an event.
type wire struct {
	SpecVersion     string       `json:"specversion"`
	ID              string       `json:"id"`
	Source          string       `json:"source"`
	Type            hr.EventType `json:"type"`
	Subject         string       `json:"subject"`
	Time            time.Time    `json:"time"`
	DataContentType string       `json:"datacontenttype"`
	PartitionKey    string       `json:"partitionkey"`
	Sequence        string       `json:"sequence,omitempty"`
	Data            wireData     `json:"data"`
}

type wireData struct {
	WorkerID      string          `json:"workerId"`
	EffectiveDate hr.Date         `json:"effectiveDate,omitzero"`
	Worker        *hr.Profile     `json:"worker,omitempty"`
	Termination   *hr.Termination `json:"termination,omitempty"`
	Leave         *hr.Leave       `json:"leave,omitempty"`
	Suspension    *hr.Suspension  `json:"suspension,omitempty"`
	PositionID    string          `json:"positionId,omitempty"`
	Primary       bool            `json:"primaryPosition,omitempty"`
	Previous      string          `json:"previousWorkerId,omitempty"`
	Rescinds      string          `json:"rescinds,omitempty"`
}

// Encode returns an event in structured mode: the value of a record whose key is the person
// ID and whose content type is application/cloudevents+json. It fails if Decode would refuse
// the event.
func Encode(e hr.Event) ([]byte, error) {
	value, err := json.Marshal(wire{
		SpecVersion:     specVersion,
		ID:              e.ID,
		Source:          e.Source,
		Type:            e.Type,
		Subject:         e.PersonID,
		Time:            e.Recorded.UTC(),
		DataContentType: plain,
		PartitionKey:    e.PersonID,
		Sequence:        e.Sequence,
		Data: wireData{
			WorkerID:      e.PersonID,
			EffectiveDate: e.Effective,
			Worker:        e.Profile,
			Termination:   e.Termination,
			Leave:         e.Leave,
			Suspension:    e.Suspension,
			PositionID:    e.PositionID,
			Primary:       e.Primary,
			Previous:      e.Previous,
			Rescinds:      e.Rescinds,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	if _, _, refusal := decode(source.Record{Key: []byte(e.PersonID), Value: value}); refusal != nil {
		return nil, fmt.Errorf("encode event: %w", refusal)
	}
	return value, nil
}
