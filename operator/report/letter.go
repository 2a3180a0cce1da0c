package report

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Letter describes a dead letter as the ledger knows it: without personal data.
type Letter struct {
	ID         int64              `json:"id"`
	State      ledger.LetterState `json:"state"`
	Urgent     bool               `json:"urgent,omitempty"` // it was to end somebody's access
	Reason     string             `json:"reason"`           // why the record was refused; the same as Code
	Code       string             `json:"code"`
	Field      string             `json:"field,omitempty"`
	Text       string             `json:"text,omitempty"`
	Person     string             `json:"person,omitempty"`
	Type       string             `json:"type,omitempty"`
	Source     string             `json:"source,omitempty"`
	Event      string             `json:"event,omitempty"`
	Format     string             `json:"format,omitempty"`
	Record     string             `json:"record"`     // where the record was: topic/partition/offset
	DeadLetter string             `json:"deadLetter"` // where the dead letter is
	RedriveOf  string             `json:"redriveOf,omitempty"`
	Digest     string             `json:"digest"`
	ReceivedAt time.Time          `json:"receivedAt"`
	Operator   string             `json:"operator,omitempty"`
	Login      string             `json:"login,omitempty"`
	Why        string             `json:"why,omitempty"`
	ActedAt    time.Time          `json:"actedAt,omitzero"`
	EndedAt    time.Time          `json:"endedAt,omitzero"`
}

// LetterOf describes a dead letter of the ledger.
func LetterOf(l ledger.DeadLetter) Letter {
	return Letter{
		ID: l.ID, State: l.State, Urgent: l.Urgent, Reason: l.Reason, Code: l.Reason, Field: l.Field, Text: l.Text,
		Person: l.PersonID, Type: l.EventType, Source: l.EventSource, Event: l.EventID, Format: l.Format,
		Record: l.Origin.String(), DeadLetter: l.At.String(), RedriveOf: l.RedriveOf.String(), Digest: l.Digest,
		ReceivedAt: l.ReceivedAt, Operator: l.Operator, Login: l.Login, Why: l.Why, ActedAt: l.ActedAt, EndedAt: l.EndedAt,
	}
}

// What describes what is wrong with the record.
func (v Letter) What() string { return strings.TrimSpace(v.Field + " " + v.Text) }
