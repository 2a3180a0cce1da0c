package provision_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/zoom"
	"github.com/tenurehq/tenure/connector/zoom/zoomtest"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/secret"
)

// atOnce is an app that hands data over only as it deletes an account.
type atOnce struct {
	connector.Connector
	gave    map[string]string // by account: who got the data
	refuses bool              // to give anybody data
	lost    bool              // the answer to the next deletion is lost
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
	to := connector.RecipientOf(ctx)
	if a.refuses && to != "" {
		return connector.Invalid(connector.OpDelete, "they have no licence")
	}
	a.gave[id] = to
	err := a.Connector.Delete(ctx, id)
	if a.lost {
		a.lost = false
		return &connector.Error{Kind: connector.KindUnavailable, Op: connector.OpDelete, Message: "no answer"}
	}
	return err
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

// leaving returns an office in which Ada has left, whose account is due for deletion, and whose
// data go to Kim.
func leaving(t *testing.T) (o *office, app *atOnce, id, kim string) {
	t.Helper()
	o = newOffice(t)
	app = &atOnce{Connector: o.mail.Connector, gave: map[string]string{}}
	o.engine.Apps["mail"] = &provision.App{Connector: app}
	hire(o, "kim", "")
	hire(o, "ada", "kim")
	id, kim = linkOf(o, "ada").AccountID, linkOf(o, "kim").AccountID
	o.now = o.now.Add(20 * day)
	o.hear(hr.EventTerminated)
	require.NoError(t, settle(o, "ada"))
	o.now = o.now.Add(11 * day)
	return o, app, id, kim
}

// inAttention returns the keys of Ada's steps in attention, by kind.
func (o *office) inAttention() map[string]string {
	_, err := o.engine.Assess(o.t.Context(), "ada")
	require.NoError(o.t, err)
	person, err := o.engine.Ledger.Person(o.t.Context(), "ada")
	require.NoError(o.t, err)
	keys := map[string]string{}
	for _, s := range person.Steps {
		if s.State == ledger.StepAttention {
			assert.Equal(o.t, provision.CodeNoRecipient, s.Code)
			keys[s.Kind] = s.Key
		}
	}
	return keys
}

// act records what an operator says about one of Ada's steps.
func (o *office) act(verb ledger.Verb, key string) {
	require.NoError(o.t, o.engine.Ledger.Act(o.t.Context(), ledger.Action{
		Verb: verb, PersonID: "ada", Key: key, App: "mail", Operator: "grace", Reason: "moved by hand", At: o.now,
	}))
}

// last returns the last row of the record about Ada.
func (o *office) last() ledger.AuditRow {
	rows, err := o.engine.Ledger.Audit(o.t.Context(), "ada", 0, 1000)
	require.NoError(o.t, err)
	return rows[len(rows)-1]
}

// An app may refuse whoever is to get the data. The deletion waits then, until an operator has the
// app take them, or says that nothing is handed over.
func TestAReceiverWhomTheAppRefuses(t *testing.T) {
	for name, decide := range map[string]func(o *office, app *atOnce, keys map[string]string){
		"the app takes them by now": func(o *office, app *atOnce, keys map[string]string) {
			app.refuses = false
			for _, key := range keys {
				o.act(ledger.VerbRetry, key)
			}
		},
		"deleted without": func(o *office, _ *atOnce, keys map[string]string) { o.act(ledger.VerbSkip, keys["HandOver"]) },
		"kept":            func(o *office, _ *atOnce, keys map[string]string) { o.act(ledger.VerbSkip, keys["Delete"]) },
	} {
		t.Run(name, func(t *testing.T) {
			o, app, id, kim := leaving(t)
			assert.Empty(t, o.inAttention())
			app.refuses = true
			err := settle(o, "ada")
			require.ErrorContains(t, err, "they have no licence")
			require.ErrorContains(t, err, "skip the hand-over")
			assert.True(t, provision.ErrorOf(err).Final)
			assert.Equal(t, provision.CodeNoRecipient, provision.ErrorOf(err).Code)
			assert.Empty(t, app.gave, "not deleted")
			keys := o.inAttention()
			require.Len(t, keys, 2)
			require.Contains(t, keys, "Delete")
			require.Contains(t, keys, "HandOver")
			assert.True(t, plan.Step{App: "mail", Kind: plan.HandOver, Key: keys["HandOver"]}.Genuine())

			decide(o, app, keys)
			assessment, err := o.engine.Assess(t.Context(), "ada")
			require.NoError(t, err)
			assert.Empty(t, assessment.Questions)
			for _, todo := range assessment.Todo {
				assert.Nil(t, todo.Attention, "it is done at once")
			}
			require.NoError(t, settle(o, "ada"))
			assert.Empty(t, o.inAttention())
			row := o.last()
			switch name {
			case "kept":
				assert.Empty(t, app.gave)
				assert.Equal(t, ledger.LinkDisabled, linkOf(o, "ada").State)
				return
			case "deleted without":
				assert.Equal(t, map[string]string{id: ""}, app.gave)
				assert.Equal(t, "skipped", row.Detail["handOver"])
				assert.NotContains(t, row.Detail, "data_to")
				assert.Zero(t, linkOf(o, "ada").HandedOverAt)
			default:
				assert.Equal(t, map[string]string{id: kim}, app.gave)
				assert.Equal(t, kim, row.Detail["data_to"])
			}
			assert.Equal(t, "deleted", row.Action)
			assert.Equal(t, ledger.LinkDeleted, linkOf(o, "ada").State)
		})
	}
}

// The stand-in of Zoom gives recordings to nobody without a licence.
func TestZoomRefusesTheReceiver(t *testing.T) {
	for name, skip := range map[string]bool{"skipped": true, "with a licence by now": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			rules, err := policy.Compile(policy.Rules{
				Apps:   map[string]policy.AppRules{"mail": {}},
				Roles:  []policy.Role{{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"staff"}}}}},
				Leaver: policy.LeaverRules{Retain: 10 * day, Delete: true},
			})
			require.NoError(t, err)
			const secretText = "s3cret"
			calls := zoomtest.New(secretText, 5, zoomtest.Switches{}, "staff")
			server := httptest.NewServer(calls)
			t.Cleanup(server.Close)
			app, err := zoom.Kind.Open(t.Context(), connector.Env{App: "mail"}, connector.Settings{
				"url": server.URL + "/v2", "tokenURL": server.URL + "/oauth/token", "accountID": zoomtest.AccountID, "clientID": zoomtest.ClientID,
				"clientSecret": secret.Of(secretText), "domain": zoomtest.Domain, "handOver": []any{"recordings"}, "licences": true,
			})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, app.Close()) })
			o.engine.Policy, o.engine.Apps["mail"] = rules, &provision.App{Connector: app}
			hire(o, "kim", "")
			hire(o, "ada", "kim")
			o.now = o.now.Add(20 * day)
			o.hear(hr.EventTerminated)
			require.NoError(t, settle(o, "ada"))
			o.now = o.now.Add(11 * day)
			require.ErrorContains(t, settle(o, "ada"), "has no licence")
			assert.Empty(t, calls.Deletions())

			keys := o.inAttention()
			if skip {
				o.act(ledger.VerbSkip, keys["HandOver"])
			} else {
				require.NoError(t, app.Grant(t.Context(), linkOf(o, "kim").AccountID, []string{"licence:Licensed"}))
				o.act(ledger.VerbRetry, keys["Delete"])
			}
			require.NoError(t, settle(o, "ada"))
			assert.Equal(t, ledger.LinkDeleted, linkOf(o, "ada").State)
			require.Len(t, calls.Deletions(), 1)
			assert.Equal(t, !skip, calls.Deletions()[0].Has("transfer_email"))
			assert.Equal(t, "delete", calls.Deletions()[0].Get("action"))
		})
	}
}

// What an operator has said about a hand-over holds, even if the app would do it by now.
func TestAHandOverThatIsSkippedStaysSkipped(t *testing.T) {
	o, app, id, _ := leaving(t)
	app.refuses = true
	require.Error(t, settle(o, "ada"))
	o.act(ledger.VerbSkip, o.inAttention()["HandOver"])
	app.refuses = false
	require.NoError(t, settle(o, "ada"))
	assert.Equal(t, map[string]string{id: ""}, app.gave)
}

// What was gone before Tenure deleted it has been handed to nobody. What Tenure may have deleted,
// in a call whose answer was lost, has.
func TestOnlyWhatWasThereIsHandedOver(t *testing.T) {
	for name, tc := range map[string]struct {
		before func(*office, *atOnce, string)
		want   []string
		over   bool
	}{
		"there": {want: []string{"hand_over_begun kim", "deleted kim"}, over: true},
		"gone before": {
			before: func(o *office, app *atOnce, id string) { require.NoError(o.t, app.Connector.Delete(o.t.Context(), id)) },
			want:   []string{"found_gone <nil>"},
		},
		"gone after the app had refused": {
			before: func(o *office, app *atOnce, id string) {
				app.refuses = true
				require.Error(o.t, settle(o, "ada"))
				o.now = o.now.Add(time.Hour)
				require.NoError(o.t, app.Connector.Delete(o.t.Context(), id))
			},
			want: []string{"hand_over_begun kim", "found_gone <nil>"},
		},
		"deleted without an answer": {
			before: func(o *office, app *atOnce, _ string) {
				app.lost = true
				require.ErrorContains(o.t, settle(o, "ada"), "no answer")
				o.now = o.now.Add(time.Hour)
			},
			want: []string{"hand_over_begun kim", "deleted kim"}, over: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, app, id, kim := leaving(t)
			if tc.before != nil {
				tc.before(o, app, id)
			}
			require.NoError(t, settle(o, "ada"))
			assert.Equal(t, tc.want, (&estate{o}).did(ledger.AuditHandOverBegun, "deleted", "found_gone"))
			link := linkOf(o, "ada")
			assert.Equal(t, ledger.LinkDeleted, link.State)
			assert.Equal(t, tc.over, !link.HandedOverAt.IsZero())
			if tc.over {
				assert.Equal(t, map[string]string{id: kim}, app.gave)
			}
		})
	}
}

// onlyDeletes is an app that can take access only by deleting an account.
type onlyDeletes struct{ *atOnce }

func (o onlyDeletes) Capabilities() connector.Capabilities {
	can := o.atOnce.Capabilities()
	can.Disable = false
	return can
}

// Where only the deletion takes access, it does not wait for anybody who could be given the data.
func TestNobodyKeepsAccessBecauseTheirDataCannotBeHandedOver(t *testing.T) {
	for name, lose := range map[string]func(*office, *atOnce, string){
		"the app refuses the receiver": func(_ *office, app *atOnce, _ string) { app.refuses = true },
		"the receiver's account is off in the app": func(o *office, app *atOnce, kim string) {
			require.NoError(o.t, app.Disable(o.t.Context(), kim))
		},
		"nobody": nil,
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			app := &atOnce{Connector: o.mail.Connector, gave: map[string]string{}}
			o.engine.Apps["mail"] = &provision.App{Connector: onlyDeletes{app}}
			hire(o, "kim", "")
			hire(o, "ada", map[bool]string{true: "kim"}[lose != nil])
			id, kim := linkOf(o, "ada").AccountID, linkOf(o, "kim").AccountID
			if lose != nil {
				lose(o, app, kim)
			}
			o.now = o.now.Add(20 * day)
			o.hear(hr.EventTerminated)
			require.NoError(t, settle(o, "ada"))
			assert.Equal(t, map[string]string{id: ""}, app.gave)
			assert.Equal(t, ledger.LinkDeleted, linkOf(o, "ada").State)
			assert.Zero(t, linkOf(o, "ada").HandedOverAt)
			assert.Equal(t, "nobody could be given the data", o.last().Detail["handOver"])
		})
	}
}

// Between the plan and the call, the receiver may be lost.
func TestAReceiverLostAtTheDeletion(t *testing.T) {
	o, app, _, _ := leaving(t)
	assessment, err := o.engine.Assess(t.Context(), "ada")
	require.NoError(t, err)
	require.Len(t, assessment.Todo, 1)
	deletion := assessment.Todo[0].Step
	require.Equal(t, plan.Delete, deletion.Kind)
	(&estate{o}).leaves("kim")
	_, _, err = o.engine.Apply(t.Context(), provision.Attempt{
		PersonID: "ada", Step: deletion, Deadline: time.Now().Add(time.Minute), Token: deletion.Key,
	})
	require.ErrorContains(t, err, "the account is not deleted, because nobody can be given its data by that: the manager is not at work")
	assert.Empty(t, app.gave, "not deleted")

	require.ErrorContains(t, settle(o, "ada"), "nobody can be given the data: the manager is not at work")
	keys := o.inAttention()
	require.Len(t, keys, 2)
	o.act(ledger.VerbSkip, keys["HandOver"])
	require.NoError(t, settle(o, "ada"))
	assert.Equal(t, "deleted", o.last().Action)
	assert.Equal(t, "skipped", o.last().Detail["handOver"])
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
