package connector

import "time"

// AskSettings returns the settings that say how humans are asked. A kind that needs a human
// for every step requires the assignee.
func AskSettings(required bool) []Setting {
	return []Setting{
		{Name: "assignee", Type: TypeText, Required: required, Text: "Who is asked: a team or a person, by the name that your company uses. `tenure task list --assignee` selects by it."},
		{Name: "instructions", Type: TypeText, Text: "How to do it; shown with every task."},
		{Name: "due", Type: TypeDuration, Default: 48 * time.Hour, Text: "Time to do a task that gives or changes access, or cleans up."},
		{Name: "cutOffDue", Type: TypeDuration, Default: 4 * time.Hour, Text: "Time to do a task that cuts somebody off."},
		{Name: "remind", Type: TypeDuration, Default: 24 * time.Hour, Text: "How often the assignee is reminded. A task that cuts somebody off has a reminder at least after half of cutOffDue."},
		{Name: "escalateTo", Type: TypeText, Text: "Who is to be told when a task is overdue; the message names them. Default: nobody."},
		{Name: "secondPerson", Type: TypeTexts, Text: "Steps that a second person has to confirm: any of provision, update, disable, strip, hand_over, delete."},
	}
}

// askSteps maps each plan.Kind to the name of the step in the setting secondPerson.
var askSteps = map[string]string{
	"Provision": "provision", "Update": "update", "Disable": "disable", "Strip": "strip", "HandOver": "hand_over", "Delete": "delete",
}

// ReadAsk reads AskSettings. The function that it returns says how humans are asked for a
// step.
func ReadAsk(settings *Values) func(step string) Ask {
	second := map[string]bool{}
	for _, name := range settings.Texts("secondPerson") {
		known := false
		for _, step := range askSteps {
			known = known || step == name
		}
		if !known {
			settings.Reject("secondPerson", "holds what is no step: known are provision, update, disable, strip, hand_over, delete")
		}
		second[name] = true
	}
	ask := Ask{
		Assignee: settings.Text("assignee"), Instructions: settings.Text("instructions"), EscalateTo: settings.Text("escalateTo"),
		Within: settings.Duration("due"), Remind: settings.Duration("remind"),
	}
	cutOff := ask
	cutOff.Within = settings.Duration("cutOffDue")
	cutOff.Remind = min(ask.Remind, max(cutOff.Within/2, time.Minute))
	return func(step string) Ask {
		a := ask
		if step == "Disable" {
			a = cutOff
		}
		a.SecondPerson = second[askSteps[step]]
		return a
	}
}

// Ask holds how a human is asked to do a step.
type Ask struct {
	Assignee     string        // a team or a person, by the name that the company uses
	Instructions string        // how to do the step; may be empty
	Within       time.Duration // how long the assignee has
	Remind       time.Duration // how often the assignee is reminded, also when it is overdue
	EscalateTo   string        // who is named when it is overdue; may be empty
	SecondPerson bool          // a second person has to confirm it
}
