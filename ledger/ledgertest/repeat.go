package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	auditlog "github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ledger"
)

// call is one call that writes; it returns the ledger's answer.
type call struct {
	name string
	do   func(ctx context.Context, l ledger.Ledger) (any, error)
}

// calls returns calls about one person, with every method that writes.
func calls(t *testing.T) []call {
	var attemptID int64
	var yes *ledger.RequestChange
	var batch *ledger.LogBatch
	return []call{
		{"Record", func(ctx context.Context, l ledger.Ledger) (any, error) {
			receipts, err := l.Record(ctx, []ledger.Received{received("p1", "e1", 0), received("p2", "e2", 0)})
			for i := range receipts {
				receipts[i].Duplicate = false // only this may differ in the repetition
			}
			return receipts, err
		}},
		{"TakeTurns", func(ctx context.Context, l ledger.Ledger) (any, error) {
			if _, err := l.Record(ctx, []ledger.Received{queuedEvent("p1", "waits", 0, "p2")}); err != nil {
				return nil, err
			}
			turns, err := l.Turns(ctx, []string{"p1"})
			if err == nil {
				err = l.TakeTurns(ctx, turns, at(0))
			}
			return nil, err
		}},
		{"MarkDelivered", func(ctx context.Context, l ledger.Ledger) (any, error) { return nil, l.MarkDelivered(ctx, []int64{1}) }},
		{"ClaimUsername", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.ClaimUsername(ctx, "p1", "ada", 0) }},
		{"SaveAssessment", saveOnce(t, "p2", func(a *ledger.Assessment) { a.Summary.ManagerID = "p1" })},
		{"SaveAssessment", saveOnce(t, "p1", func(a *ledger.Assessment) {
			a.Planned = []ledger.Link{{App: "wiki", Username: "ada"}}
			a.Steps = []ledger.Step{step("wiki", "a"), step("wiki", "b")}
			a.Summary.DueAt, a.Summary.DueWhat = at(9), "start"
		})},
		{"BeginStep", func(ctx context.Context, l ledger.Ledger) (any, error) {
			begun, err := l.BeginStep(ctx, attempt("p1", "wiki", "a", 2))
			attemptID = begun.Attempt
			return begun, err
		}},
		{"FinishStep", func(ctx context.Context, l ledger.Ledger) (any, error) {
			o := outcome("p1", "wiki", "a", 3, ledger.StepAttention)
			o.Attempt, o.Code, o.DueReports = attemptID, "forbidden", true
			o.Audit = &ledger.AuditRow{Action: "failed", Actor: "tenure"}
			return nil, l.FinishStep(ctx, o)
		}},
		{"Act", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Act(ctx, action(ledger.VerbRetry, "a", 4))
		}},
		{"Act", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Act(ctx, action(ledger.VerbSkip, "b", 4))
		}},
		{"Act", func(ctx context.Context, l ledger.Ledger) (any, error) {
			a := action(ledger.VerbSkip, "c", 4)
			a.Conflict = true
			return nil, l.Act(ctx, a)
		}},
		{"FinishStep", func(ctx context.Context, l ledger.Ledger) (any, error) {
			o := outcome("p1", "wiki", "unknown", 5, ledger.StepDone)
			link := fullLink("wiki")
			o.Link, o.Audit = &link, &ledger.AuditRow{Action: "created", Actor: "tenure"}
			return nil, l.FinishStep(ctx, o)
		}},
		{"RecordDeadLetter", func(ctx context.Context, l ledger.Ledger) (any, error) {
			receipt, err := l.RecordDeadLetter(ctx, letter(1, 5))
			receipt.Duplicate = false
			return receipt, err
		}},
		{"ActOnLetter", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.ActOnLetter(ctx, letterAction(ledger.VerbDiscard, 1, 6))
		}},
		{"ActOnLetter", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.ActOnLetter(ctx, letterAction(ledger.VerbRedrive, 1, 7))
		}},
		{"ActOnLetter", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.ActOnLetter(ctx, announcement(1))
		}},
		{"RecordDeadLetter", func(ctx context.Context, l ledger.Ledger) (any, error) {
			heir := letter(2, 8)
			heir.RedriveOf, heir.RedriveDigest = letter(1, 5).At, sentDigest
			receipt, err := l.RecordDeadLetter(ctx, heir)
			receipt.Duplicate = false
			return receipt, err
		}},
		{"Record", func(ctx context.Context, l ledger.Ledger) (any, error) {
			receipts, err := l.Record(ctx, []ledger.Received{redriven("e9", letter(2, 8), 9)})
			for i := range receipts {
				receipts[i].Duplicate = false
			}
			return receipts, err
		}},
		{"PlaceHold", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.PlaceHold(ctx, hold(10, 90)) }},
		{"ReleaseHold", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.ReleaseHold(ctx, ledger.HoldRelease{ID: 1, Operator: "ops", Reason: "x", At: at(11)})
		}},
		{"SetRetention", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.SetRetention(ctx, kept(12, "wiki", at(99), 0))
		}},
		{"ResetRetention", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.ResetRetention(ctx, ledger.RetentionReset{PersonID: "p1", App: "wiki", Operator: "ops", Reason: "x", At: at(13)})
		}},
		{"SaveAssessment", saveOnce(t, "p1", asks(60, "k8"))},
		{"ApproveDeletion", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.ApproveDeletion(ctx, approval("k8", 14))
		}},
		{"PlaceException", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.PlaceException(ctx, granted(15, 90)) }},
		{"EndException", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.EndException(ctx, givenBack(1, 16)) }},
		{"AskFor", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.AskFor(ctx, asking(16)) }},
		{"Notify", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Notify(ctx, []ledger.Notice{about(told(16, "person:boss"), "r-1")})
		}},
		{"LookAgainAt", func(ctx context.Context, l ledger.Ledger) (any, error) { return nil, l.LookAgainAt(ctx, 1, 0, at(90)) }},
		{"ChangeRequest", func(ctx context.Context, l ledger.Ledger) (any, error) {
			if yes == nil {
				c := approved(theRequest(t, l, 1), 17) //nolint:contextcheck // the test's own
				yes = &c
			}
			return l.ChangeRequest(ctx, *yes)
		}},
		{"SetStandIn", func(ctx context.Context, l ledger.Ledger) (any, error) {
			s := standIn(18, 90)
			s.PersonID, s.StandIn = "p1", "p2"
			return l.SetStandIn(ctx, s)
		}},
		{"EndStandIn", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.EndStandIn(ctx, standInEnd(1, 19)) }},
		{"BeginReview", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.BeginReview(ctx, reviewing("k1", 20))
		}},
		{"FreezeReview", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.FreezeReview(ctx, frozen(ledger.Review{ID: 1}, 20))
		}},
		{"OpenReview", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.OpenReview(ctx, opening(1, 21)) }},
		{"DecideItem", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.DecideItem(ctx, itemSaid(ledger.Review{ID: 1}, 2, "boss", ledger.VerdictRevoke, 22))
		}},
		{"AssignItems", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.AssignItems(ctx, 1, []ledger.ItemMove{{Item: 1, Reviewer: "otto", Authority: "asked", Why: "x", At: at(23), Actor: "ops"}})
		}},
		{"Revoke", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Revoke(ctx, revocation(ledger.Review{ID: 1}, 24))
		}},
		{"NoteRevoked", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.NoteRevoked(ctx, 1, at(25), []ledger.RevokedAccess{{Item: 2, AccessPlace: place("p1", "more"), Gone: true}})
		}},
		{"ChangeReview", func(ctx context.Context, l ledger.Ledger) (any, error) {
			r := reviewing("k1", 20)
			r.ID, r.State, r.Revision, r.OpenedAt, r.FollowedAt, r.LookAt = 1, ledger.ReviewClosing, 1, at(21), at(21), at(26)
			return l.ChangeReview(ctx, ledger.ReviewChange{Review: r, At: at(26), Facts: []ledger.ReviewFact{{Action: ledger.AuditReviewEnded, Actor: "tenure"}}})
		}},
		{"DecideRest", func(ctx context.Context, l ledger.Ledger) (any, error) {
			_, err := l.DecideRest(ctx, ledger.RestDecision{
				Review: 1, At: at(27), Reason: "silence", Verdict: func(ledger.ReviewItem) ledger.ItemVerdict { return ledger.VerdictKeep },
			}, all)
			return nil, err
		}},
		{"RenamePerson", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.RenamePerson(ctx, ledger.Rename{PersonID: "p1", Base: "zoë", At: at(40), Operator: "ops", Reason: "x"})
		}},
		{"LinkPeople", func(ctx context.Context, l ledger.Ledger) (any, error) {
			_, err := l.Record(ctx, []ledger.Received{received("p7", "e77", 40)})
			if err != nil {
				return nil, err
			}
			return l.LinkPeople(ctx, samePerson("p1", "p7", 41))
		}},
		{"NoteIdentifiers", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.NoteIdentifiers(ctx, at(42), []ledger.Identifier{noted(ledger.IdentifiesEmail, "zoe@example.com", "p1", at(42))})
		}},
		{"BeginScan", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.BeginScan(ctx, "wiki", "run", at(43))
		}},
		{"Observe", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Observe(ctx, ledger.Listed{Scan: 1, Next: "2", Accounts: []ledger.Observed{{AccountID: "nobody's", At: at(44), Active: true}}})
		}},
		{"EndListing", func(ctx context.Context, l ledger.Ledger) (any, error) { return l.EndListing(ctx, 1, at(45), 1) }},
		{"SaveVerdicts", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.SaveVerdicts(ctx, ledger.Compared{Scan: 1, At: at(46), Verdicts: []ledger.Verdict{{
				AccountID: "nobody's", Baseline: true, Findings: []ledger.Finding{{Kind: ledger.FindingOrphan, State: ledger.FindingOpen}},
			}}})
		}},
		{"EndScan", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.EndScan(ctx, ledger.ScanEnd{Scan: 1, At: at(47), State: ledger.ScanSuspicious, Why: "shrank"})
		}},
		{"Believe", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Believe(ctx, ledger.Belief{App: "wiki", Operator: "ops", Reason: "x", At: at(48)})
		}},
		{"RepairFinding", func(ctx context.Context, l ledger.Ledger) (any, error) {
			if _, err := l.Record(ctx, []ledger.Received{received("p8", "e88", 49)}); err != nil {
				return nil, err
			}
			return l.RepairFinding(ctx, ledger.FindingDecision{ID: 1, PersonID: "p8", Operator: "ops", Reason: "x", At: at(50)})
		}},
		{"FreeOrphan", func(ctx context.Context, l ledger.Ledger) (any, error) {
			scan, err := l.BeginScan(ctx, "wiki", "orphan", at(51))
			if err != nil {
				return nil, err
			}
			observed := []ledger.Observed{{AccountID: "orphan", At: at(51), Active: true}}
			if err := l.Observe(ctx, ledger.Listed{Scan: scan.ID, Next: "2", Accounts: observed}); err != nil {
				return nil, err
			}
			if _, err := l.EndListing(ctx, scan.ID, at(51), 1); err != nil {
				return nil, err
			}
			if _, err = l.SaveVerdicts(ctx, ledger.Compared{Scan: scan.ID, At: at(52), Verdicts: []ledger.Verdict{{
				AccountID: "orphan", Findings: []ledger.Finding{{Kind: ledger.FindingOrphan, State: ledger.FindingRepairing}},
			}}}); err != nil {
				return nil, err
			}
			return l.FreeOrphan(ctx, ledger.FindingDecision{ID: 2, Operator: "ops", Reason: "x", At: at(53)})
		}},
		{"AppendLeaves", func(ctx context.Context, l ledger.Ledger) (any, error) {
			lease, _, err := l.TakeLease(context.WithoutCancel(ctx), ledger.LeaseAudit, "a", time.Minute)
			if err != nil {
				return nil, err
			}
			if batch == nil {
				rows, err := l.Unsequenced(context.WithoutCancel(ctx), 0, all)
				if err != nil {
					return nil, err
				}
				b := Batch(&auditlog.Edge{}, rows)
				batch = &b
			}
			return nil, l.AppendLeaves(ctx, lease, *batch)
		}},
		{"SaveCheckpoint", func(ctx context.Context, l ledger.Ledger) (any, error) {
			lease, _, err := l.TakeLease(context.WithoutCancel(ctx), ledger.LeaseAudit, "a", time.Minute)
			if err != nil {
				return nil, err
			}
			edge, err := LogEdge(context.WithoutCancel(ctx), l)
			if err != nil {
				return nil, err
			}
			c := auditlog.Checkpoint{Origin: "test/audit", Size: edge.Size(), Root: edge.Root(), At: at(51)}
			return nil, l.SaveCheckpoint(ctx, lease, auditlog.Stored{Size: c.Size, At: c.At, Root: c.Root, Note: c.Body() + "\n"})
		}},
		{"SavePublished", func(ctx context.Context, l ledger.Ledger) (any, error) {
			lease, _, err := l.TakeLease(context.WithoutCancel(ctx), ledger.LeaseAudit, "a", time.Minute)
			if err != nil {
				return nil, err
			}
			return nil, l.SavePublished(ctx, lease, ledger.Published{Place: "file", Size: 1, At: at(52)})
		}},
		{"Redact", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return nil, l.Redact(ctx, ledger.Redaction{Seqs: []int64{1}, Operator: "ops", Reason: "x", At: at(53)})
		}},
		{"RestartLog", func(ctx context.Context, l ledger.Ledger) (any, error) {
			return l.RestartLog(ctx, ledger.LogRestart{Operator: "ops", Reason: "x", At: at(54)})
		}},
	}
}

// saveOnce returns a call that reads the person only the first time.
func saveOnce(t *testing.T, personID string, change func(*ledger.Assessment)) func(context.Context, ledger.Ledger) (any, error) {
	var a *ledger.Assessment
	return func(ctx context.Context, l ledger.Ledger) (any, error) {
		if a == nil {
			p, err := l.Person(context.WithoutCancel(ctx), personID)
			require.NoError(t, err)
			a = &ledger.Assessment{Summary: p.Summary}
			a.Summary.AssessedAt = at(1)
			change(a)
		}
		return nil, l.SaveAssessment(ctx, *a)
	}
}

var repeatTests = tests{
	"ASecondCallChangesNothing": func(t *testing.T, l ledger.Ledger) {
		for _, c := range calls(t) {
			answer, err := c.do(t.Context(), l)
			require.NoError(t, err, c.name)
			before := everything(t, l)
			again, err := c.do(t.Context(), l)
			require.NoError(t, err, c.name)
			assert.Equal(t, answer, again, c.name)
			assert.Equal(t, before, everything(t, l), c.name)
		}
	},
	"ARepeatedOutcomeDoesNotMakeReportsDueAgain": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
		dueReports(t, l, 1)
		require.Len(t, due(t, l), 1)
		assess(t, l, "p1", 2, nil)
		dueReports(t, l, 1)
		assert.Empty(t, due(t, l))
	},
	"ACallThatIsCancelledChangesNothing": func(t *testing.T, l ledger.Ledger) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, c := range calls(t) {
			before := everything(t, l)
			_, err := c.do(cancelled, l)
			require.ErrorIs(t, err, context.Canceled, c.name)
			assert.Equal(t, before, everything(t, l), c.name)
			_, err = c.do(t.Context(), l)
			require.NoError(t, err, c.name)
		}
	},
}

// contents holds everything that can be read from a ledger.
type contents struct {
	People []ledger.Person
	Links  []ledger.Link
	Letter []ledger.DeadLetter
	Audit  []ledger.AuditRow
	Due    []ledger.DuePerson
	Tasks  []ledger.Task
	Steps  []ledger.Step
	Counts ledger.Counts

	Holds      []ledger.Hold
	Retentions []ledger.Retention
	Approvals  []ledger.Approval
	Exceptions []ledger.Exception
	Requests   []ledger.Request
	Votes      []ledger.Vote
	StandIns   []ledger.StandIn
	Licences   []ledger.Licence
	Notices    []ledger.Notice

	Identifiers []ledger.Identifier
	Scans       []ledger.Scan
	Findings    []ledger.Finding
	Log         ledger.LogCounts
	Record      *auditlog.Report
	Seen        ledger.Observed
}

func everything(t *testing.T, l ledger.Ledger) contents {
	t.Helper()
	people, err := l.People(t.Context(), "", all)
	require.NoError(t, err)
	links, err := l.Links(t.Context(), ledger.LinkFilter{})
	require.NoError(t, err)
	letters, err := l.DeadLetters(t.Context(), ledger.LetterFilter{}, 0, all)
	require.NoError(t, err)
	tasks, err := l.Tasks(t.Context(), ledger.TaskFilter{}, 0, all)
	require.NoError(t, err)
	steps, err := l.Steps(t.Context(), ledger.StepFilter{}, ledger.StepPlace{}, all)
	require.NoError(t, err)
	counts, err := l.Count(t.Context())
	require.NoError(t, err)
	c := contents{Links: links, Letter: letters, Audit: audit(t, l, ""), Due: due(t, l), Tasks: tasks, Steps: steps, Counts: counts}
	c.Holds, err = l.Holds(t.Context(), ledger.HoldFilter{}, 0, all)
	require.NoError(t, err)
	c.Retentions, err = l.Retentions(t.Context(), "", 0, all)
	require.NoError(t, err)
	c.Approvals, err = l.Approvals(t.Context(), ledger.ApprovalFilter{}, ledger.ApprovalPlace{}, all)
	require.NoError(t, err)
	c.Exceptions, err = l.Exceptions(t.Context(), ledger.ExceptionFilter{}, 0, all)
	require.NoError(t, err)
	c.Requests, err = l.Requests(t.Context(), ledger.RequestFilter{}, 0, all)
	require.NoError(t, err)
	for _, r := range c.Requests {
		votes, err := l.Votes(t.Context(), r.ID)
		require.NoError(t, err)
		c.Votes = append(c.Votes, votes...)
	}
	c.StandIns, err = l.StandIns(t.Context(), ledger.StandInFilter{}, 0, all)
	require.NoError(t, err)
	c.Notices = outbox(t, l, ledger.NoticeFilter{})
	c.Licences, err = l.Licences(t.Context())
	require.NoError(t, err)
	c.Scans, err = l.Scans(t.Context(), "", all)
	require.NoError(t, err)
	c.Findings = findings(t, l)
	c.Log, err = l.CountLog(t.Context())
	require.NoError(t, err)
	c.Record = Verify(t, l)
	c.Record.Waiting = 0 // the last row of a ledger that was moved is not that of the other
	c.Log.Unsequenced = 0
	c.Seen, _, err = l.Seen(t.Context(), "wiki", "nobody's")
	require.NoError(t, err)
	for _, s := range people {
		ids, err := l.Identifiers(t.Context(), s.PersonID)
		require.NoError(t, err)
		c.Identifiers = append(c.Identifiers, ids...)
		p := read(t, l, s.PersonID)
		require.Equal(t, s, p.Summary)
		c.People = append(c.People, p)
	}
	return c
}
