package ledgertest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Move fills a ledger with data of every kind, moves it to an empty one, perhaps of another
// store, and requires that both are equal. It also requires that the import of a damaged
// export is refused and writes nothing.
func Move(t *testing.T, from, to ledger.Ledger) {
	t.Helper()
	season(from)
	season(to)
	attempt := liveALife(t, from)
	requireNoneOffTheRecord(t, from, to)
	var file bytes.Buffer
	var told []int64
	exported, err := from.Export(t.Context(), &file, aMove(100), func(done, total int64) { told = []int64{done, total} })
	require.NoError(t, err)
	assert.Equal(t, []int64{exported.Total(), exported.Total()}, told)
	for table, rows := range exported.Rows {
		assert.Positive(t, rows, "nothing of table %s is moved here: have liveALife fill it", table)
	}
	for name, damaged := range damages(file.String()) {
		_, err := to.Import(t.Context(), strings.NewReader(damaged.text), aMove(101), nil)
		require.ErrorContains(t, err, damaged.want, name)
		requireEmpty(t, to)
	}
	imported, err := to.Import(t.Context(), bytes.NewReader(file.Bytes()), aMove(102), func(done, total int64) { told = []int64{done, total} })
	require.NoError(t, err)
	assert.Equal(t, exported, imported)
	assert.Equal(t, []int64{imported.Total(), imported.Total()}, told)
	rows := audit(t, to, "")
	last := rows[len(rows)-1]
	assert.Equal(t, ledger.AuditRow{
		Seq: last.Seq, At: at(102), Action: ledger.ActionImported, Actor: "ops",
		Detail: map[string]any{"sha256": exported.SHA256, "rows": float64(exported.Total()), "schema": float64(exported.Schema)},
	}, last)
	RequireMoved(t, from, to)

	_, err = to.Import(t.Context(), bytes.NewReader(file.Bytes()), aMove(103), nil)
	require.ErrorContains(t, err, "the ledger is not empty")
	RequireMoved(t, from, to)
	goOn(t, to, attempt)
}

// requireNoneOffTheRecord requires that an export without its audit row cannot be imported.
func requireNoneOffTheRecord(t *testing.T, from, to ledger.Ledger) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var file bytes.Buffer
	_, err := from.Export(ctx, &file, aMove(99), func(done, total int64) {
		if done == total {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	for _, r := range audit(t, from, "") {
		require.NotEqual(t, ledger.ActionExported, r.Action)
	}
	_, err = to.Import(t.Context(), &file, aMove(99), nil)
	require.ErrorContains(t, err, "it ends before its last line")
	requireEmpty(t, to)
}

// liveALife writes something into every table, and returns the number of the last
// attempt, which has ended.
func liveALife(t *testing.T, l ledger.Ledger) (lastAttempt int64) {
	t.Helper()
	record(t, l, received("p1", "e1", 0), received("boss", "e2", 1), received("p3", "e3", 2), received("p1", "e4", 3))
	require.NoError(t, l.MarkDelivered(t.Context(), []int64{record(t, l, received("p1", "e1", 0))[0].Seq}))
	again := received("p1", "e1", 0)
	again.Offset++
	assert.True(t, record(t, l, again)[0].Duplicate)
	for _, id := range []string{"p1", "boss"} {
		_, err := l.ClaimUsername(t.Context(), id, "Zoë <O'Brien>\u2028\\", 0)
		require.NoError(t, err)
	}
	assess(t, l, "p1", 5, func(a *ledger.Assessment) {
		a.Summary.GivenName, a.Summary.FamilyName, a.Summary.ManagerID, a.Summary.Status = "Zoë", "O'Brien", "boss", hr.StatusActive
		a.Summary.DueAt, a.Summary.DueWhat = at(60), "start"
		a.Planned = []ledger.Link{{App: "chat", Username: "zoë"}}
		a.Steps = []ledger.Step{step("wiki", "k1"), step("chat", "k2"), step("files", "k3")}
	})
	boss := fullLink("wiki")
	boss.PersonID, boss.AccountID, boss.State = "boss", "account 8", ledger.LinkActive
	putLink(t, l, boss)
	putLink(t, l, fullLink("wiki"))
	destroying := attempt("p1", "chat", "k2", 6)
	destroying.Destroys = true
	begin(t, l, destroying) // this attempt is still under way
	failed := outcome("p1", "files", "k3", 8, ledger.StepAttention)
	failed.Attempt = begin(t, l, attempt("p1", "files", "k3", 7)).Attempt
	failed.Code, failed.Audit = "forbidden", &ledger.AuditRow{Action: "tried", Actor: "tenure", Detail: map[string]any{"n": 1}}
	finish(t, l, failed)
	require.NoError(t, l.Act(t.Context(), ledger.Action{
		Verb: ledger.VerbSkip, PersonID: "p1", Key: "conflict", Conflict: true, Operator: "ops", Reason: "HR knows", At: at(9),
	}))
	recordLetter(t, l, letter(1, 10))
	urgent := letter(2, 11)
	urgent.PersonID, urgent.Urgent = "p3", true
	receipt := recordLetter(t, l, urgent)
	require.NoError(t, l.ActOnLetter(t.Context(), ledger.LetterAction{Verb: ledger.VerbDiscard, ID: receipt.ID, Operator: "ops", Reason: "a test", At: at(12)}))
	k := asked("k1", 13)
	says(t, l, ledger.VerbTaskDone, openTask(t, l, k).ID, "helpdesk", 14)
	k.Key, k.App = "k4", "phones"
	openTask(t, l, k)
	_, err := l.ReserveCalls(t.Context(), ledger.CallReservation{App: "wiki", Calls: 1, Every: time.Hour})
	require.NoError(t, err)

	_, held, err := l.TakeLease(t.Context(), "notices", "worker 1", ledger.LongestLease)
	require.NoError(t, err)
	require.True(t, held)
	require.NoError(t, l.SaveLicences(t.Context(), "wiki", at(14), []ledger.Licence{{Name: "licence:word", Seats: 3, Used: 2, Awaited: 1}}))

	_, err = l.Admit(t.Context(), ledger.AdmissionRequest{
		PersonID: "p1", At: at(14), Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "k6", Apps: []string{"wiki"}, Immediate: true}},
		Limits: ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {}}},
	})
	require.NoError(t, err)

	placeHold(t, l, hold(14, 90))
	setRetention(t, l, kept(14, "wiki", time.Time{}, time.Hour))
	placeException(t, l, granted(14, 90))
	placeException(t, l, withheld(14, ""))
	r, err := l.AskFor(t.Context(), asking(14))
	require.NoError(t, err)
	_, err = l.ChangeRequest(t.Context(), approved(r, 14))
	require.NoError(t, err)
	waiver := asking(15)
	waiver.Request.Role, waiver.Request.Duty, waiver.Request.Control = "", "pay-and-approve", "two sign"
	_, err = l.AskFor(t.Context(), waiver)
	require.NoError(t, err)
	record(t, l, received("deputy", "of deputy", 14))
	_, err = l.SetStandIn(t.Context(), standIn(14, 90))
	require.NoError(t, err)
	v := opened(t, l, "k1", 14)
	_, err = l.DecideItem(t.Context(), itemSaid(v, 2, "boss", ledger.VerdictRevoke, 14))
	require.NoError(t, err)
	require.NoError(t, l.Revoke(t.Context(), revocation(v, 14)))
	assess(t, l, "boss", 14, asks(60, "k8"))

	record(t, l, received("p5", "e8", 14), received("p6", "e9", 14))
	_, err = l.LinkPeople(t.Context(), samePerson("p6", "p5", 15))
	require.NoError(t, err)

	scan := scanned(t, l, "run 1", 15, ledger.Observed{
		AccountID: "account 9", Username: "zoë", Addresses: []string{"zoë@example.com"}, Entitlements: []string{"staff"}, Active: true,
		Seen: map[string]string{"title": "ab"},
	})
	verdicts(t, l, scan, 15, ledger.Verdict{
		AccountID: "account 9", Baseline: true,
		Findings: []ledger.Finding{{Kind: ledger.FindingDisputed, Candidates: []string{"p1", "p3"}, By: "email", State: ledger.FindingOpen}},
	})

	record(t, l, received("p9", "e10", 15))
	assess(t, l, "p9", 15, nil)
	_, err = l.Erase(t.Context(), ledger.Erasure{PersonID: "p9", Revision: read(t, l, "p9").Revision, Operator: "dpo", Reason: "x", At: at(15)})
	require.NoError(t, err)

	logged(t, l)
	notify(t, l, about(told(15, "person:boss"), "r-1"))

	last := begin(t, l, attempt("p3", "wiki", "k5", 15))
	ended := outcome("p3", "wiki", "k5", 16, ledger.StepDone)
	ended.Attempt = last.Attempt
	finish(t, l, ended)
	return last.Attempt
}

// goOn writes to the imported ledger, and requires that no number was used before.
func goOn(t *testing.T, l ledger.Ledger, lastAttempt int64) {
	t.Helper()
	p := read(t, l, "p1")
	before := audit(t, l, "")
	assert.True(t, record(t, l, received("p1", "e4", 3))[0].Duplicate)
	fresh := record(t, l, received("p1", "e5", 20))[0]
	assert.Greater(t, fresh.Seq, p.LastSeq)
	assert.Greater(t, begin(t, l, attempt("p3", "wiki", "k6", 21)).Attempt, lastAttempt)
	assert.Equal(t, []string{"chat"}, placeHold(t, l, hold(22, 91)).Deleting)
	assert.Greater(t, recordLetter(t, l, letter(3, 22)).ID, int64(2))
	assert.Greater(t, scanned(t, l, "run 2", 22).ID, int64(1))
	assert.Greater(t, openTask(t, l, asked("k7", 23)).ID, p.Tasks[len(p.Tasks)-1].ID)
	assert.Greater(t, placeHold(t, l, hold(23, 90)).Hold.ID, p.Holds[len(p.Holds)-1].ID)
	assert.Greater(t, setRetention(t, l, kept(23, "wiki", at(99), 0)).ID, p.Retentions[len(p.Retentions)-1].ID)
	assert.Greater(t, placeException(t, l, granted(23, 91)).ID, p.Exceptions[len(p.Exceptions)-1].ID)
	r, err := l.AskFor(t.Context(), asking(23))
	require.NoError(t, err)
	assert.Greater(t, r.ID, int64(1))
	assert.Greater(t, opened(t, l, "k2", 23).ID, int64(1))
	s, err := l.SetStandIn(t.Context(), standIn(23, 91))
	require.NoError(t, err)
	assert.Greater(t, s.ID, int64(1))
	require.NoError(t, l.Act(t.Context(), ledger.Action{Verb: ledger.VerbRetry, PersonID: "p1", Key: "k3", App: "files", Operator: "ops", Reason: "again", At: at(24)}))
	after := audit(t, l, "")
	assert.Equal(t, before, after[:len(before)])
	assert.Greater(t, after[len(before)].Seq, before[len(before)-1].Seq)
	name, err := l.ClaimUsername(t.Context(), "p4", "zoë <o'brien>\u2028\\", 0)
	require.NoError(t, err)
	assert.Equal(t, "zoë <o'brien>\u2028\\3", name)
	turn, err := l.ReserveCalls(t.Context(), ledger.CallReservation{App: "wiki", Calls: 1, Every: time.Hour})
	require.NoError(t, err)
	assert.Greater(t, turn.Wait(), 50*time.Minute, "the hour that was taken before")
	assert.Greater(t, notify(t, l, about(told(23, "person:boss"), "r-2")).ID, int64(1))
	lease, _, err := l.TakeLease(t.Context(), "notices", "worker 2", time.Minute)
	require.NoError(t, err)
	assert.EqualValues(t, 1, lease.Fence, "the lease that was taken before")
	assess(t, l, "p1", 30, nil)
	assert.Empty(t, read(t, l, "p1").Tasks)
}

// aMove returns a Move by an operator.
func aMove(minutes int) ledger.Move { return ledger.Move{Operator: "ops", At: at(minutes)} }

// RequireMoved requires that two ledgers have the same content, except that the last audit
// row of one is about the export, and that of the other about the import.
func RequireMoved(t *testing.T, from, to ledger.Ledger) {
	t.Helper()
	require.Empty(t, Verify(t, from).Findings)
	require.Empty(t, Verify(t, to).Findings)
	a, b := everything(t, from), everything(t, to)
	exported, imported := cutLast(&a.Audit), cutLast(&b.Audit)
	require.Equal(t, ledger.ActionExported, exported.Action)
	require.Equal(t, ledger.ActionImported, imported.Action)
	require.Equal(t, exported.Detail, imported.Detail)
	require.Equal(t, a, b)
}

func cutLast(rows *[]ledger.AuditRow) (last ledger.AuditRow) {
	if n := len(*rows); n > 0 {
		last, *rows = (*rows)[n-1], (*rows)[:n-1]
	}
	return last
}

func requireEmpty(t *testing.T, l ledger.Ledger) {
	t.Helper()
	now := everything(t, l)
	require.Empty(t, now.People)
	require.Empty(t, now.Audit)
	require.Empty(t, now.Letter)
}

// damaged is a damaged export, and a part of the expected error.
type damaged struct{ text, want string }

func damages(file string) map[string]damaged {
	lines := strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
	last := len(lines) - 1
	lines[last] += "\n"
	without := func(i int) string { return strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "") }
	change := func(old, new string) string { return strings.Replace(file, old, new, 1) }
	return map[string]damaged{
		"nothing":            {"", "no export of a ledger"},
		"something else":     {"people,events\n", "no export of a ledger"},
		"other JSON":         {"{\"format\":\"tar\"}\n", "no export of a ledger"},
		"a later format":     {change(`"version":1,`, `"version":2,`), "it has the format's version 2"},
		"other tables":       {change(`"username_key"`, `"user_key"`), "it has other tables or columns than this Tenure"},
		"another schema":     {change(`"schema":`, `"schema":9`), "import it with the version that exported it"},
		"no last line":       {without(last), "it ends before its last line"},
		"cut":                {file[:len(file)/2], "it ends before its last line"},
		"a row is missing":   {without(last / 2), "is no row of table"},
		"a row too many":     {strings.Join(lines[:last], "") + strings.Join(lines[last-1:], ""), "it does not end after"},
		"another name":       {change(`"Zoë","O'Brien"`, `"Zoé","O'Brien"`), "its checksum is wrong"},
		"a fraction":         {change(`["events",1,`, `["events",1.5,`), "column seq is no whole number"},
		"a value of no kind": {change(`["events",1,`, `["events",true,`), "column seq is neither a text nor a number"},
		"no JSON":            {change(`["events",1,`, `["events",1,,`), "is no row of table events"},
		"something after it": {file + "\n", "something comes after its last line"},
	}
}
