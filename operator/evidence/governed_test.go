package evidence_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/evidence"
	"github.com/tenurehq/tenure/plan"
)

const hostile = `<script>alert("1")</script>`

// governed is a town in which people have decided things.
func governed(t *testing.T) *town { return governedOf(t, hostile) }

// governedOf is one in which they gave this reason.
func governedOf(t *testing.T, reason string) *town {
	w := newTown(t)
	ctx, l := t.Context(), w.ledger
	w.says("boss", "Engineering", first)
	w.says("ada", "Engineering", first)
	w.goesOn(first.Add(day), 6*time.Hour)

	_, err := l.PlaceException(ctx, ledger.Exception{
		PersonID: "ada", Kind: "waive", Duty: "write-and-judge", Control: "the boss looks at the log", Employment: hr.EventKey{Source: "/hr", ID: "e-2"},
		StartsAt: w.now, EndsAt: w.now.Add(30 * day), Origin: ledger.ExceptionByOperator, DecidedAt: w.now, DecidedBy: "olga", Reason: reason,
	})
	require.NoError(t, err)
	asked := ledger.Request{
		PersonID: "ada", Role: "admin", For: 7 * day, Reason: reason, Ticket: "CHG-1", AskedBy: "ada", Operator: "ada", AskedAt: w.now,
		Terms: `{}`, State: ledger.RequestAsked, StageAt: w.now, ExpiresAt: w.now.Add(3 * day), LookAt: w.now.Add(day),
	}
	r, err := l.AskFor(ctx, ledger.Asking{Request: asked, Asked: []ledger.Vote{{Voter: "boss", Authority: "manager of ada"}}})
	require.NoError(t, err)
	w.now = w.now.Add(time.Hour)
	r.State, r.DecidedAt, r.LookAt = ledger.RequestApproved, w.now, time.Time{}
	_, err = l.ChangeRequest(ctx, ledger.RequestChange{
		Request: r, At: w.now, Action: "request_approved", Actor: "boss", Cause: "fine",
		Vote: &ledger.Vote{Voter: "boss", Authority: "manager of ada", Vote: ledger.VoteApprove, Operator: "boss", Reason: "fine"},
		Grant: &ledger.Exception{
			PersonID: "ada", Kind: "grant", Role: "admin", Employment: hr.EventKey{Source: "/hr", ID: "e-2"}, StartsAt: w.now, EndsAt: w.now.Add(7 * day),
			DecidedAt: w.now, DecidedBy: "boss", Reason: "fine",
		},
	})
	require.NoError(t, err)
	w.goesOn(w.now.Add(day), 6*time.Hour)

	_, err = l.BeginStep(ctx, ledger.Attempt{PersonID: "ada", App: "phones", Key: "phones/Provision", Kind: string(plan.Provision), At: w.now, Deadline: w.now.Add(time.Minute)})
	require.NoError(t, err)
	task, err := l.OpenTask(ctx, ledger.Task{
		PersonID: "ada", App: "phones", Key: "phones/Provision", Kind: string(plan.Provision), Assignee: "front desk", OpenedAt: w.now, DueAt: w.now.Add(day), LookAt: w.now,
	})
	require.NoError(t, err)
	_, err = l.ActOnTask(ctx, ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: task.ID, Operator: "kim", Text: "phone 12 on her desk", At: w.now})
	require.NoError(t, err)

	scan, err := l.BeginScan(ctx, "wiki", "s", w.now)
	require.NoError(t, err)
	accounts := []ledger.Observed{{AccountID: "stray", Username: hostile, Active: true, At: w.now}}
	for _, a := range w.apps["wiki"].Accounts() {
		accounts = append(accounts, ledger.Observed{AccountID: a.ID, Username: a.Username, Active: a.Active, Entitlements: a.Entitlements, At: w.now})
	}
	require.NoError(t, l.Observe(ctx, ledger.Listed{Scan: scan.ID, Accounts: accounts}))
	_, err = l.EndListing(ctx, scan.ID, w.now, len(accounts))
	require.NoError(t, err)
	_, err = l.SaveVerdicts(ctx, ledger.Compared{Scan: scan.ID, At: w.now, Verdicts: []ledger.Verdict{{
		AccountID: "stray", Findings: []ledger.Finding{{App: "wiki", AccountID: "stray", Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen}},
	}}})
	require.NoError(t, err)
	require.NoError(t, l.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: w.now, State: ledger.ScanDone}))

	events, err := l.Events(ctx, ledger.EventFilter{PersonID: "ada"}, 0, 1)
	require.NoError(t, err)
	_, err = l.Record(ctx, []ledger.Received{{Event: events[0].Event, At: w.now, Topic: "hr.events", Offset: 2}})
	require.NoError(t, err)

	_, err = l.RecordDeadLetter(ctx, ledger.DeadLetter{
		At: ledger.Position{Topic: "dlq"}, Origin: ledger.Position{Topic: "hr.events", Partition: 1, Offset: 9}, Digest: "d", Format: "cloudevents", ReceivedAt: w.now,
		Reason: "schema", Field: "/data", Text: "is missing", Urgent: true, PersonID: "zoe",
	})
	require.NoError(t, err)

	v, err := l.BeginReview(ctx, ledger.Review{
		Name: "yearly", Key: "k", StartedBy: "olga", Reason: reason, StartedAt: w.now, EndsAt: w.now.Add(7 * day), LookAt: w.now, Terms: `{"name":"yearly"}`,
		Scans: []ledger.ReviewScan{{App: "wiki", Scan: scan.ID, At: w.now}},
	})
	require.NoError(t, err)
	item := func(entitlement string) ledger.FrozenItem {
		return ledger.FrozenItem{
			ReviewItem: ledger.ReviewItem{
				Key: "access:ada:wiki:" + entitlement, Kind: "access", PersonID: "ada", App: "wiki", Entitlement: entitlement, Because: "role engineers",
				Reviewer: "boss", Authority: "manager of ada", Facts: []byte(`{}`),
			},
			Accesses: []ledger.AccessPlace{{PersonID: "ada", App: "wiki", Entitlement: entitlement}},
		}
	}
	_, err = l.FreezeReview(ctx, ledger.FrozenPage{Review: v.ID, Next: "end", Digest: "4f1b", At: w.now, Items: []ledger.FrozenItem{item("admins"), item("editors")}})
	require.NoError(t, err)
	_, err = l.OpenReview(ctx, ledger.ReviewOpening{Review: v.ID, At: w.now, Place: "end", LookAt: w.now})
	require.NoError(t, err)
	_, err = l.DecideItem(ctx, ledger.ItemDecision{Review: v.ID, Item: 1, Verdict: ledger.VerdictRevoke, By: "boss", Authority: "manager of ada", Operator: "boss", Reason: reason, At: w.now})
	require.NoError(t, err)
	w.sequences()
	return w
}

func TestAPackHoldsWhatPeopleDecided(t *testing.T) {
	w := governed(t)
	path, made := w.packs(quarter())
	w.sound(path)

	requests := read[evidence.Request](t, path, "requests.jsonl")
	require.Len(t, requests, 1)
	assert.Equal(t, []any{"r-1", "ada", "admin", "CHG-1", ledger.RequestApproved, "x-2"}, []any{requests[0].Request, requests[0].AskedBy, requests[0].Role, requests[0].Ticket, requests[0].State, requests[0].Exception})
	require.Len(t, requests[0].Votes, 1)
	assert.Equal(t, []any{"boss", "manager of ada", ledger.VoteApprove}, []any{requests[0].Votes[0].Voter, requests[0].Votes[0].Authority, requests[0].Votes[0].Vote})
	exceptions := read[evidence.Exception](t, path, "exceptions.jsonl")
	require.Len(t, exceptions, 2)
	assert.Equal(t, []any{"waive", "the boss looks at the log", "grant", "r-1"}, []any{exceptions[0].Kind, exceptions[0].Control, exceptions[1].Kind, exceptions[1].Origin})
	duties := read[evidence.Duty](t, path, "duties.jsonl")
	require.Len(t, duties, 1)
	assert.Equal(t, []any{1, []string{"wiki:editors"}, []string{"boss"}}, []any{duties[0].Waivers, duties[0].One, duties[0].Owner})
	tasks := read[evidence.Task](t, path, "tasks.jsonl")
	require.Len(t, tasks, 1)
	assert.Equal(t, []any{"kim", "phone 12 on her desk", ledger.TaskDone}, []any{tasks[0].DoneBy, tasks[0].Proof, tasks[0].State})
	letters := read[evidence.Letter](t, path, "letters.jsonl")
	require.Len(t, letters, 1)
	assert.Equal(t, int64(9), letters[0].Offset)
	findings := read[evidence.Finding](t, path, "findings.jsonl")
	require.Len(t, findings, 1)
	assert.Equal(t, []any{"f-1", ledger.FindingOrphan}, []any{findings[0].Finding, findings[0].Kind})
	scans := read[evidence.Scan](t, path, "scans.jsonl")
	require.Len(t, scans, 2)
	assert.Equal(t, []any{"wiki", 1, 3, 3, 3, 2, 1}, []any{scans[1].App, scans[1].Pages, scans[1].Accounts, *scans[1].Reported, scans[1].Listed, scans[1].Linked, scans[1].Nobodys})
	accounts := read[evidence.Account](t, path, "accounts.jsonl")
	require.Len(t, accounts, 3)
	assert.Equal(t, []any{"ada", ledger.LinkActive, []string{"admins", "editors"}}, []any{accounts[0].Person, accounts[0].State, accounts[0].Entitlements})
	reviews := read[evidence.Review](t, path, "reviews.jsonl")
	require.Len(t, reviews, 1)
	assert.Equal(t, []any{"v-1", 2, 1, 1}, []any{reviews[0].Review, reviews[0].Summary.Items, reviews[0].Summary.Human, reviews[0].Summary.Open})
	items := read[evidence.Item](t, path, "review-items.jsonl")
	require.Len(t, items, 2)
	assert.Equal(t, []any{"v-1/1", ledger.VerdictRevoke, "boss", "manager of ada"}, []any{items[0].Item, items[0].Decision, items[0].DecidedBy, items[0].DecidedAs})
	assert.Len(t, read[evidence.ItemAccess](t, path, "review-accesses.jsonl"), 2)

	assert.NotContains(t, string(content(t, path, "evidence.html")), "<script")
	verdicts := map[string]evidence.Verdict{}
	for _, c := range made.Checks {
		verdicts[c.Check+" "+c.Of] = c.Verdict
	}
	for check, want := range map[string]evidence.Verdict{
		"an app's accounts against its last complete scan wiki": evidence.Ties, "an app's accounts against its last complete scan mail": evidence.CannotSay,
		"a review's population against its items v-1": evidence.Ties, "records that could not be read ": evidence.TiesNot,
		"offsets of Kafka against events hr.events/0": evidence.Ties, "offsets of Kafka against events hr.events/1": evidence.CannotSay,
	} {
		assert.Equal(t, want, verdicts[check], check)
	}
}

func TestAPackIsOfAReview(t *testing.T) {
	w := governed(t)
	path, made := w.packs(evidence.Scope{Review: "v-1"})
	w.sound(path)
	assert.Len(t, read[evidence.Item](t, path, "review-items.jsonl"), 2)
	assert.NoFileExists(t, path+"/leavers.jsonl")
	assert.Equal(t, int64(4), made.Rows, "started, opened, asked, decided")
	assert.NotContains(t, string(content(t, path, "rows.jsonl")), "request")
}

// A listing that is not that of the last complete scan does not pass for it.
func TestAListingThatIsNotOfTheScanDoesNotTieOut(t *testing.T) {
	w := governed(t)
	of := func() evidence.Check {
		_, made := w.packs(quarter())
		for _, c := range made.Checks {
			if c.Of == "wiki" {
				return c
			}
		}
		return evidence.Check{}
	}
	later, err := w.ledger.BeginScan(t.Context(), "wiki", "later", w.now)
	require.NoError(t, err)
	require.NoError(t, w.ledger.Observe(t.Context(), ledger.Listed{Scan: later.ID, Accounts: []ledger.Observed{{AccountID: "new", At: w.now}}}))
	assert.Equal(t, evidence.TiesNot, of().Verdict)

	_, err = w.ledger.EndListing(t.Context(), later.ID, w.now, 7)
	require.NoError(t, err)
	require.NoError(t, w.ledger.EndScan(t.Context(), ledger.ScanEnd{Scan: later.ID, At: w.now, State: ledger.ScanDone}))
	assert.Equal(t, []string{"the app says that there are others"}, of().Which)
	w.now = w.now.Add(3 * day)
	assert.Equal(t, evidence.TiesNot, of().Verdict, "it is old, too")
}
