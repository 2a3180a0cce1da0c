package source

import "github.com/tenurehq/tenure/hr"

// Check returns an error if no ledger or workflow can keep the event. It holds for every
// source. Fields are named as in the event's own JSON.
func Check(e hr.Event) *Error {
	field, problem := e.Problem()
	if problem == "" {
		return nil
	}
	return &Error{Reason: ReasonSchema, Field: Printable(field), Text: problem, Person: hr.Text(e.PersonID), Urgent: e.EndsAccess()}
}

// checked returns a decoder that tidies the texts of its events, and fails if an event
// cannot be kept all the same.
func checked(decode Decoder) Decoder {
	return func(r Record) ([]hr.Event, []Warning, error) {
		events, warnings, err := decode(r)
		if err != nil {
			return events, warnings, err
		}
		for i, e := range events {
			if events[i] = hr.Tidied(e); Check(events[i]) != nil {
				return nil, nil, Check(events[i])
			}
		}
		return events, warnings, nil
	}
}
