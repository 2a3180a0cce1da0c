package company

import (
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Expected is where a person must stand at an instant when everything has been
// told and delivered.
type Expected struct {
	PersonID string    `json:"personId"`
	Status   hr.Status `json:"status"`
	// Starts and Ends bound the employment that Status speaks of: the present one,
	// else the last that has ended, else the one to come. Ends is the first instant
	// without access. Both are zero if not known.
	Starts time.Time `json:"starts,omitzero"`
	Ends   time.Time `json:"ends,omitzero"`

	// The profile at that time (before the start, the first one; after the end, the last).
	Type       hr.PersonType `json:"workerType,omitempty"`
	GivenName  string        `json:"givenName,omitempty"`
	FamilyName string        `json:"familyName,omitempty"`
	Department string        `json:"department,omitempty"`
	JobTitle   string        `json:"jobTitle,omitempty"`
	ManagerID  string        `json:"managerId,omitempty"`
}

// Expected returns where everybody must stand at an instant, by person ID.
func (h *History) Expected(at time.Time) []Expected {
	list := make([]Expected, len(h.lives))
	for i, l := range h.lives {
		list[i] = l.expected(at)
	}
	return list
}

func (l *life) expected(at time.Time) Expected {
	x := Expected{PersonID: l.id, Status: hr.StatusUnknown}
	e := l.employment(at)
	if e == nil {
		return x
	}
	x.Starts, x.Ends, x.Status = e.starts(), e.ends(), l.status(e, at)
	p := e.at(at).profile
	if !x.Ends.IsZero() && !at.Before(x.Ends) {
		p = e.at(x.Ends.Add(-1)).profile
	}
	x.Type, x.GivenName, x.FamilyName = p.Type, p.GivenName, p.FamilyName
	x.Department, x.JobTitle, x.ManagerID = p.Department, p.JobTitle, p.ManagerID
	return x
}

func (l *life) status(e *employment, at time.Time) hr.Status {
	ends := e.ends()
	switch {
	case l.suspended(at):
		return hr.StatusSuspended
	case at.Before(e.starts()):
		return hr.StatusUpcoming
	case !ends.IsZero() && !at.Before(ends):
		return hr.StatusEnded
	case e.away(at):
		return hr.StatusOnLeave
	default:
		return hr.StatusActive
	}
}

// employment returns the present one, else the last that has ended, else the first;
// nil for a person who was never with the company.
func (l *life) employment(at time.Time) *employment {
	var in *employment
	for _, e := range l.employments {
		if in == nil || !at.Before(e.starts()) {
			in = e
		}
	}
	return in
}

func (l *life) suspended(at time.Time) bool {
	for _, s := range l.suspensions {
		if !at.Before(s.from) && s.covers(at) {
			return true
		}
	}
	return false
}
