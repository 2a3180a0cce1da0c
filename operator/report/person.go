package report

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Summary describes a person in a list.
type Summary struct {
	Person     string    `json:"person"`
	ID         string    `json:"id"` // the same ID, under its earlier name
	Username   string    `json:"username,omitempty"`
	GivenName  string    `json:"givenName,omitempty"`
	FamilyName string    `json:"familyName,omitempty"`
	Status     hr.Status `json:"status,omitempty"`
	Department string    `json:"department,omitempty"`
	JobTitle   string    `json:"jobTitle,omitempty"`
	ManagerID  string    `json:"managerId,omitempty"`
	DueAt      time.Time `json:"dueAt,omitzero"`
	DueWhat    string    `json:"dueWhat,omitempty"`
	AssessedAt time.Time `json:"assessedAt,omitzero"`
	// ErasedAt is when what was known of them was erased.
	ErasedAt time.Time `json:"erasedAt,omitzero"`
}

// SummaryOf describes a person of the ledger.
func SummaryOf(s ledger.Summary) Summary {
	return Summary{
		Person: s.PersonID, ID: s.PersonID, Username: s.Username, GivenName: s.GivenName, FamilyName: s.FamilyName, Status: s.Status,
		Department: s.Department, JobTitle: s.JobTitle, ManagerID: s.ManagerID,
		DueAt: s.DueAt, DueWhat: s.DueWhat, AssessedAt: s.AssessedAt, ErasedAt: s.ErasedAt,
	}
}

// Name returns the given name and the family name or, of somebody who was erased, the day of that.
func (v Summary) Name() string {
	if !v.ErasedAt.IsZero() {
		return "erased on " + v.ErasedAt.UTC().Format(time.DateOnly)
	}
	return strings.TrimSpace(v.GivenName + " " + v.FamilyName)
}

// Link describes an account that Tenure has linked to a person.
type Link struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`
	Protected    bool             `json:"protected,omitempty"` // no automation touches it
	AccountID    string           `json:"accountId,omitempty"`
	Username     string           `json:"username,omitempty"`
	Adopted      bool             `json:"adopted,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
	CreatedAt    time.Time        `json:"createdAt,omitzero"`
	DisabledAt   time.Time        `json:"disabledAt,omitzero"`
	StrippedAt   time.Time        `json:"strippedAt,omitzero"`
	HandedOverAt time.Time        `json:"handedOverAt,omitzero"`
	// Receiver is who is given the account's data; nil until that has begun.
	Receiver  *ledger.Receiver `json:"receiver,omitempty"`
	DeletedAt time.Time        `json:"deletedAt,omitzero"`
	ProvenAt  time.Time        `json:"provenAt,omitzero"`
}

// LinkOf describes a link of the ledger. It does not say whether the account is protected.
func LinkOf(l ledger.Link) Link {
	v := Link{
		App: l.App, State: l.State, AccountID: l.AccountID, Username: l.Username, Adopted: l.Adopted,
		Entitlements: l.Entitlements, CreatedAt: l.CreatedAt, DisabledAt: l.DisabledAt, StrippedAt: l.StrippedAt,
		HandedOverAt: l.HandedOverAt, DeletedAt: l.DeletedAt, ProvenAt: l.ProvenAt,
	}
	if l.Receiver.PersonID != "" {
		v.Receiver = &l.Receiver
	}
	return v
}

// Since returns when the link's state was first proven.
func (v Link) Since() time.Time {
	switch v.State {
	case ledger.LinkDisabled:
		return v.DisabledAt
	case ledger.LinkDeleted:
		return v.DeletedAt
	}
	return v.CreatedAt
}
