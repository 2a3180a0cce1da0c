package workflows_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// requestRules are testRules with a role for developers that has to be requested, and one for
// everybody.
func requestRules() policy.Rules {
	rules := testRules()
	rules.Apps["crm"] = policy.AppRules{}
	request := &policy.RequestRules{Most: 90 * day}
	rules.Roles = append(rules.Roles,
		policy.Role{Name: "admin", When: "person.department == 'Development'", Request: request, Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}}},
		policy.Role{Name: "crm-user", When: "true", Request: request, Grants: []policy.Grant{{App: "crm", Entitlements: []string{"users"}}}},
	)
	return rules
}

// except makes an exception for the person's employment, in force from a time after the epoch
// until another; a zero until is none.
func (b *biography) except(x ledger.Exception, from, until time.Duration) ledger.Exception {
	b.t.Helper()
	opened, ok := assess.Employment(assess.TimelineOf(person(b)), b.now())
	require.True(b.t, ok, "there is an employment")
	x.PersonID, x.Employment, x.Origin, x.Reason, x.DecidedBy, x.DecidedAt = b.person, opened, "r-1", "INC-1", "ada", b.now()
	x.StartsAt = epoch.Add(from)
	if until != 0 {
		x.EndsAt = epoch.Add(until)
	}
	placed, err := b.ledger.PlaceException(context.Background(), x)
	require.NoError(b.t, err)
	return placed
}

// grants gives the person a role, and tells the run.
func (b *biography) grants(after time.Duration, role string, from, until time.Duration) {
	b.nudged(after, func() { b.except(ledger.Exception{Kind: "grant", Role: role}, from, until) })
}

// withholds takes something from the person, and tells the run.
func (b *biography) withholds(after time.Duration, app, entitlement string, until time.Duration) {
	b.nudged(after, func() {
		b.except(ledger.Exception{Kind: "withhold", App: app, Entitlement: entitlement}, after, until)
	})
}

// sees requires a state of an account at a time.
func (b *biography) sees(after time.Duration, app, state, why string) {
	b.on(after, func() { assert.Equal(b.t, state, b.state(app), "after %s: %s", after, why) })
}

func TestAGrantLastsAsLongAsItsTimeAndItsReason(t *testing.T) {
	const minute = time.Minute
	withAdmins, without := "on [admins engineers]", "on [engineers]"
	for name, live := range map[string]func(b *biography){
		"its time ends": func(b *biography) {
			b.grants(day, "admin", day, 3*day)
			b.sees(day+minute, "wiki", withAdmins, "granted")
			b.sees(3*day-minute, "wiki", withAdmins, "still")
			b.sees(3*day+minute, "wiki", without, "its time is over")
		},
		"an account that only the grant gave is kept and deleted as after a move": func(b *biography) {
			b.grants(day, "crm-user", day, 3*day)
			b.sees(day+minute, "crm", "on [users]", "granted")
			b.sees(3*day+minute, "crm", "off []", "its time is over")
			b.sees(34*day, "crm", "none", "retention is over")
		},
		"it begins in the future": func(b *biography) {
			b.grants(day, "admin", 5*day, 8*day)
			b.sees(5*day-minute, "wiki", without, "not yet")
			b.on(2*day, func() {
				assert.Equal(b.t, []any{"exception", epoch.Add(5 * day)}, []any{person(b).DueWhat, person(b).DueAt})
			})
			b.sees(5*day+minute, "wiki", withAdmins, "it has begun")
			b.sees(8*day+minute, "wiki", without, "it is over")
		},
		"a move to where the role may not be had ends it": func(b *biography) {
			b.grants(day, "admin", day, 30*day)
			b.grants(day, "crm-user", day, 30*day)
			b.hears(5*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
			b.sees(5*day+minute, "wiki", "off []", "nobody in Sales is there")
			b.sees(5*day+minute, "crm", "on [users]", "that one may be had everywhere")
			b.hears(6*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
			b.sees(6*day+minute, "wiki", withAdmins, "it was not ended, and fits again")
		},
		"a leave turns it off, and time goes on": func(b *biography) {
			b.grants(day, "admin", day, 10*day)
			b.hears(2*day, hr.Event{Type: hr.EventLeaveStarted})
			b.sees(3*day, "wiki", "off [admins engineers]", "on leave")
			b.hears(20*day, hr.Event{Type: hr.EventLeaveEnded})
			b.sees(20*day+minute, "wiki", without, "its time was over before the return")
		},
		"a leaver loses it with the rest, and a rehire does not bring it back": func(b *biography) {
			b.grants(day, "admin", day, 60*day)
			b.hears(2*day, terminated(hr.DateOf(epoch.Add(2*day))))
			b.sees(4*day, "wiki", "off []", "left")
			b.on(4*day, func() {
				assert.Empty(b.t, person(b).Exceptions)
				assert.Contains(b.t, b.actions(), ":exception_lapsed")
			})
			back := profile("Development")
			back.StartDate = hr.DateOf(epoch.Add(10 * day))
			b.hears(9*day, hr.Event{Type: hr.EventRehired, Profile: back, Effective: back.StartDate})
			b.sees(11*day, "wiki", without, "another employment")
		},
		"one that was to begin after a rehire does not begin": func(b *biography) {
			b.grants(day, "admin", 12*day, 60*day)
			b.hears(2*day, terminated(hr.DateOf(epoch.Add(2*day))))
			back := profile("Development")
			back.StartDate = hr.DateOf(epoch.Add(10 * day))
			b.hears(2*day+time.Minute, hr.Event{Type: hr.EventRehired, Profile: back, Effective: back.StartDate})
			b.sees(13*day, "wiki", without, "another employment")
		},
		"two that overlap do not cut each other off": func(b *biography) {
			b.grants(day, "admin", day, 3*day)
			b.grants(day, "admin", 2*day, 6*day)
			b.sees(3*day+minute, "wiki", withAdmins, "the other one gives it")
			b.sees(6*day+minute, "wiki", without, "the last one is over")
		},
		"it is given back": func(b *biography) {
			b.grants(day, "admin", day, 30*day)
			b.nudged(4*day, b.endsGrant)
			b.sees(4*day+minute, "wiki", without, "given back")
		},
		"taking wins over giving": func(b *biography) {
			b.grants(day, "admin", day, 30*day)
			b.withholds(2*day, "wiki", "admins", 5*day)
			b.sees(2*day+minute, "wiki", without, "withheld")
			b.sees(5*day+minute, "wiki", withAdmins, "no longer withheld, and still granted")
			b.withholds(6*day, "wiki", "", 0)
			b.sees(6*day+minute, "wiki", "off []", "the account is withheld, for as long as the employment lasts")
			b.sees(40*day, "wiki", "none", "retention is over")
		},
		"HR corrects how the employment began": func(b *biography) {
			b.withholds(day, "wiki", "", 0)
			earlier := profile("Development")
			earlier.StartDate = hr.DateOf(epoch.Add(-30 * day))
			b.hears(2*day, hr.Event{Type: hr.EventHired, Profile: earlier, Effective: earlier.StartDate})
			b.hears(2*day+minute, hr.Event{Type: hr.EventRescinded, Rescinds: "e1"})
			b.sees(3*day, "wiki", "off []", "still withheld")
			b.on(3*day, func() {
				require.NotEqual(b.t, "e1", assess.TimelineOf(person(b)).Periods[0].Opened.ID, "the employment was opened anew")
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, requestRules())
			b.hears(0, hired("Development"))
			live(b)
			b.live(70 * day)
			rows, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
			require.NoError(t, err)
			assert.True(t, slices.ContainsFunc(rows, func(r ledger.AuditRow) bool { return r.Action == "exception_placed" }))
		})
	}
}

func TestTheReasonOfAccessNamesTheGrant(t *testing.T) {
	b := newBiography(t, requestRules())
	b.hears(0, hired("Development"))
	b.grants(day, "crm-user", day, 3*day)
	b.live(2 * day)
	rows, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
	require.NoError(t, err)
	i := slices.IndexFunc(rows, func(r ledger.AuditRow) bool { return r.App == "crm" && r.Action == "created" })
	require.GreaterOrEqual(t, i, 0)
	assert.Contains(t, rows[i].Cause, "crm-user (x-1)")
}

// randomExceptions makes up to three exceptions around a time, if there is an employment.
func (b *biography) randomExceptions(r *rand.Rand, at time.Duration) {
	n := r.IntN(4)
	type drawn struct {
		x           ledger.Exception
		from, until time.Duration
	}
	var all []drawn
	for range n {
		d := drawn{from: at + time.Duration(r.IntN(20)-5)*day}
		d.until = d.from + time.Duration(1+r.IntN(40))*day
		kinds := 3
		if b.acts.Policy.KeepsApart() {
			kinds = 4
		}
		switch r.IntN(kinds) {
		case 3:
			d.x = ledger.Exception{Kind: "waive", Duty: "build-and-sell", Control: "the auditors look"}
		case 0:
			d.x = ledger.Exception{Kind: "grant", Role: []string{"admin", "crm-user"}[r.IntN(2)]}
		case 1:
			d.x = ledger.Exception{Kind: "grant", Role: "admin"}
		case 2:
			d.x = ledger.Exception{Kind: "withhold", App: "wiki", Entitlement: []string{"", "engineers", "admins"}[r.IntN(3)]}
		}
		all = append(all, d)
	}
	b.nudged(at, func() {
		if _, ok := assess.Employment(assess.TimelineOf(person(b)), b.now()); !ok {
			return
		}
		for i, d := range all {
			d.x.Emergency = i%2 == 0 // two that are alike otherwise are two
			b.except(d.x, d.from, d.until)
		}
	})
}

// oracle says which entitlements somebody may have in the wiki and in the crm at an instant,
// without the code that evaluates exceptions.
func (b *biography) oracle(at time.Time) map[string][]string {
	p := person(b)
	t := assess.TimelineOf(p)
	standing := t.At(at)
	may := map[string][]string{}
	if standing.Period == nil || standing.Profile == nil || standing.Status == hr.StatusEnded || standing.Status == hr.StatusUpcoming {
		return may
	}
	developer := standing.Profile.Department == "Development"
	if developer {
		may["wiki"] = []string{"engineers"}
	}
	apart := b.acts.Policy.Duties()
	all, err := b.ledger.Exceptions(context.Background(), ledger.ExceptionFilter{PersonID: b.person}, 0, 1000)
	require.NoError(b.t, err)
	var taken, given []ledger.Exception
	waived := !b.acts.Policy.KeepsApart()
	for _, x := range all {
		made := func(p hr.Period) bool {
			return x.Employment == p.Opened || !x.DecidedAt.Before(p.Starts) && (p.Ends.IsZero() || x.DecidedAt.Before(p.Ends))
		}
		holds := made(*standing.Period)
		for i := slices.IndexFunc(t.Periods, func(p hr.Period) bool { return p.Starts.Equal(standing.Period.Starts) }); x.Kind == "withhold" && i > 0; i-- {
			if t.Periods[i].Starts.Sub(t.Periods[i-1].Ends) > 4*day {
				break
			}
			holds = holds || made(t.Periods[i-1])
		}
		if !holds || !x.EndedAt.IsZero() && !x.EndedAt.After(at) || x.StartsAt.After(at) || !x.EndsAt.IsZero() && !x.EndsAt.After(at) {
			continue
		}
		switch {
		case x.Kind == "withhold":
			taken = append(taken, x)
		case x.Kind == "waive":
			waived = true
		case x.Role == "crm-user" && !b.noCRM || x.Role == "admin" && (developer || b.adminForAll):
			given = append(given, x)
		}
	}
	take := func() {
		for _, x := range taken {
			may[x.App] = slices.DeleteFunc(may[x.App], func(e string) bool { return x.Entitlement == "" || x.Entitlement == e })
		}
	}
	take()
	slices.SortStableFunc(given, func(x, y ledger.Exception) int { return x.DecidedAt.Compare(y.DecidedAt) })
	for _, x := range given {
		waived := waived || x.DecidedAt.Before(apart[0].Since) // it was there before the rule
		switch {
		case x.Role == "crm-user" && (waived || len(may["wiki"]) == 0):
			may["crm"] = []string{"users"}
		case x.Role == "admin" && (waived || len(may["crm"]) == 0 || slices.Contains(may["wiki"], "admins")):
			may["wiki"] = append(may["wiki"], "admins")
		default:
			b.refused++
		}
		take()
	}
	return may
}

// linked lists the person's accounts that are there, with what they have.
func (b *biography) linked() (all []string) {
	for _, l := range person(b).Links {
		if l.State.HasAccount() {
			all = append(all, fmt.Sprint(l.App, " ", l.State, " ", append([]string{}, l.Entitlements...)))
		}
	}
	return all
}

// Whatever HR says and whatever is granted and withheld, nobody has what no reason gives at
// that instant, and whoever is at work has all that a reason gives. In half of the lives, a
// rule of separation of duties is a reason not to be given something. Afterwards the record
// tells what they had at each instant.
func TestNobodyHasWhatNoReasonGives(t *testing.T) {
	had, refused := 0, 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			rules := requestRules()
			rules.Leaver.Retain = 20 * day
			if seed >= 30 {
				rules.Duties = []policy.Duty{buildAndSell()}
			}
			b := newBiography(t, rules)
			first, second := randomLife(r, b.person)
			b.says(0, first)
			late := time.Duration(5+r.IntN(20)) * day
			b.randomExceptions(r, late-2*day)
			b.says(late, second)
			b.randomExceptions(r, late+10*day)
			then := map[time.Time][]string{} // what the ledger knew that the person had
			for after := 3 * day; seed >= 30 && after < 60*day; after += 7 * day {
				b.randomExceptions(r, after)
			}
			for at := day; at < 100*day; at += 19 * time.Hour {
				b.on(at+7*time.Minute, func() {
					then[b.now()] = b.linked()
					may := b.oracle(b.now())
					active := assess.TimelineOf(person(b)).At(b.now()).Status == hr.StatusActive
					for _, app := range []string{"wiki", "crm"} {
						account, ok := b.account(app)
						if !ok || !account.Active {
							if active {
								assert.Empty(t, may[app], "%s after %s: a reason gives it, and it is not there", app, at)
							}
							continue
						}
						assert.True(t, active, "%s is on after %s", app, at)
						allowed := slices.Sorted(slices.Values(may[app]))
						assert.ElementsMatch(t, slices.Compact(allowed), account.Entitlements, "%s after %s", app, at)
						had += len(account.Entitlements)
					}
				})
			}
			b.live(101 * day)
			rows, err := ledger.Collect(ledger.AllAudit(context.Background(), b.ledger, b.person, 0))
			require.NoError(t, err)
			for at, links := range then {
				var recorded []string
				for _, a := range report.AccessAt(rows, at) {
					recorded = append(recorded, fmt.Sprint(a.App, " ", a.State, " ", a.Names()))
				}
				assert.Equal(t, links, recorded, "by the record, as of %s", at)
			}
			refused += b.refused
		})
	}
	assert.Greater(t, had, 1000, "these lives are not worth living")
	assert.Greater(t, refused, 50, "no rule kept anything apart")
}

// What was granted to one person for a time is no sign of a mistake about many: neither its
// beginning nor its end waits for the breaker. What a move takes does.
func TestTheBreakerDoesNotCountWhatWasGrantedForATime(t *testing.T) {
	b := newBiography(t, requestRules())
	b.limit()
	b.hears(0, hired("Development"))
	for i, kind := range []ledger.WithdrawalKind{ledger.Grants, ledger.Losses, ledger.Disables} {
		b.others(day+time.Duration(i)*time.Second, kind, 3) // whatever is counted would be held
		b.others(3*day-time.Hour+time.Duration(i)*time.Second, kind, 3)
	}
	b.grants(day+time.Minute, "admin", day+time.Minute, 3*day)
	b.grants(day+2*time.Minute, "crm-user", day+2*time.Minute, 3*day)
	b.on(day+2*time.Minute+10*time.Second, func() {
		assert.Equal(t, []string{"on [admins engineers]", "on [users]"}, []string{b.state("wiki"), b.state("crm")}, "at once")
	})
	b.on(3*day+10*time.Second, func() {
		assert.Equal(t, []string{"on [engineers]", "off []"}, []string{b.state("wiki"), b.state("crm")}, "at once")
	})
	b.hears(3*day+time.Hour, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.on(3*day+2*time.Hour, func() { assert.Equal(t, "on [engineers]", b.state("wiki"), "a move is held") })
	b.live(4 * day)
}

// What a move, a leave or the end of the employment takes is held, and stays held when the time of
// a grant in the same app is over. What only the grant gave is taken then.
func TestTheEndOfAGrantLetsNothingElsePastTheBreaker(t *testing.T) {
	for name, tc := range map[string]struct {
		event   hr.Event
		kind    ledger.WithdrawalKind
		granted string // of the wiki, once the hold is released
		crm     string // likewise, of the account that only a grant gives
	}{
		"a move":            {hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")}, ledger.Disables, "off []", "off []"},
		"a leave":           {hr.Event{Type: hr.EventLeaveStarted}, ledger.Disables, "off [engineers]", "off []"},
		"the end of it all": {terminated(hr.DateOf(epoch.Add(day))), ledger.Leavers, "off []", "off []"},
		"a suspension":      {hr.Event{Type: hr.EventSuspended}, ledger.Suspensions, "off [engineers]", "off []"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := requestRules()
			rules.Roles[len(rules.Roles)-1].When = "person.department == 'Development'"
			b := newBiography(t, rules)
			b.limit()
			b.hears(0, hired("Development"))
			b.grants(day, "admin", day, 3*day)
			b.grants(day+time.Second, "crm-user", day+time.Second, 3*day)
			b.others(2*day-time.Hour, tc.kind, 3)
			b.hears(2*day, tc.event)
			both := func() []string { return []string{b.state("wiki"), b.state("crm")} }
			b.on(3*day-time.Minute, func() { assert.Equal(t, []string{"on [admins engineers]", "on [users]"}, both(), "it is held") })
			b.on(3*day+time.Minute, func() {
				assert.Equal(t, []string{"on [engineers]", "off []"}, both(), "what the grants gave is gone at once, and nothing else")
			})
			b.decides(3*day+2*time.Hour, ledger.VerbRelease)
			b.on(3*day+3*time.Hour, func() { assert.Equal(t, []string{tc.granted, tc.crm}, both(), "it is released") })
			b.live(4 * day)
		})
	}
}

// What a role gave before is held with the rest, also if a grant gave it as well.
func TestWhatARoleGaveBeforeDoesNotEndWithAGrant(t *testing.T) {
	rules := requestRules()
	rules.Roles[len(rules.Roles)-2].Grants = []policy.Grant{{App: "wiki", Entitlements: []string{"admins", "engineers"}}}
	b := newBiography(t, rules)
	b.limit()
	b.hears(0, hired("Development"))
	b.grants(day, "admin", day, 3*day)
	b.others(2*day-time.Hour, ledger.Disables, 3)
	b.hears(2*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.grants(2*day+time.Hour, "admin", 2*day+time.Hour, 5*day)
	b.sees(3*day+time.Minute, "wiki", "on [admins engineers]", "the other grant would give it, and the move takes it")
	b.sees(5*day+time.Minute, "wiki", "on [engineers]", "no grant is left")
	b.live(6 * day)
}

// What somebody has no more because a waiver has ended is no sign of a mistake about many either.
func TestTheBreakerDoesNotCountWhatAWaiverEnds(t *testing.T) {
	rules := requestRules()
	rules.Duties = []policy.Duty{buildAndSell()}
	b := newBiography(t, rules)
	b.limit()
	b.hears(0, hired("Development"))
	b.waives(day, "build-and-sell", 3*day)
	b.grants(day+time.Minute, "crm-user", day+time.Minute, 30*day)
	for i, kind := range []ledger.WithdrawalKind{ledger.Losses, ledger.Disables} {
		b.others(3*day-time.Hour+time.Duration(i)*time.Second, kind, 3)
	}
	b.sees(3*day-time.Minute, "crm", "on [users]", "it is waived")
	b.sees(3*day+time.Minute, "crm", "off []", "at once")
	b.live(4 * day)
}

// What is withheld does not come back when HR takes back what it said about the employment, in
// whatever order it does so.
func TestWhatIsWithheldStaysSoWhateverHRCorrects(t *testing.T) {
	const minute = time.Minute
	starting := func(id string, after time.Duration) hr.Event {
		e := hired("Development")
		e.ID, e.Profile.StartDate = id, hr.DateOf(epoch.Add(after))
		e.Effective = e.Profile.StartDate
		return e
	}
	rescinds := func(id string) hr.Event { return hr.Event{Type: hr.EventRescinded, Rescinds: id} }
	for name, tc := range map[string]struct {
		hire hr.Event
		then func(b *biography)
		wiki string
	}{
		"a termination is rescinded": {starting("e1", 0), func(b *biography) {
			end := terminated(hr.DateOf(epoch.Add(2 * day)))
			end.ID = "t1"
			b.hears(2*day, end)
			b.hears(5*day, rescinds("t1"))
		}, "off []"},
		"the hire is rescinded, and said again with another day": {starting("e1", 0), func(b *biography) {
			b.hears(2*day, rescinds("e1"))
			b.hears(2*day+5*minute, starting("e2", -30*day))
		}, "off []"},
		"the first day is postponed": {starting("e1", 10*day), func(b *biography) {
			b.hears(2*day, starting("e2", 20*day))
			b.hears(2*day+minute, rescinds("e1"))
		}, "none"},
		"the first day is postponed, by a rescind first": {starting("e1", 10*day), func(b *biography) {
			b.hears(2*day, rescinds("e1"))
			b.hears(3*day, starting("e2", 20*day))
		}, "none"},
		"HR says the rehire only, and no end before it": {starting("e1", 0), func(b *biography) {
			again := starting("e2", 10*day)
			again.Type = hr.EventRehired
			b.hears(9*day, again)
		}, "off []"},
		"there is a weekend between two contracts": {starting("e1", 0), func(b *biography) {
			again := starting("e2", 5*day)
			again.Type = hr.EventRehired
			b.hears(2*day, terminated(hr.DateOf(epoch.Add(2*day))))
			b.hears(4*day, again)
		}, "off []"},
		"HR gives them another ID": {starting("e1", 0), func(b *biography) {
			b.live(4 * day)
			b.becomes("20001", 5*day, starting("e2", 10*day))
		}, "off []"},
		"but a rehire is another employment": {starting("e1", 0), func(b *biography) {
			again := starting("e2", 10*day)
			again.Type = hr.EventRehired
			b.hears(2*day, terminated(hr.DateOf(epoch.Add(2*day))))
			b.hears(9*day, again)
			b.on(22*day, func() { assert.Contains(b.t, b.actions(), "wiki:exception_lapsed") })
		}, "on [engineers]"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, requestRules())
			b.hears(0, tc.hire)
			b.withholds(day, "wiki", "", 0)
			tc.then(b)
			b.sees(22*day, "directory", "on [engineers staff]", "at work")
			b.sees(22*day, "wiki", tc.wiki, "what is withheld")
			b.live(23 * day)
		})
	}
}

// What is withheld under one ID is withheld under the next one of the same human, also before the
// two are linked, in a rehearsal of the link, and if there is no account any more. What was granted
// is not carried over.
func TestWhatIsWithheldIsCarriedOverToAnotherID(t *testing.T) {
	rules := requestRules()
	rules.Leaver.Retain = 0
	b := newBiography(t, rules)
	hire := hr.Event{Type: hr.EventHired, Profile: reached("Development", "ada@home.example")}
	b.hears(0, hire)
	for _, app := range []string{"wiki", "chat", "directory"} {
		b.withholds(day, app, "", 0)
	}
	b.grants(day, "crm-user", day, 60*day)
	b.live(12 * day)
	old := b.person
	for app, state := range map[string]string{"wiki": "none", "crm": "on [users]"} {
		require.Equal(t, state, b.state(app))
	}
	again := hr.Event{EventKey: hr.EventKey{ID: "again"}, Type: hr.EventHired, Profile: reached("Development", "ada@home.example")}
	again.Profile.StartDate = hr.DateOf(epoch.Add(13 * day))
	again.Effective = again.Profile.StartDate
	b.begins("20001", again)
	b.on(14*day, func() {
		assert.Equal(t, map[string]string{"": provision.CodeSameHuman}, b.inAttention(), "it is asked first")
		rules := assess.Rules{Policy: b.acts.Policy, Apps: map[string]plan.App{}}
		for name, app := range b.acts.Apps {
			resolved, _ := b.acts.Policy.App(name)
			rules.Apps[name] = assess.Traits(resolved, app.Connector)
		}
		linked, _, err := preview.Linked(context.Background(), b.ledger, b.person, old)
		require.NoError(t, err)
		out, err := preview.New(linked, preview.Scenario{Now: b.now(), Rules: rules}).Person(context.Background(), b.person)
		require.NoError(t, err)
		for _, c := range out.Changes {
			assert.NotContains(t, []preview.Action{preview.Create, preview.Enable}, c.Do, "the rehearsal gives nothing that is withheld: %s", c.App)
		}
		_, err = b.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: b.person, OldID: old, At: b.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
	})
	b.live(30 * day)
	assert.Equal(t, map[string]string{"wiki": "none", "chat": "none", "directory": "none", "crm": "none"}, b.states())
	assert.Contains(t, b.actions(), "crm:deleted", "the grant was the other ID's")
}

// What was carried over to another ID is not told of the ID that had it before.
func TestWhatWasCarriedOverIsToldOfOneID(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.live(day)
	old, sales := b.person, profile("Sales")
	sales.StartDate = hr.DateOf(epoch.Add(3 * day))
	b.becomes("20001", 2*day, hr.Event{EventKey: hr.EventKey{ID: "abroad"}, Type: hr.EventHired, Effective: sales.StartDate, Profile: sales})
	b.live(12 * day)
	apps := func(id string, after time.Duration) (names []string) {
		access, err := report.AccessOf(context.Background(), b.ledger, id, epoch.Add(after))
		require.NoError(t, err)
		for _, a := range access {
			names = append(names, a.App+" "+string(a.State))
		}
		return names
	}
	all := []string{"chat active", "directory active", "wiki active"}
	assert.Equal(t, all, apps(old, day), "before they were linked")
	assert.Empty(t, apps(old, 11*day), "it has been another ID's since then")
	assert.Equal(t, []string{"chat active", "directory active", "wiki disabled"}, apps(b.person, 11*day))
	assert.Equal(t, all, apps(b.person, day), "the other ID's are the same human's")
}

// The breaker does not count a grant that only another position than the primary one allows.
func TestTheBreakerDoesNotCountAGrantForASecondPosition(t *testing.T) {
	rules := requestRules()
	rules.Roles[len(rules.Roles)-1].When = "person.department == 'Development'"
	b := newBiography(t, rules)
	b.limit()
	sales := hired("Sales")
	sales.PositionID = "p1"
	dev := hired("Development")
	dev.PositionID = "p2"
	b.hears(0, sales)
	b.hears(time.Second, dev)
	b.others(2*day-time.Hour, ledger.Grants, 3)
	b.grants(2*day, "crm-user", 2*day, 5*day)
	b.on(2*day+time.Minute, func() { assert.Equal(t, "on [users]", b.state("crm"), "at once") })
	b.live(3 * day)
}
