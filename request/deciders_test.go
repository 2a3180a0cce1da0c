package request_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/request"
)

// company is one in which ada works for bob, who works for cyd, who works for the boss.
func company() map[string]request.Colleague {
	people := map[string]request.Colleague{}
	for id, manager := range map[string]string{"ada": "bob", "bob": "cyd", "cyd": "boss", "boss": "", "olga": "boss", "otto": "boss", "sec": "cyd", "fay": "", "finn": ""} {
		people[id] = request.Colleague{ID: id, Status: hr.StatusActive, Manager: manager}
	}
	return people
}

func TestDeciders(t *testing.T) {
	is := func(id string, status hr.Status) func(map[string]request.Colleague) {
		return func(people map[string]request.Colleague) {
			c := people[id]
			c.Status = status
			people[id] = c
		}
	}
	worksFor := func(id, manager string) func(map[string]request.Colleague) {
		return func(people map[string]request.Colleague) {
			c := people[id]
			c.Manager = manager
			people[id] = c
		}
	}
	all := func(changes ...func(map[string]request.Colleague)) func(map[string]request.Colleague) {
		return func(people map[string]request.Colleague) {
			for _, change := range changes {
				change(people)
			}
		}
	}
	anotherID := func(old, now string) func(map[string]request.Colleague) {
		return func(people map[string]request.Colleague) { people[old] = people[now] }
	}
	standIns := []ledger.StandIn{{ID: 2, PersonID: "bob", StandIn: "sec"}}
	for name, tc := range map[string]struct {
		people func(map[string]request.Colleague)
		change func(q *request.Question)
		want   []request.Decider
	}{
		"the manager": {want: []request.Decider{{"bob", "manager of ada"}}},
		"there is none": {people: worksFor("ada", ""),
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"the manager is the one who asks": {change: func(q *request.Question) { q.AskedBy = "bob" },
			want: []request.Decider{{"cyd", "next above ada (bob is concerned)"}}},
		"the manager asks under an earlier ID": {people: anotherID("bob-old", "bob"), change: func(q *request.Question) { q.AskedBy = "bob-old" },
			want: []request.Decider{{"cyd", "next above ada (bob is concerned)"}}},
		"the manager is known by another ID by now": {people: all(anotherID("bob-old", "bob"), worksFor("ada", "bob-old")),
			want: []request.Decider{{"bob", "manager of ada"}}},
		"the manager has left": {people: is("bob", hr.StatusEnded),
			want: []request.Decider{{"cyd", "next above ada (bob has left)"}}},
		"two in a row cannot": {people: all(is("bob", hr.StatusOnLeave), is("cyd", hr.StatusSuspended)),
			want: []request.Decider{{"boss", "next above ada (bob is on leave, cyd is suspended)"}}},
		"the manager has not started": {people: is("bob", hr.StatusUpcoming),
			want: []request.Decider{{"cyd", "next above ada (bob has not started)"}}},
		"the manager is not known": {people: worksFor("ada", "nobody"),
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"a circle of managers": {people: all(worksFor("bob", "ada"), is("bob", hr.StatusOnLeave)),
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"a circle above": {people: all(worksFor("cyd", "bob"), is("bob", hr.StatusOnLeave), is("cyd", hr.StatusOnLeave)),
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"their own manager": {people: worksFor("ada", "ada"),
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},

		"somebody stands in": {change: func(q *request.Question) { q.StandIns = standIns },
			want: []request.Decider{{"bob", "manager of ada"}, {"sec", "stand-in for bob (s-2)"}}},
		"... for one on leave": {people: is("bob", hr.StatusOnLeave), change: func(q *request.Question) { q.StandIns = standIns },
			want: []request.Decider{{"sec", "stand-in for bob (s-2)"}, {"cyd", "next above ada (bob is on leave)"}}},
		"... not for one who has left": {people: is("bob", hr.StatusEnded), change: func(q *request.Question) { q.StandIns = standIns },
			want: []request.Decider{{"cyd", "next above ada (bob has left)"}}},
		"... not for one who is suspended": {people: is("bob", hr.StatusSuspended), change: func(q *request.Question) { q.StandIns = standIns },
			want: []request.Decider{{"cyd", "next above ada (bob is suspended)"}}},
		"... not for one who asks": {change: func(q *request.Question) { q.StandIns, q.AskedBy = standIns, "bob" },
			want: []request.Decider{{"cyd", "next above ada (bob is concerned)"}}},
		"... not if they are concerned": {change: func(q *request.Question) {
			q.StandIns = []ledger.StandIn{{ID: 2, PersonID: "bob", StandIn: "ada"}}
		}, want: []request.Decider{{"bob", "manager of ada"}}},
		"... not if they have left": {people: is("sec", hr.StatusEnded), change: func(q *request.Question) { q.StandIns = standIns },
			want: []request.Decider{{"bob", "manager of ada"}}},
		"... not in turn": {change: func(q *request.Question) {
			q.StandIns = append(slices.Clone(standIns), ledger.StandIn{ID: 3, PersonID: "sec", StandIn: "otto"})
		}, want: []request.Decider{{"bob", "manager of ada"}, {"sec", "stand-in for bob (s-2)"}}},

		"owners": {change: func(q *request.Question) { q.Stage = []string{"owner"} },
			want: []request.Decider{{"olga", "owner of role admin"}, {"otto", "owner of role admin"}}},
		"an owner asks": {change: func(q *request.Question) { q.Stage, q.AskedBy = []string{"owner"}, "olga" },
			want: []request.Decider{{"otto", "owner of role admin"}}},
		"an owner is concerned": {change: func(q *request.Question) { q.Stage, q.PersonID = []string{"owner"}, "otto" },
			want: []request.Decider{{"olga", "owner of role admin"}}},
		"the owner of a rule": {change: func(q *request.Question) { q.Stage, q.Role, q.Duty = []string{"owner"}, "", "pay-and-approve" },
			want: []request.Decider{{"olga", "owner of rule pay-and-approve"}, {"otto", "owner of rule pay-and-approve"}}},
		"a group": {change: func(q *request.Question) { q.Stage = []string{"security"} },
			want: []request.Decider{{"sec", "one of security"}}},
		"a group that is gone": {change: func(q *request.Question) { q.Stage = []string{"finance"} },
			want: []request.Decider{{"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"several, and each once": {change: func(q *request.Question) {
			q.Stage, q.Owner = []string{"manager", "owner", "security"}, []string{"bob", "olga"}
		},
			want: []request.Decider{{"bob", "manager of ada"}, {"olga", "owner of role admin"}, {"sec", "one of security"}}},
		"more are needed than can": {change: func(q *request.Question) { q.Needed = 2 },
			want: []request.Decider{{"bob", "manager of ada"}, {"fay", "governance.fallback: too few others can decide"}, {"finn", "governance.fallback: too few others can decide"}}},
		"nobody of the fallback decides for themself": {people: worksFor("fay", ""), change: func(q *request.Question) { q.PersonID, q.AskedBy = "fay", "fay" },
			want: []request.Decider{{"finn", "governance.fallback: too few others can decide"}}},
		"nobody can": {people: all(worksFor("ada", ""), is("fay", hr.StatusEnded), is("finn", hr.StatusOnLeave))},

		"the next one up": {change: func(q *request.Question) { q.Escalated = true },
			want: []request.Decider{{"bob", "manager of ada"}, {"cyd", "next above bob, asked since nobody had answered"}}},
		"the next one up who can": {people: is("cyd", hr.StatusEnded), change: func(q *request.Question) { q.Escalated = true },
			want: []request.Decider{{"bob", "manager of ada"}, {"boss", "next above bob, asked since nobody had answered"}}},
		"nobody is above": {people: worksFor("bob", ""), change: func(q *request.Question) { q.Escalated = true },
			want: []request.Decider{{"bob", "manager of ada"}, {"fay", "governance.fallback: nobody had answered"}, {"finn", "governance.fallback: nobody had answered"}}},
		"nobody is above the stand-in": {change: func(q *request.Question) {
			q.Escalated, q.StandIns = true, []ledger.StandIn{{ID: 2, PersonID: "bob", StandIn: "olga"}}
		},
			want: []request.Decider{{"bob", "manager of ada"}, {"olga", "stand-in for bob (s-2)"}, {"cyd", "next above bob, asked since nobody had answered"}}},
	} {
		t.Run(name, func(t *testing.T) {
			people := company()
			if tc.people != nil {
				tc.people(people)
			}
			q := request.Question{
				PersonID: "ada", AskedBy: "ada", Role: "admin", Stage: []string{"manager"}, Needed: 1,
				Owner: []string{"olga", "otto"}, Fallback: []string{"fay", "finn"},
				Groups: func(name string) []string { return map[string][]string{"security": {"sec"}}[name] },
				Lookup: func(id string) (request.Colleague, error) {
					if c, ok := people[id]; ok {
						return c, nil
					}
					return request.Colleague{ID: id, Status: hr.StatusUnknown}, nil
				},
			}
			if tc.change != nil {
				tc.change(&q)
			}
			got, err := request.Deciders(q)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestDecidersFailWithTheDirectory(t *testing.T) {
	_, err := request.Deciders(request.Question{
		PersonID: "ada", AskedBy: "ada", Stage: []string{"manager"}, Groups: func(string) []string { return nil },
		Lookup: func(string) (request.Colleague, error) { return request.Colleague{}, errors.New("no answer") },
	})
	require.EqualError(t, err, "no answer")
}
