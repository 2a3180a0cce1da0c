package scan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/reconcile/scan"
)

const day = 24 * time.Hour

// office is an engine and a scanner with one app, the wiki, and a clock that is set by hand.
type office struct {
	*testing.T
	now     time.Time
	engine  *provision.Engine
	scanner *scan.Scanner
	app     *memory.App
	hand    connector.Connector // with which an administrator of the wiki changes it
	scans   int
	due     []string // people whom scans made due
}

func newOffice(t *testing.T) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	rules, err := policy.Compile(policy.Rules{
		Person: policy.PersonRules{Username: "lower(person.givenName)", Email: "person.username + '@example.com'"},
		Apps:   map[string]policy.AppRules{"wiki": {Attributes: map[string]string{"title": "person.jobTitle"}, Protected: []string{"breakglass"}}},
		Roles: []policy.Role{
			{Name: "staff", When: "person.jobTitle != 'Guest'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"staff"}}}},
			{Name: "clerk", When: "person.jobTitle == 'Clerk'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"clerks"}}}},
		},
		Duties: []policy.Duty{{
			Name: "pay", Mode: policy.DutyDetect, Waive: &policy.WaiveRules{Most: 90 * day},
			One: []policy.Grant{{App: "wiki", Entitlements: []string{"clerks"}}}, Other: []policy.Grant{{App: "wiki", Entitlements: []string{"approvers"}}},
		}},
		Leaver: policy.LeaverRules{Retain: 10 * day, Delete: true, HandOver: policy.HandOverNone},
	})
	require.NoError(t, err)
	o := &office{T: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), app: memory.Shared(t.Name())}
	o.app.Reset()
	open := func(ctx context.Context) (connector.Connector, error) {
		return memory.Kind.Open(ctx, connector.Env{App: t.Name()}, connector.Settings{})
	}
	o.hand, err = open(t.Context())
	require.NoError(t, err)
	now := clock.Func(func() time.Time { return o.now })
	o.engine = &provision.Engine{
		Ledger: store, Policy: rules, Apps: map[string]*provision.App{"wiki": {Connector: o.hand}}, Log: zap.NewNop(),
		Clock: now, AttentionAfter: time.Hour, Recheck: time.Hour,
	}
	o.scanner = &scan.Scanner{
		Ledger: store, Policy: rules, Clock: now, Log: zap.NewNop(),
		Apps: map[string]scan.App{"wiki": {Terms: reconcile.Terms{Shrink: 0.1, Grace: 2, Flapping: 3, Reactions: map[reconcile.Kind]reconcile.Reaction{}}, Open: open}},
	}
	return o
}

func (o *office) ledger() ledger.Ledger { return o.engine.Ledger }

// react sets what is done about a kind of difference.
func (o *office) react(kind reconcile.Kind, r reconcile.Reaction) {
	o.scanner.Apps["wiki"].Terms.Reactions[kind] = r
}

// passes lets an hour pass.
func (o *office) passes() { o.now = o.now.Add(time.Hour) }

// hear records that HR says something about somebody, and does what is due.
func (o *office) hear(kind hr.EventType, person, title string) {
	o.Helper()
	o.passes()
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprint(person, o.now.Unix())}, Type: kind, PersonID: person, Recorded: o.now, Effective: hr.DateOf(o.now),
	}
	if kind == hr.EventTerminated {
		e.Effective = hr.DateOf(o.now).AddDays(-1)
		e.Termination = &hr.Termination{LastDay: e.Effective}
	} else {
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: person, FamilyName: "Test", JobTitle: title, StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"},
		}
	}
	_, err := o.ledger().Record(o.Context(), []ledger.Received{{Event: e, At: o.now}})
	require.NoError(o, err)
	o.settle(person)
}

// hired makes somebody with an account, and leaver somebody whose account is off.
func (o *office) hired(person string) ledger.Link {
	o.Helper()
	o.hear(hr.EventHired, person, "Engineer")
	return o.link(person)
}

func (o *office) leaver(person string) ledger.Link {
	o.Helper()
	o.hired(person)
	o.now = o.now.Add(2 * day)
	o.hear(hr.EventTerminated, person, "")
	require.Equal(o, ledger.LinkDisabled, o.link(person).State)
	return o.link(person)
}

// settle does what is to be done for somebody until nothing is.
func (o *office) settle(person string) {
	o.Helper()
	o.passes()
	for range 20 {
		a, err := o.engine.Assess(o.Context(), person)
		require.NoError(o, err)
		require.Empty(o, a.Questions)
		if len(a.Todo) == 0 {
			return
		}
		done := map[string]bool{}
		for _, todo := range a.Todo {
			if slices.ContainsFunc(todo.Needs, func(key string) bool { return !done[key] }) {
				continue
			}
			_, _, err := o.engine.Apply(o.Context(), provision.Attempt{PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key})
			require.NoError(o, err)
			done[todo.Key] = true
			o.passes()
		}
	}
	require.Fail(o, "there is always something left to do")
}

func (o *office) link(person string) ledger.Link {
	o.Helper()
	links, err := o.ledger().Links(o.Context(), ledger.LinkFilter{PersonID: person})
	require.NoError(o, err)
	require.Len(o, links, 1)
	return links[0]
}

func (o *office) account(id string) connector.Account {
	o.Helper()
	account, ok := o.app.Account(id)
	require.True(o, ok)
	return account
}

// scan scans the wiki, and requires that it ends in this state.
func (o *office) scan(state ledger.ScanState) scan.Progress {
	o.Helper()
	o.passes()
	o.scans++
	p, err := o.goOn()
	require.NoError(o, err)
	require.Equal(o, state, p.State, p.Why)
	o.passes()
	return p
}

func (o *office) goOn() (scan.Progress, error) {
	return o.scanner.Go(o.Context(), "wiki", fmt.Sprint(o.scans), func() {}, func(people []string) { o.due = append(o.due, people...) })
}

// found lists the findings that have not ended, as "kind what person state".
func (o *office) found() []string {
	o.Helper()
	all, err := o.ledger().Findings(o.Context(), ledger.FindingFilter{}, 0, 1000)
	require.NoError(o, err)
	list := []string{}
	for _, f := range all {
		list = append(list, fmt.Sprintf("%s %s %s %s", f.Kind, f.What, f.PersonID, f.State))
	}
	return list
}

func (o *office) nothingFound(what string) {
	o.Helper()
	o.scan(ledger.ScanDone)
	require.Empty(o, o.found(), what)
}

func TestNothingIsFoundWhereAllIsAsItShouldBe(t *testing.T) {
	o := newOffice(t)
	for i := range 250 {
		o.hear(hr.EventHired, fmt.Sprintf("p%03d", i), "Engineer")
	}
	o.leaver("zoe")
	o.nothingFound("at first")
	o.nothingFound("again")
	assert.Empty(t, o.due)
	last, err := o.ledger().LastScans(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{251, 250, 251}, []int{last[0].Accounts, last[0].Enabled, last[0].Reported})
}

func TestALeaverWhoseAccountIsTurnedOnAgainIsCutOffAgain(t *testing.T) {
	o := newOffice(t)
	o.hired("ada")
	was := o.leaver("zoe")
	o.nothingFound("zoe is off")

	require.NoError(t, o.hand.Enable(t.Context(), was.AccountID))
	require.NoError(t, o.hand.Grant(t.Context(), was.AccountID, []string{"admins"}))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"state  zoe repairing", "stray admins zoe open"}, o.found())
	assert.Equal(t, []string{"zoe"}, o.due)
	assert.True(t, o.account(was.AccountID).Active, "a scan changes no app")

	o.settle("zoe")
	assert.False(t, o.account(was.AccountID).Active)
	assert.Empty(t, o.account(was.AccountID).Entitlements, "and stripped again, of what nobody gave too")
	assert.True(t, o.link("zoe").DisabledAt.After(was.DisabledAt), "what is kept is kept from now on")
	o.nothingFound("all is well")
	ended, err := o.ledger().Findings(t.Context(), ledger.FindingFilter{Ended: true, Kind: ledger.FindingState}, 0, 10)
	require.NoError(t, err)
	assert.Equal(t, ledger.FindingRepaired, ended[0].State)
	assert.Len(t, o.due, 1)
}

func TestAnAccountThatSomebodyMadeForALeaverIsCutOff(t *testing.T) {
	o := newOffice(t)
	o.leaver("zoe")
	o.now = o.now.Add(11 * day)
	o.settle("zoe")
	require.Equal(t, ledger.LinkDeleted, o.link("zoe").State)
	o.nothingFound("deleted")

	made, err := o.hand.Create(t.Context(), connector.Spec{PersonID: "zoe", Username: "zoe", Active: true})
	require.NoError(t, err)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"orphan  zoe repairing"}, o.found())
	o.settle("zoe")
	assert.False(t, o.account(made.ID).Active)
	o.nothingFound("it is zoe's, and off")
}

// TestWhenAnAccountWasLastUsedIsKept scans accounts of which one was used, and of one nothing is
// known.
func TestWhenAnAccountWasLastUsedIsKept(t *testing.T) {
	o := newOffice(t)
	used := o.now.Add(-40 * day).Truncate(time.Microsecond)
	known := o.app.Put(connector.Account{Username: "known", Active: true, LastUsedAt: used})
	unknown := o.app.Put(connector.Account{Username: "unknown", Active: true})
	o.scan(ledger.ScanDone)
	for id, want := range map[string]time.Time{known: used, unknown: {}} {
		seen, is, err := o.ledger().Seen(t.Context(), "wiki", id)
		require.NoError(t, err)
		require.True(t, is)
		assert.True(t, want.Equal(seen.LastUsedAt), "%s, not %s", seen.LastUsedAt, want)
	}
}

func TestAnOrphanIsAskedAboutOrEnded(t *testing.T) {
	o := newOffice(t)
	o.leaver("zoe")
	o.now = o.now.Add(11 * day)
	o.settle("zoe")
	byName := o.app.Put(connector.Account{Username: "Zoe", Active: true})
	o.app.Put(connector.Account{Username: "stranger", Active: true})
	o.app.Put(connector.Account{Username: "breakglass", Active: true})
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"orphan  zoe open", "orphan   open"}, o.found())

	o.react(reconcile.Orphan, reconcile.End)
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"orphan  zoe repairing", "orphan  " + o.due[0] + " repairing"}, o.found())
	assert.True(t, ledger.IsOrphan(o.due[0]), o.due)
	o.settle("zoe")
	assert.False(t, o.account(byName).Active)
}

// An account that is nobody's ends like that of somebody who has left, and is nobody among
// people.
func TestAnOrphanIsTurnedOffKeptAndDeleted(t *testing.T) {
	o := newOffice(t)
	o.hired("ada")
	id := o.app.Put(connector.Account{Username: "stranger", ExternalID: "who", Active: true, Entitlements: []string{"admins"}})
	o.react(reconcile.Orphan, reconcile.End)
	o.scan(ledger.ScanDone)
	const orphan = "orphan:f-1"
	assert.Equal(t, []string{"orphan  orphan:f-1 repairing"}, o.found())
	assert.Equal(t, []string{orphan}, o.due)
	assert.True(t, o.account(id).Active, "a scan changes no app")

	o.settle(orphan)
	assert.False(t, o.account(id).Active)
	assert.Empty(t, o.account(id).Entitlements)
	assert.Equal(t, "who", o.account(id).ExternalID, "nothing is written into it")
	person, err := o.ledger().Person(t.Context(), orphan)
	require.NoError(t, err)
	assert.Equal(t, []any{hr.StatusUnknown, "delete"}, []any{person.Status, person.DueWhat})
	people, err := ledger.Collect(ledger.AllPeople(t.Context(), o.ledger(), ""))
	require.NoError(t, err)
	assert.Len(t, people, 1, "it is nobody")
	orphans, err := ledger.Collect(ledger.AllOrphans(t.Context(), o.ledger()))
	require.NoError(t, err)
	require.Len(t, orphans, 1)
	assert.Equal(t, orphan, orphans[0].PersonID)
	o.nothingFound("it ends")

	require.NoError(t, o.hand.Enable(t.Context(), id))
	require.NoError(t, o.hand.Grant(t.Context(), id, []string{"admins"}))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"state  orphan:f-1 repairing", "stray admins orphan:f-1 open"}, o.found(), "somebody turned it on again")
	o.settle(orphan)
	assert.False(t, o.account(id).Active)
	assert.Empty(t, o.account(id).Entitlements)

	o.now = o.now.Add(11 * day)
	o.settle(orphan)
	_, there := o.app.Account(id)
	assert.False(t, there)
	assert.Equal(t, ledger.LinkDeleted, o.link(orphan).State)
	o.nothingFound("it is gone")

	// The next one is another orphan.
	again, err := o.hand.Create(t.Context(), connector.Spec{Username: "stranger", Active: true})
	require.NoError(t, err)
	o.scan(ledger.ScanDone)
	require.Len(t, o.found(), 1)
	o.settle(o.due[len(o.due)-1])
	assert.False(t, o.account(again.ID).Active)
}

// Somebody made an account by hand for a leaver whose own one is still kept.
func TestASecondAccountOfALeaverEndsAsNobodys(t *testing.T) {
	o := newOffice(t)
	own := o.leaver("zoe").AccountID
	second := o.app.Put(connector.Account{Username: "zoe2", ExternalID: "zoe", Active: true})
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"orphan  orphan:f-1 repairing"}, o.found())
	o.settle("orphan:f-1")
	assert.False(t, o.account(second).Active)
	o.nothingFound("it is off")
	assert.Equal(t, own, o.link("zoe").AccountID)
}

func TestAnAccountIsLinkedOnlyByWhatNobodyCanGuess(t *testing.T) {
	o := newOffice(t)
	o.hear(hr.EventHired, "ada", "Guest")
	o.hired("kim")
	theirs := o.app.Put(connector.Account{Username: "ada", ExternalID: "ada", Active: true})
	o.app.Put(connector.Account{Username: "x", Attributes: map[string]any{"email": "KIM@example.com"}, Active: true})
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"unlinked  ada open", "disputed  kim open"}, o.found(), "no role gives ada one, and kim has another")
	assert.True(t, o.account(theirs).Active)
	assert.Empty(t, o.due)
}

func TestStraysAreAskedAboutAcceptedOrTaken(t *testing.T) {
	o := newOffice(t)
	id := o.hired("ada").AccountID
	require.NoError(t, o.hand.Grant(t.Context(), id, []string{"admins", "owners"}))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"stray admins ada open", "stray owners ada open"}, o.found())
	o.settle("ada")
	assert.Equal(t, []string{"admins", "owners", "staff"}, o.account(id).Entitlements, "nobody has decided")

	person, err := o.ledger().Person(t.Context(), "ada")
	require.NoError(t, err)
	_, err = o.ledger().PlaceException(t.Context(), ledger.Exception{
		PersonID: "ada", Kind: string(policy.ExceptAccept), App: "wiki", Entitlement: "owners", Employment: person.Events[0].Event.EventKey,
		StartsAt: o.now, EndsAt: o.now.Add(30 * day), Origin: "f-2", DecidedAt: o.now, DecidedBy: "ops", Reason: "until the move is over",
	})
	require.NoError(t, err)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"stray admins ada open"}, o.found())

	o.react(reconcile.Stray, reconcile.Repair)
	o.scan(ledger.ScanDone)
	o.settle("ada")
	assert.Equal(t, []string{"owners", "staff"}, o.account(id).Entitlements)
	o.nothingFound("what is accepted is no finding")
	o.now = o.now.Add(31 * day)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"stray owners ada repairing"}, o.found(), "its time is over")
}

// Tenure gave one side of what a rule keeps apart, and an administrator the other one.
func TestWhatIsThereAndARuleKeepsApartIsFound(t *testing.T) {
	o := newOffice(t)
	o.hear(hr.EventHired, "ada", "Clerk")
	o.hired("kim")
	id, other := o.link("ada").AccountID, o.link("kim").AccountID
	o.nothingFound("as hired")
	require.NoError(t, o.hand.Grant(t.Context(), id, []string{"approvers"}))
	require.NoError(t, o.hand.Grant(t.Context(), other, []string{"approvers"}))
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"duty pay ada open", "stray approvers ada open", "stray approvers kim open"}, o.found(), "kim has one side only")

	person, err := o.ledger().Person(t.Context(), "ada")
	require.NoError(t, err)
	_, err = o.ledger().PlaceException(t.Context(), ledger.Exception{
		PersonID: "ada", Kind: string(policy.ExceptWaive), Duty: "pay", Control: "watched", Employment: person.Events[0].Event.EventKey,
		StartsAt: o.now, EndsAt: o.now.Add(30 * day), Origin: ledger.ExceptionByOperator, DecidedAt: o.now, DecidedBy: "ops", Reason: "until the move is over",
	})
	require.NoError(t, err)
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"stray approvers ada open", "stray approvers kim open"}, o.found(), "it is waived")

	o.now = o.now.Add(31 * day)
	o.scan(ledger.ScanDone)
	assert.Contains(t, o.found(), "duty pay ada open")
	o.react(reconcile.Stray, reconcile.Repair)
	o.scan(ledger.ScanDone)
	assert.ElementsMatch(t, []string{"stray approvers ada repairing", "stray approvers kim repairing"}, o.found(), "it is about to be taken")
	o.settle("ada")
	o.settle("kim")
	o.nothingFound("all is well")
}

func TestWhatWasTakenOrChangedIsRepaired(t *testing.T) {
	o := newOffice(t)
	id := o.hired("ada").AccountID
	o.nothingFound("as hired")
	require.NoError(t, o.hand.Revoke(t.Context(), id, []string{"staff"}))
	require.NoError(t, o.hand.Update(t.Context(), id, map[string]any{"title": "Boss"}))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"lacking staff ada repairing", "attributes title ada repairing"}, o.found())
	o.settle("ada")
	assert.Equal(t, []string{"staff"}, o.account(id).Entitlements)
	assert.Equal(t, "Engineer", o.account(id).Attributes["title"])
	o.nothingFound("all is well")
	o.nothingFound("and compared with the new baseline")
}

// An app, or its administrator, may write a value in another way that counts as the same.
func TestAValueThatIsSpelledInAnotherWayIsNoDifference(t *testing.T) {
	o := newOffice(t)
	id := o.hired("ada").AccountID
	o.nothingFound("as hired")
	require.NoError(t, o.hand.Update(t.Context(), id, map[string]any{"title": " ENGINEER"}))
	o.nothingFound("in capitals")
	require.NoError(t, o.hand.Update(t.Context(), id, map[string]any{"title": "Engine"}))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"attributes title ada repairing"}, o.found())
}

func TestWhoWasTurnedOffByHandStaysOffUntilSomebodyDecides(t *testing.T) {
	o := newOffice(t)
	id := o.hired("ada").AccountID
	require.NoError(t, o.hand.Disable(t.Context(), id))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"off  ada open"}, o.found())
	o.settle("ada")
	assert.False(t, o.account(id).Active)

	findings, err := o.ledger().Findings(t.Context(), ledger.FindingFilter{}, 0, 1)
	require.NoError(t, err)
	_, err = o.ledger().RepairFinding(t.Context(), ledger.FindingDecision{ID: findings[0].ID, Operator: "ops", Reason: "a mistake", At: o.now})
	require.NoError(t, err)
	o.settle("ada")
	assert.True(t, o.account(id).Active)
	o.nothingFound("all is well")
}

func TestAnAccountIsMissingOnlyIfTheAppSaysSoTwice(t *testing.T) {
	o := newOffice(t)
	for i := range 5 {
		o.hired(fmt.Sprint("p", i))
	}
	id := o.hired("ada").AccountID
	o.nothingFound("as hired")
	require.NoError(t, o.hand.Delete(t.Context(), id))
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"missing  ada pending"}, o.found())
	assert.Equal(t, ledger.LinkActive, o.link("ada").State)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"missing  ada repairing"}, o.found())
	o.settle("ada")
	assert.NotEqual(t, id, o.link("ada").AccountID, "it is made anew")
	assert.Equal(t, ledger.LinkActive, o.link("ada").State)
	o.nothingFound("all is well")
}

func TestAListThatShrankIsNotBelieved(t *testing.T) {
	o := newOffice(t)
	for i := range 40 {
		o.hired(fmt.Sprintf("p%02d", i))
	}
	o.nothingFound("as hired")
	for i := range 30 {
		require.NoError(t, o.hand.Delete(t.Context(), o.link(fmt.Sprintf("p%02d", i)).AccountID))
	}
	for range 3 {
		p := o.scan(ledger.ScanSuspicious)
		assert.Equal(t, reconcile.Shrank, p.Why)
		assert.Empty(t, o.found())
	}
	require.NoError(t, o.ledger().Believe(t.Context(), ledger.Belief{App: "wiki", Operator: "ops", Reason: "we cleaned up", At: o.now}))
	o.scan(ledger.ScanDone)
	assert.Len(t, o.found(), 30)
}

// A worker that dies loses a page at most: what was listed is not listed again, and what was
// compared is not compared again.
func TestAScanGoesOnAfterEachPage(t *testing.T) {
	o := newOffice(t)
	ids := []string{}
	for i := range 350 { // four pages
		ids = append(ids, o.app.Put(connector.Account{Username: fmt.Sprint("u", i), Active: true}))
	}
	broken := errors.New("the worker has died")
	for dies := range 4 {
		o.scans++
		o.passes()
		before, calls := o.app.Calls(connector.OpPage), 0
		o.app.OnCall(func(_ context.Context, op, _ string) error {
			if op != connector.OpPage {
				return nil
			}
			if calls++; calls == dies+1 {
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "x", Cause: broken}
			}
			return nil
		})
		_, err := o.goOn()
		require.ErrorIs(t, err, broken)
		p, err := o.goOn()
		require.NoError(t, err)
		assert.Equal(t, ledger.ScanDone, p.State)
		assert.Equal(t, len(ids), p.Accounts)
		assert.Equal(t, 4+1, o.app.Calls(connector.OpPage)-before, "one page is asked for twice")
		assert.Len(t, o.found(), len(ids))
	}
}

func TestAScanIsGivenUpOrRefused(t *testing.T) {
	o := newOffice(t)
	o.hired("ada")
	_, err := o.scanner.Go(t.Context(), "nowhere", "1", func() {}, nil)
	require.ErrorIs(t, err, scan.ErrNoApp)

	o.app.SetFaults(memory.Faults{Kind: connector.KindUnavailable})
	o.scans++
	_, err = o.goOn()
	require.True(t, connector.Is(err, connector.KindUnavailable))
	p, err := o.scanner.GiveUp(t.Context(), "wiki", fmt.Sprint(o.scans))
	require.NoError(t, err)
	assert.Equal(t, ledger.ScanFailed, p.State)
	p, err = o.goOn()
	require.NoError(t, err)
	assert.Equal(t, ledger.ScanFailed, p.State, "it has ended")

	o.app.SetFaults(memory.Faults{Kind: connector.KindInvalid})
	p = o.scan(ledger.ScanFailed)
	assert.Equal(t, "invalid", p.Why)
	o.app.SetFaults(memory.Faults{})
	o.nothingFound("nothing is concluded from those")
}

func TestNobodyIsJudgedWhileAStepIsUnderWay(t *testing.T) {
	o := newOffice(t)
	was := o.leaver("zoe")
	require.NoError(t, o.hand.Enable(t.Context(), was.AccountID))
	o.passes()
	_, err := o.ledger().BeginStep(t.Context(), ledger.Attempt{
		PersonID: "zoe", App: "wiki", Key: "wiki/Strip/1", Kind: "Strip", At: o.now, Deadline: o.now.Add(3 * time.Hour), May: &ledger.Unsure{},
	})
	require.NoError(t, err)
	o.nothingFound("it may be Tenure's own doing")
	o.now = o.now.Add(5 * time.Hour)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"state  zoe repairing"}, o.found())
}

// People whom an older version assessed have no identifiers yet: their accounts must not
// count as nobody's.
func TestPeopleOfOlderVersionsAreIdentifiedByTheFirstScan(t *testing.T) {
	o := newOffice(t)
	e := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "1"}, Type: hr.EventHired, PersonID: "ada", Recorded: o.now, Effective: hr.DateOf(o.now),
		Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "ada", FamilyName: "T", JobTitle: "Guest", EmployeeNumber: "E7", StartDate: hr.DateOf(o.now), Location: hr.Location{TimeZone: "UTC"}},
	}
	_, err := o.ledger().Record(t.Context(), []ledger.Received{{Event: e, At: o.now}})
	require.NoError(t, err)
	o.app.Put(connector.Account{Username: "y", Attributes: map[string]any{"employeeNumber": "e7"}, Active: true})
	o.react(reconcile.Orphan, reconcile.End)
	o.scan(ledger.ScanDone)
	assert.Equal(t, []string{"unlinked  ada open"}, o.found())
}
