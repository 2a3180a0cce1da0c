package provision_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// atOnce is an app that hands data over only as it deletes an account.
type atOnce struct {
	connector.Connector
	gave map[string]string // by account: who got the data
}

func (a *atOnce) Capabilities() connector.Capabilities {
	can := a.Connector.Capabilities()
	can.HandOver, can.HandOverByDelete = false, true
	return can
}

func (a *atOnce) HandOver(context.Context, string, string) error {
	return connector.Unsupported(connector.OpHandOver)
}

func (a *atOnce) Delete(ctx context.Context, id string) error {
	a.gave[id] = connector.RecipientOf(ctx)
	return a.Connector.Delete(ctx, id)
}

func TestDataIsHandedOverAsTheAccountIsDeleted(t *testing.T) {
	for name, manager := range map[string]string{"to the manager": "kim", "to nobody without an operator": "nobody"} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			app := &atOnce{Connector: o.mail.Connector, gave: map[string]string{}}
			o.engine.Apps["mail"] = &provision.App{Connector: app}
			hire(o, "kim", manager)
			hire(o, "ada", manager)
			id, kim := linkOf(o, "ada").AccountID, linkOf(o, "kim").AccountID
			o.now = o.now.Add(20 * day)
			o.hear(hr.EventTerminated)
			require.NoError(t, settle(o, "ada"))
			require.Empty(t, app.gave, "nothing is handed over before the account is deleted")
			o.now = o.now.Add(11 * day)
			err := settle(o, "ada")
			if manager == "nobody" {
				assert.ErrorContains(t, err, "Move the data by hand")
				assert.Empty(t, app.gave, "not deleted")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, map[string]string{id: kim}, app.gave)
			assert.Equal(t, ledger.LinkDeleted, linkOf(o, "ada").State)
			rows, err := o.engine.Ledger.Audit(t.Context(), "ada", 0, 100)
			require.NoError(t, err)
			assert.Contains(t, fmt.Sprint(rows[len(rows)-1].Detail), kim, "the record says who got the data")
		})
	}
}

// hire has a person hired who reports to a manager, and does what is due.
func hire(o *office, person, manager string) {
	_, err := o.engine.Ledger.Record(o.t.Context(), []ledger.Received{{At: o.now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "hired " + person}, Type: hr.EventHired, PersonID: person, Recorded: o.now, Effective: hr.DateOf(o.now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: "Lovelace", ManagerID: manager,
			StartDate: hr.DateOf(o.now), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(o.t, err)
	require.NoError(o.t, settle(o, person))
}

// settle does what is due for a person, and returns the error of the first step that failed.
func settle(o *office, person string) error {
	for range 20 {
		assessment, err := o.engine.Assess(o.t.Context(), person)
		require.NoError(o.t, err)
		if len(assessment.Todo) == 0 {
			return nil
		}
		for _, todo := range assessment.Todo {
			_, _, err := o.engine.Apply(o.t.Context(), provision.Attempt{
				PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
			})
			if err != nil {
				return err
			}
		}
	}
	o.t.Fatal("there is always something to do")
	return nil
}

func linkOf(o *office, person string) ledger.Link {
	links, err := o.engine.Ledger.Links(o.t.Context(), ledger.LinkFilter{PersonID: person})
	require.NoError(o.t, err)
	require.Len(o.t, links, 1)
	return links[0]
}
