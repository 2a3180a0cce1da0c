package preview

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/policy"
)

// Conflict is what somebody would have of both sides of a rule of separation of duties, or the
// grant that they would not be given because of it. What is waived is none.
type Conflict struct {
	Duty string          `json:"duty"`
	Mode policy.DutyMode `json:"mode"`
	At   time.Time       `json:"at"` // from when on; the scenario's Now means at once
	// Refused names the grant that is not given. One is then what it would give.
	Refused string `json:"refused,omitempty"`
	One     string `json:"one"` // what is held, and what gives it
	Other   string `json:"other"`

	key string
}

// duties notes the conflicts that there are from an instant on, and that were not noted before.
func (w *walk) duties(d assess.Decision, at time.Time) {
	for _, r := range d.Desired.Refused {
		w.note(Conflict{
			Duty: r.Duty, Mode: policy.DutyPrevent, At: at, Refused: r.Exception,
			One: policy.Things(r.Gives), Other: policy.Reasons(r.Against), key: assess.RefusedKey(r),
		})
	}
	for _, c := range d.Conflicts {
		if c.Waiver == "" {
			w.note(Conflict{Duty: c.Duty, Mode: c.Mode, At: at, One: policy.Reasons(c.One), Other: policy.Reasons(c.Other), key: assess.ConflictKey(c)})
		}
	}
}

func (w *walk) note(c Conflict) {
	if !among(w.out.Conflicts, c) {
		w.out.Conflicts = append(w.out.Conflicts, c)
	}
}

// among reports whether a conflict is in a list, whenever it begins.
func among(list []Conflict, c Conflict) bool {
	return slices.ContainsFunc(list, func(other Conflict) bool { return other.key == c.key && other.Mode == c.Mode })
}
