package provision

import (
	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/policy"
)

// CodeDuty means that a person has, or was granted, what a rule of separation of duties keeps
// apart.
const CodeDuty = "duty"

// dutyQuestions asks what is to become of grants that are not given because of a rule of
// separation of duties, and of what conflicts with such a rule although no grant is to blame.
func (d decision) dutyQuestions() []Attention {
	var out []Attention
	for _, r := range d.Desired.Refused {
		out = append(out, Attention{Key: assess.RefusedKey(r), Code: CodeDuty, Message: "grant " + r.Exception + " of role " + r.Role + " is not given: by rule " + r.Duty +
			" nobody has " + policy.Things(r.Gives) + " together with " + policy.Things(r.Against) + ". End it with 'tenure exception end " + r.Exception + "'" +
			orWaive(r.Waivable) + "; else skip this, and it is not given"})
	}
	for _, c := range d.Conflicts {
		if c.Mode == policy.DutyPrevent && c.Waiver == "" {
			out = append(out, Attention{Key: assess.ConflictKey(c), Code: CodeDuty, Message: "by rule " + c.Duty + " nobody has both of " + policy.Reasons(c.One) +
				" and " + policy.Reasons(c.Other) + ", and this person does. Nothing is taken by itself: have HR or the roles changed, withhold one side with " +
				"'tenure exception withhold'" + orWaive(c.Waivable) + "; else skip this, and they keep both"})
		}
	}
	return out
}

// orWaive says that a rule can be waived, if it can be.
func orWaive(can bool) string {
	if !can {
		return ""
	}
	return ", or waive the rule for this person with 'tenure exception waive'"
}
