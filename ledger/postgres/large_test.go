//go:build real

package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

// TestALargeLedgerIsNotReadWhole makes the calls of everyday on a ledger of many
// people, and sees that the server looked up what it needed: whatever reads a whole
// table takes the longer the more people there are.
func TestALargeLedgerIsNotReadWhole(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	for _, statement := range []string{
		`INSERT INTO people (id, username, username_key, status, manager_id, due_at, due_what)
			SELECT 'p' || n, 'u' || n, 'u' || n, 'active', 'p' || n / 10, n, 'recheck' FROM generate_series(1, 20000) n`,
		`INSERT INTO events (source, id, person_id, at, topic, partition, "offset", body)
			SELECT '/hr', 'e' || n, 'p' || 1 + n % 20000, n, 'hr', 0, n, '{"sequence":"1"}' FROM generate_series(1, 40000) n`,
		`INSERT INTO reserved (kind, app, digest) SELECT 'username', '', 'd' || n FROM generate_series(1, 20000) n`,
		`INSERT INTO links (person_id, app, state, account_id, entitlements)
			SELECT 'p' || n, app, 'active', 'a' || n, CASE WHEN n % 5000 = 0 THEN '["rare","staff"]' ELSE '["staff"]' END FROM generate_series(1, 20000) n, unnest(ARRAY['chat', 'mail']) app`,
		`INSERT INTO scans (app, key, state, started_at) SELECT 'app' || n % 100, 'k' || n, 'done', 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO observed (app, account_id, scan, at, username, external_id, employee, active, first_at)
			SELECT 'chat', 'a' || n, 1, 0, 'u' || n, 'p' || n, '', 1, 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO identifiers (kind, value, person_id, since)
			SELECT kind, 'i' || n, 'p' || n, 0 FROM generate_series(1, 20000) n, unnest(ARRAY['person', 'employee', 'username', 'email']) kind`,
		`INSERT INTO findings (app, account_id, kind, enabled, state, scans, first_scan, last_scan, found_at)
			SELECT 'chat', 'a' || n, 'stray', 1, 'open', 1, 1, 1, 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO repetitions (topic, partition, "offset", event, at) SELECT 'hr', 0, n, n, n FROM generate_series(1, 20000) n`,
		`INSERT INTO steps (person_id, key, app, kind, state) SELECT 'p' || n, key, 'chat', 'Provision', state
			FROM generate_series(1, 20000) n, (VALUES ('k1', 'done'), ('k2', 'open')) AS k (key, state)`,
		`INSERT INTO attempts (person_id, key, app, at, deadline, gives) SELECT 'p' || n, 'k2', 'chat', 0, 1, 1 FROM generate_series(1, 20000) n`,
		`INSERT INTO waivers SELECT 'p' || n, 'conflict', 'ops', '', 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt)
			SELECT n, 'p' || 1 + n % 20000, 'chat', 'created', 'tenure', '', 'k1', n FROM generate_series(1, 40000) n`,
		`INSERT INTO audit_leaves (leaf, seq, text, hash) SELECT n - 1, n, '', '' FROM generate_series(1, 40000) n`,
		`INSERT INTO audit_tiles (level, n, data) SELECT 0, n, '' FROM generate_series(0, 20000) n`,
		`INSERT INTO checkpoints (size, at, root, note) SELECT n, 0, '', '' FROM generate_series(1, 20000) n`,
		`INSERT INTO published (place, size, at, receipt) SELECT 'file', n, 0, '' FROM generate_series(1, 20000) n`,
		`INSERT INTO exported (place, size, at) SELECT 'place ' || n, n, 0 FROM generate_series(1, 100) n`,
		`INSERT INTO redactions (seq, by) SELECT n, 1 FROM generate_series(1, 20000) n`,
		`INSERT INTO tasks (person_id, app, key, kind, work, assignee, escalate_to, second_person, state, opened_at)
			SELECT 'p' || n, 'chat', 'k2', 'Provision', '{}', 'it', '', 0, 'open', 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO dead_letters (topic, partition, "offset", origin_topic, origin_partition, origin_offset, digest, format, at, reason, field, text,
				person_id, event_type, event_source, event_id, urgent, parent_topic, parent_partition, parent_offset)
			SELECT 'dlq', 0, n, 'hr', 0, n, 'd', '', 0, '', '', '', 'p' || n, '', '', '', 0, '', 0, 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO withdrawals (person_id, kind, key, state, counted_at) SELECT 'p' || n, 'leavers', 'e' || n, 'over', n FROM generate_series(1, 20000) n`,
		`INSERT INTO holds (person_id, placed_at, expires_at, operator, reason) SELECT 'p' || n, 0, 1, 'ops', 'x' FROM generate_series(1, 20000) n`,
		`INSERT INTO retentions (person_id, app, until_at, set_at, operator, reason) SELECT 'p' || n, '', 1, 0, 'ops', 'x' FROM generate_series(1, 20000) n`,
		`INSERT INTO approvals (person_id, key, app, state) SELECT 'p' || n, 'k', 'chat', 'approved' FROM generate_series(1, 20000) n`,
		`INSERT INTO exceptions (person_id, kind, role, app, entitlement, duty, control, employment_source, employment_id,
				starts_at, ends_at, origin, emergency, decided_at, decided_by, login, reason)
			SELECT 'p' || n, 'grant', 'admin', '', '', '', '', '', '', 0, 1, 'operator', 0, 0, 'ops', '', 'x' FROM generate_series(1, 20000) n`,
		`INSERT INTO notices (key, kind, about, person_id, app, occasion, recipient, urgent, made_at, send_at, state, attempts, message, first_at, tried_at, why, ended_at)
			SELECT 'k' || n, 'request.asked', 'r-' || n, 'p' || n, '', '', 'person:p' || n, 0, n, n, 'sent', 1, 'm' || n, n, n, '', n FROM generate_series(1, 20000) n`,
		`INSERT INTO requests (person_id, role, duty, control, for_micros, reason, ticket, asked_by, operator, login, asked_at, emergency, extends, terms, preview,
				state, stage, look_at, why, revision)
			SELECT 'p' || n, CASE WHEN n % 2 = 0 THEN 'admin' ELSE '' END, CASE WHEN n % 2 = 0 THEN '' ELSE 'apart' END, '', 1, 'x', '', 'p' || n, 'ops', '', 0, 0, 0, '{}', '',
				'asked', 0, n, '', 0 FROM generate_series(1, 20000) n`,
		`INSERT INTO votes (request_id, stage, voter, asked_at, reminders, authority, vote, operator, login, shown, reason)
			SELECT n, 0, 'p' || 1 + n / 10, 0, 0, 'manager', '', '', '', '', '' FROM generate_series(1, 20000) n`,
		`INSERT INTO stand_ins (person_id, stand_in, starts_at, ends_at, operator, login, reason, at, ended_at)
			SELECT 'p' || n, 'p' || 1 + n % 20000, 0, 1, 'ops', '', 'x', 0, 1 FROM generate_series(2, 20000) n WHERE n <> 1 + n % 20000`,
		`INSERT INTO reviews (name, key, person_id, started_by, login, reason, started_at, terms, state, place, digest, items, accesses, opened_at, ends_at, look_at, reminders, revision)
			SELECT 'yearly', 'k' || n, '', 'ops', '', 'x', 0, '{"name":"yearly"}', CASE WHEN n = 20000 THEN 'open' ELSE 'closed' END, 'end', '', 20000, 20000, 0, 1, n, 0, 0
			FROM generate_series(1, 20000) n`,
		`INSERT INTO review_items (review_id, item, key, kind, person_id, app, account_id, entitlement, role, duty, exception_id, because, facts, people, accesses,
				reviewer, authority, also, assigned_at, assigned_why, decision, decided_by, decided_as, decided_at, operator, login, took, reason)
			SELECT 20000, n, 'access:p' || n || ':chat:', 'stray', 'p' || n, 'chat', '', '', '', '', 0, 'nothing gives it', '{}', 1, 1,
				'p' || n / 10, 'owner', '', 0, '', CASE WHEN n % 2 = 0 THEN 'keep' ELSE '' END, CASE WHEN n % 2 = 0 THEN 'p' || n / 10 ELSE '' END, '', n, '', '', 0, ''
			FROM generate_series(1, 20000) n`,
		`INSERT INTO review_accesses (review_id, person_id, app, account_id, entitlement, item, effect, needs)
			SELECT 20000, 'p' || n, 'chat', '', '', n, '', '' FROM generate_series(1, 20000) n`,
		`ANALYZE`,
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, s.db.Close()) // its sessions leave what they have counted when they end
	before := wholeReads(t, at)

	s = openStore(t, at)
	for round := range 12 { // after the fifth time, the server has a plan for whatever the arguments are
		require.NoError(t, everyday(t, s, fmt.Sprint("p", 500+round), round))
	}
	require.NoError(t, s.db.Close())
	after := wholeReads(t, at)
	for table, n := range after {
		assert.Equal(t, before[table].scans, n.scans, "%s was read whole: see its indexes (and that this test fills it, since a small table is read whole)", table)
		assert.Less(t, n.entries-before[table].entries, int64(20000), "an index of %s was read whole, or most of it", table)
	}
}

// Whatever room the pages of a large ledger have left, an event of which Temporal has been told
// stays where it was recorded: no index gets an entry for it.
func TestADeliveredEventStaysInItsPage(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	for _, statement := range []string{ // each page has room for one more event, and not for another version of it
		`INSERT INTO people (id) SELECT 'p' || n FROM generate_series(1, 2000) n`,
		`INSERT INTO events (source, id, person_id, at, topic, partition, "offset", body)
			SELECT '/hr', 'e' || n, 'p' || n, n, 'hr', 0, n, '{"sequence":"' || repeat('1', 1150) || '"}' FROM generate_series(1, 2000) n`,
		`VACUUM ANALYZE events`,
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	const events = 100
	for n := range events {
		receipts, err := s.Record(t.Context(), []ledger.Received{{At: time.Now(), Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprint("new", n)}, Type: hr.EventTerminated, PersonID: fmt.Sprint("p", 1+n), Recorded: time.Now(),
			Termination: &hr.Termination{Reason: strings.Repeat("x", 150)},
		}}})
		require.NoError(t, err)
		require.NoError(t, s.MarkDelivered(t.Context(), []int64{receipts[0].Seq}))
	}
	require.NoError(t, s.db.Close()) // its sessions leave what they have counted when they end
	wholeReads(t, at)                // waits for their end
	db := connections(parsed(t, at))
	defer db.Close()
	var updated, stayed int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'events'`).Scan(&updated, &stayed))
	assert.Equal(t, events, updated)
	assert.Greater(t, stayed, events*9/10)
}

// read is how often a table was read from the beginning to the end, and how many entries of its
// indexes were read.
type read struct{ scans, entries int64 }

// everyday makes the calls that starter and worker make for a person.
func everyday(t *testing.T, s *Store, person string, round int) error {
	now, ctx := time.Now(), t.Context()
	if err := ledgertest.WriteRound(ctx, s, person, round); err != nil {
		return err
	}
	if _, err := s.Known(ctx, []hr.EventKey{{Source: "/hr", ID: "e7"}, {Source: "/hr", ID: "nothing"}}); err != nil {
		return err
	}
	p, err := s.Person(ctx, person)
	if err != nil {
		return err
	}
	if err := s.MarkDelivered(ctx, []int64{p.LastSeq}); err != nil {
		return err
	}
	if _, err := s.Due(ctx, time.UnixMicro(10), 100); err != nil {
		return err
	}
	if _, err := s.ClaimUsername(ctx, fmt.Sprint("new", round), "fresh", 0); err != nil {
		return err
	}
	p.AssessedAt = now
	if err := s.SaveAssessment(ctx, ledger.Assessment{Summary: p.Summary, Steps: []ledger.Step{{App: "chat", Key: "k2", Kind: "Provision"}}}); err != nil {
		return err
	}
	if err := s.FinishStep(ctx, ledger.Outcome{PersonID: person, App: "chat", Key: "k2", Kind: "Provision", At: now, State: ledger.StepDone, DueReports: true}); err != nil {
		return err
	}
	letter := ledger.DeadLetter{At: ledger.Position{Topic: "dlq", Offset: 1e6 + int64(round)}, Origin: ledger.Position{Topic: "hr", Offset: 1e6 + int64(round)}, Digest: "d", PersonID: person, Urgent: true}
	if _, err := s.RecordDeadLetter(ctx, letter); err != nil {
		return err
	}
	if _, err := s.Steps(ctx, ledger.StepFilter{States: []ledger.StepState{ledger.StepAttention}}, ledger.StepPlace{}, 100); err != nil {
		return err
	}
	notice := ledger.Notice{Kind: "request.asked", About: fmt.Sprint("round ", round), To: "person:" + person, MadeAt: now}
	if err := s.Notify(ctx, []ledger.Notice{notice}); err != nil {
		return err
	}
	if _, err := s.Notices(ctx, ledger.NoticeFilter{DueBy: now.Add(time.Hour)}, 0, 100); err != nil {
		return err
	}
	if _, err := s.CountNotices(ctx, now); err != nil {
		return err
	}
	if _, err := s.Audit(ctx, person, 0, 100); err != nil {
		return err
	}
	place := ledger.LinkPlace{PersonID: person, App: "chat"}
	for _, f := range []ledger.LinkFilter{
		{App: "chat", AccountID: "a7"}, {App: "chat", State: ledger.LinkActive, Limit: 3},
		{App: "chat", State: ledger.LinkActive, After: place, Limit: 3}, {State: ledger.LinkActive, After: place, Limit: 3}, {After: place, Limit: 3},
	} {
		if _, err := s.Links(ctx, f); err != nil {
			return err
		}
	}
	for _, entitlement := range []string{"", "rare"} {
		if _, err := s.Granted(ctx, "chat", entitlement, 10); err != nil {
			return err
		}
	}
	if _, err := s.Admit(ctx, ledger.AdmissionRequest{
		PersonID: person, At: now, Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "k"}},
		Limits: ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Share: 0.5}}},
	}); err != nil {
		return err
	}
	if err := aScan(ctx, s, person, round); err != nil {
		return err
	}
	if err := aRequest(ctx, s, person, now); err != nil {
		return err
	}
	if err := aDecision(ctx, s, person, round); err != nil {
		return err
	}
	if _, err = s.Audit(ctx, "", 39990, 100); err != nil {
		return err
	}
	if _, err = s.LogState(ctx); err != nil {
		return err
	}
	if _, err = s.LogTile(ctx, 0, int64(round)); err != nil {
		return err
	}
	_, err = s.Unsequenced(ctx, 39990, 100)
	return err
}

// aScan makes the calls of a scan that sees a page of accounts.
func aScan(ctx context.Context, s *Store, person string, round int) error {
	now := time.Now()
	scan, err := s.BeginScan(ctx, "chat", fmt.Sprint("round ", round), now)
	if err != nil {
		return err
	}
	if err := s.Observe(ctx, ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{
		{AccountID: "a" + person[1:], At: now, Username: "u"}, {AccountID: "new", At: now, Username: "i7", ExternalID: "i8", Employee: "i9"},
	}}); err != nil {
		return err
	}
	if _, err := s.EndListing(ctx, scan.ID, now, -1); err != nil {
		return err
	}
	page, err := s.Sightings(ctx, scan.ID, "", now, 20)
	if err != nil {
		return err
	}
	compared := ledger.Compared{Scan: scan.ID, At: now, Flapping: 3}
	for _, sighting := range page {
		compared.Verdicts = append(compared.Verdicts, ledger.Verdict{AccountID: sighting.AccountID, Baseline: true, Findings: []ledger.Finding{
			{Kind: ledger.FindingOff, PersonID: person, State: ledger.FindingRepairing},
		}})
	}
	if _, err := s.SaveVerdicts(ctx, compared); err != nil {
		return err
	}
	return s.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanDone})
}

// aRequest makes the calls of a request that a rule of separation of duties is waived, which
// somebody else decides.
func aRequest(ctx context.Context, s *Store, person string, now time.Time) error {
	if _, err := s.StandIns(ctx, ledger.StandInFilter{PersonID: person, At: now}, 0, 100); err != nil {
		return err
	}
	r, err := s.AskFor(ctx, ledger.Asking{
		Request: ledger.Request{
			PersonID: person, Duty: "apart", Control: "watched", For: time.Hour, Reason: "x", AskedBy: person, Operator: "ops", AskedAt: now, Terms: "{}",
			State: ledger.RequestAsked, StageAt: now, ExpiresAt: now.Add(time.Hour), LookAt: now.Add(time.Hour),
		},
		Asked: []ledger.Vote{{Voter: "p7", Authority: "owner of rule apart"}},
	})
	if err != nil {
		return err
	}
	for _, f := range []ledger.RequestFilter{{ID: r.ID}, {PersonID: person}, {DueBy: time.UnixMicro(10)}, {Voter: person}} {
		if _, err := s.Requests(ctx, f, 0, 100); err != nil {
			return err
		}
	}
	if _, err := s.Votes(ctx, r.ID); err != nil {
		return err
	}
	r.State, r.DecidedAt, r.LookAt = ledger.RequestApproved, now, now.Add(time.Minute)
	_, err = s.ChangeRequest(ctx, ledger.RequestChange{
		Request: r, At: now, Action: "request_approved", Actor: "ops", Cause: "x",
		Vote: &ledger.Vote{Voter: "p7", Authority: "owner of rule apart", Vote: ledger.VoteApprove, Operator: "ops", Reason: "x"},
		Grant: &ledger.Exception{
			PersonID: person, Kind: "waive", Duty: "apart", Control: "watched", Employment: hr.EventKey{Source: "/hr", ID: "e7"},
			StartsAt: now, EndsAt: now.Add(time.Hour), DecidedAt: now, DecidedBy: "ops", Reason: "x",
		},
	})
	return err
}

// aDecision makes the calls of somebody who decides about an item of a large review, and of who
// looks at it.
func aDecision(ctx context.Context, s *Store, person string, round int) error {
	const review = 20000
	item := int64(501 + 2*round) // an undecided one
	for _, f := range []ledger.ReviewFilter{{ID: review}, {DueBy: time.UnixMicro(10)}, {Key: "k7"}} {
		if _, err := s.Reviews(ctx, f, 0, 100); err != nil {
			return err
		}
	}
	for _, f := range []ledger.ItemFilter{{Review: review, Item: item}, {Review: review, Key: "access:p7:chat:"}, {Review: review}} {
		if _, err := s.ReviewItems(ctx, f, item, 100); err != nil {
			return err
		}
	}
	if _, err := s.DecideItem(ctx, ledger.ItemDecision{
		Review: review, Item: item, Verdict: ledger.VerdictRevoke, By: person, Authority: "owner", Operator: "ops", Reason: "x", At: time.Now(),
	}); err != nil {
		return err
	}
	for _, f := range []ledger.AccessFilter{{Review: review, Item: item}, {Review: review, PersonID: person}, {Review: review, Awaited: true}} {
		if _, err := s.ReviewAccesses(ctx, f, ledger.AccessPlace{}, 100); err != nil {
			return err
		}
	}
	place := ledger.AccessPlace{PersonID: fmt.Sprint("p", item), App: "chat"}
	if err := s.Revoke(ctx, ledger.Revocation{
		Review: review, Item: item, PersonID: place.PersonID, At: time.Now(), Actor: "ops", Reason: "x", Effects: []ledger.RevocationEffect{{AccessPlace: place, Needs: "take it in the app"}},
	}); err != nil {
		return err
	}
	return s.NoteRevoked(ctx, review, time.Now(), []ledger.RevokedAccess{{Item: item, AccessPlace: place, Gone: true}})
}

// wholeReads is how each table was read.
func wholeReads(t *testing.T, at *url.URL) map[string]read {
	t.Helper()
	db := connections(parsed(t, at))
	defer db.Close()
	require.Eventually(t, func() bool {
		var others int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others)
		return err == nil && others == 0
	}, time.Minute, 10*time.Millisecond)
	rows, err := db.QueryContext(t.Context(), `SELECT relname::text, seq_scan, coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0)::bigint
		FROM pg_stat_user_tables t WHERE relname NOT IN ('goose_db_version', 'app_pace', 'cohorts')`) // these have few rows
	require.NoError(t, err)
	defer rows.Close()
	reads := map[string]read{}
	for rows.Next() {
		var table string
		var n read
		require.NoError(t, rows.Scan(&table, &n.scans, &n.entries))
		reads[table] = n
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, reads)
	return reads
}
