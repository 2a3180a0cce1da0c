package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// partly is an app that hands over what it can, and has a human hand over the rest.
type partly struct {
	connector.Connector
	gave  []string
	fails bool // to hand anything over
}

func (p *partly) Ask(step string) (connector.Ask, bool) {
	return connector.Ask{Assignee: "admins", Instructions: "Route the mail.", Within: day, Remind: day}, step == "HandOver"
}

func (p *partly) HandOver(ctx context.Context, from, to string) error {
	if p.fails {
		return &connector.Error{Kind: connector.KindUnavailable, Op: connector.OpHandOver, Message: "not now"}
	}
	p.gave = append(p.gave, to)
	return p.Connector.HandOver(ctx, from, to)
}

func TestAHumanHandsOverWhatTheAppCannot(t *testing.T) {
	for name, verb := range map[string]ledger.TaskVerb{"done": ledger.VerbTaskDone, "refused": ledger.VerbTaskRefuse} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			app := &partly{Connector: o.mail.Connector}
			o.engine.Apps["mail"] = &provision.App{Connector: app}
			hire(o, "kim", "kim")
			hire(o, "ada", "kim")
			kim := linkOf(o, "kim").AccountID
			o.now = o.now.Add(20 * day)
			o.hear(hr.EventTerminated)
			require.ErrorContains(t, settleWaiting(o), "waits for a human")
			tasks, err := o.engine.Ledger.Tasks(t.Context(), ledger.TaskFilter{}, 0, 10)
			require.NoError(t, err)
			require.Len(t, tasks, 1)
			assert.Equal(t, kim, tasks[0].Work.To)
			assert.Equal(t, "Route the mail.", tasks[0].Work.Instructions)
			assert.Empty(t, app.gave, "an app that takes long over it is not asked each time somebody looks")
			assert.Equal(t, ledger.LinkDisabled, linkOf(o, "ada").State, "nothing of that keeps the account on")

			_, err = o.engine.Ledger.ActOnTask(ledger.WithLogin(t.Context(), ledger.Login{Name: "mary"}),
				ledger.TaskAction{Verb: verb, ID: tasks[0].ID, Operator: "mary", Text: "the rule is there", At: o.now})
			require.NoError(t, err)
			err = settle(o, "ada")
			assert.Equal(t, []string{kim}, app.gave, "the app's part is done in any case")
			if verb == ledger.VerbTaskRefuse {
				require.ErrorContains(t, err, "was refused")
				assert.Zero(t, linkOf(o, "ada").HandedOverAt)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, o.now, linkOf(o, "ada").HandedOverAt)
		})
	}
}

// A human has done their part, and the app has not done its own when the receiver is lost. What the
// human did goes to nobody else, and does not stand for what the app has yet to do.
func TestAHumansPartOfAHandOverDoesNotStandForTheApps(t *testing.T) {
	for name, next := range map[string]string{"nobody else": "", "somebody else": "lee"} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			app := &partly{Connector: o.mail.Connector, fails: true}
			o.engine.Apps["mail"] = &provision.App{Connector: app}
			hire(o, "lee", "")
			hire(o, "kim", next)
			hire(o, "ada", "kim")
			o.now = o.now.Add(20 * day)
			o.hear(hr.EventTerminated)
			require.Error(t, settleWaiting(o))
			tasks, err := o.engine.Ledger.Tasks(t.Context(), ledger.TaskFilter{}, 0, 10)
			require.NoError(t, err)
			require.Len(t, tasks, 1)
			_, err = o.engine.Ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: tasks[0].ID, Operator: "mary", Text: "the rule is there", At: o.now})
			require.NoError(t, err)
			require.ErrorContains(t, settle(o, "ada"), "not now")

			(&estate{o}).leaves("kim")
			app.fails = false
			err = settle(o, "ada")
			if next == "" {
				require.ErrorContains(t, err, "nobody can be given the data: the manager is not at work")
				assert.Empty(t, app.gave)
				assert.Zero(t, linkOf(o, "ada").HandedOverAt, "the mail was routed, and the files are where they were")
				o.now = o.now.Add(30 * day)
				require.Error(t, settle(o, "ada"))
				assert.Equal(t, ledger.LinkDisabled, linkOf(o, "ada").State, "nor is the account deleted")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{linkOf(o, "lee").AccountID}, app.gave)
			rows, err := o.engine.Ledger.Audit(t.Context(), "ada", 0, 1000)
			require.NoError(t, err)
			row := rows[len(rows)-1]
			assert.Equal(t, "handed_over", row.Action)
			assert.Equal(t, "lee", row.Detail["to"])
			assert.Equal(t, "kim", row.Detail["handTo"], "who was given what the human moved")
		})
	}
}

// settleWaiting does what is due for Ada until a step waits, and returns why.
func settleWaiting(o *office) error {
	for range 20 {
		assessment, err := o.engine.Assess(o.t.Context(), "ada")
		require.NoError(o.t, err)
		for _, todo := range assessment.Todo {
			result, _, err := o.engine.Apply(o.t.Context(), provision.Attempt{
				PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
			})
			require.NoError(o.t, err)
			if result == provision.ResultWaiting {
				return &provision.Error{Code: provision.CodeWaiting, Message: "waits for a human"}
			}
		}
	}
	return nil
}
