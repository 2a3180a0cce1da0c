package operator_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

var deeds = []deed{
	{operator.Suspend, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Suspend(ctx, r, "ada")
		return err
	}, true, "", nil},
	{operator.Retry, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Retry(ctx, r, operator.Attention{PersonID: "ada"})
		return err
	}, true, "nothing of this person needs attention", nil},
	{operator.Skip, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Skip(ctx, r, operator.Attention{PersonID: "ada", App: "wiki"})
		return err
	}, true, "nothing of this person needs attention", nil},
	{operator.PlaceHold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.PlaceHold(ctx, r, "ada", now.Add(24*time.Hour))
		return err
	}, true, "", nil},
	{operator.SetRetention, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.SetRetention(ctx, r, operator.Retention{PersonID: "ada", For: time.Hour}, false)
		return err
	}, true, "", nil},
	{operator.FinishTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.FinishTask(ctx, r, 1, "seen", "")
		return err
	}, true, "", nil},
	{operator.RefuseTask, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RefuseTask(ctx, r, 1)
		return err
	}, true, "", nil},
	{operator.Discard, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Discard(ctx, r, []ledger.DeadLetter{letterOf(ctx, s)})
		return err
	}, true, "", nil},
	{operator.Redrive, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Redrive(ctx, r, letterOf(ctx, s), record{new(int)}, false)
		return err
	}, false, "", nil},
	{operator.Erase, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Erase(ctx, r, erase.Terms{}, "eva")
		return err
	}, false, "", func(t *testing.T, s *site) {
		s.ledger.(interface{ SetPepper(pepper []byte) }).SetPepper([]byte("a pepper"))
		s.left(t, "eva")
	}},
	{operator.Rename, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Rename(ctx, r, ledger.Rename{PersonID: "ada", Base: "lovelace", At: now})
		return err
	}, true, "", nil},
	{operator.LinkPeople, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.LinkPeople(ctx, r, "bob", "ada")
		return err
	}, true, "", nil},
	{operator.Reinstate, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Reinstate(ctx, r, "ada")
		return err
	}, true, "person ada is not suspended", func(t *testing.T, s *site) {
		_, err := s.Suspend(t.Context(), earlier, "ada")
		require.NoError(t, err)
	}},
	{breakGlass, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.BreakGlass(ctx, r, "ada", time.Minute, func(operator.SecuredApp) {})
		return err
	}, false, "", nil},
	{operator.Release, func(ctx context.Context, s *site, r operator.Request) error {
		return s.decide(ctx, operator.Release, r)
	}, true, "", func(t *testing.T, s *site) { s.holdBack(t) }},
	{operator.Cancel, func(ctx context.Context, s *site, r operator.Request) error {
		return s.decide(ctx, operator.Cancel, r)
	}, true, "", func(t *testing.T, s *site) { s.holdBack(t) }},
	{operator.ReleaseHold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ReleaseHolds(ctx, r, "h-1", false)
		return err
	}, true, "", func(t *testing.T, s *site) {
		_, err := s.PlaceHold(t.Context(), earlier, "ada", now.Add(24*time.Hour))
		require.NoError(t, err)
	}},
	{operator.ResetRetention, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ResetRetention(ctx, r, "ada", "", false)
		return err
	}, true, "no such retention is set", func(t *testing.T, s *site) {
		_, err := s.SetRetention(t.Context(), earlier, operator.Retention{PersonID: "ada", For: time.Hour}, false)
		require.NoError(t, err)
	}},
	{operator.ApproveDeletion, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ApproveDeletions(ctx, r, "ada", "wiki")
		return err
	}, true, "no deletion of ada needs an approval", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkDisabled, "ada")
		s.leave(t, "ada")
	}},
	{operator.Adopt, func(ctx context.Context, s *site, r operator.Request) error { return s.adopt(ctx, r) }, true, "", func(_ *testing.T, s *site) {
		s.wiki.Put(connector.Account{Username: "ada", ExternalID: "ada", Active: true})
	}},
	{operator.Unlink, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Unlink(ctx, r, "wiki", "ada")
		return err
	}, true, "the ledger knows no account of ada in wiki", func(t *testing.T, s *site) { s.links(t, ledger.LinkActive, "ada") }},
	{operator.RestoreAccount, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RestoreAccount(ctx, r, "ada", "wiki")
		return err
	}, true, "was not deleted: it is disabled", func(t *testing.T, s *site) { s.bin(t, "ada") }},
	{operator.GrantRole, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.GrantRole(ctx, r, operator.RoleGrant{PersonID: "ada", Role: "admin", For: time.Hour}, true)
		return err
	}, true, "", nil},
	{operator.Withhold, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Withhold(ctx, r, operator.Withholding{PersonID: "ada", App: "wiki"}, true)
		return err
	}, true, "", nil},
	{operator.WaiveDuty, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.WaiveDuty(ctx, r, operator.DutyWaiver{PersonID: "ada", Duty: "apart", Until: now.Add(time.Hour), Control: "watched"}, true)
		return err
	}, true, "", nil},
	{operator.EndException, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndException(ctx, r, "x-1", true)
		return err
	}, true, "x-1 has ended before: ticket 42", func(t *testing.T, s *site) {
		_, err := s.Withhold(t.Context(), earlier, operator.Withholding{PersonID: "ada", App: "wiki"}, true)
		require.NoError(t, err)
	}},
	{operator.AskRole, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AskRole(ctx, r, operator.RoleRequest{PersonID: "ada", Role: "auditor"}, true)
		return err
	}, true, "r-1 asks for that already", nil},
	{operator.AskWaiver, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AskWaiver(ctx, r, operator.WaiverRequest{PersonID: "ada", Duty: "apart", For: time.Hour, Control: "watched"}, true)
		return err
	}, true, "r-1 asks for that already", nil},
	{operator.DecideRequest, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.DecideRequest(ctx, r, operator.RequestDecision{Request: "r-1", As: "bob", Vote: ledger.VoteApprove}, true)
		return err
	}, true, "r-1 is approved: nobody has to say anything about it", asksForAuditor},
	{operator.CancelRequest, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.CancelRequest(ctx, r, "r-1")
		return err
	}, true, "r-1 is cancelled, and cannot be taken back", asksForAuditor},
	{operator.StartReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.StartReview(ctx, r, "yearly", "ada", true)
		return err
	}, true, "v-1 is such a review, and is freezing", nil},
	{operator.DecideItem, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.DecideItems(ctx, r, operator.ReviewDecision{Review: "v-1", Items: []int64{1}, As: "bob", Verdict: ledger.VerdictRevoke}, true)
		return err
	}, true, "", isReviewed},
	{operator.MoveItems, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.MoveItems(ctx, r, "v-1", []int64{1}, "bob", true)
		return err
	}, false, "", isReviewed},
	{operator.CloseReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.CloseReview(ctx, r, "v-1", true)
		return err
	}, true, "v-1 is closing", isReviewed},
	{operator.ExtendReview, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.ExtendReview(ctx, r, "v-1", now.AddDate(1, 0, 0), true)
		return err
	}, true, "", isReviewed},
	{operator.SetStandIn, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.SetStandIn(ctx, r, operator.StandInOrder{PersonID: "bob", StandIn: "ada", Until: now.Add(time.Hour)})
		return err
	}, true, "", asksForAuditor},
	{operator.EndStandIn, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndStandIn(ctx, r, "s-1")
		return err
	}, true, "s-1 is over already", func(t *testing.T, s *site) {
		asksForAuditor(t, s)
		_, err := s.SetStandIn(t.Context(), earlier, operator.StandInOrder{PersonID: "bob", StandIn: "ada", Until: now.Add(time.Hour)})
		require.NoError(t, err)
	}},
	{operator.RepairFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RepairFinding(ctx, r, "f-1")
		return err
	}, true, "f-1 is being repaired", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkDisabled, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingState, PersonID: "ada"}, ledger.Observed{AccountID: "account-ada", Active: true})
	}},
	{operator.EndFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.EndFinding(ctx, r, "f-1", "ada")
		return err
	}, true, "f-1 is being repaired", func(t *testing.T, s *site) {
		s.ended(t, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingOrphan}, ledger.Observed{AccountID: "9", Active: true})
	}},
	{operator.AcceptFinding, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.AcceptFinding(ctx, r, "f-1", now.Add(time.Hour))
		return err
	}, true, "", func(t *testing.T, s *site) {
		s.links(t, ledger.LinkActive, "ada")
		s.found(t, ledger.Finding{Kind: ledger.FindingStray, What: "admins", PersonID: "ada"}, ledger.Observed{AccountID: "account-ada", Active: true, Entitlements: []string{"admins"}})
	}},
	{operator.BelieveScan, func(ctx context.Context, s *site, r operator.Request) error { return s.BelieveScan(ctx, r, "wiki") }, false, "", func(t *testing.T, s *site) {
		scan, err := s.ledger.BeginScan(t.Context(), "wiki", "1", now)
		require.NoError(t, err)
		require.NoError(t, s.ledger.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanSuspicious}))
	}},
	{operator.RetryNotice, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RetryNotices(ctx, r, []string{"n-1"}, true)
		return err
	}, false, "n-1 has not failed: it is waiting", func(t *testing.T, s *site) { s.cannotBeTold(t) }},
	{operator.UnlinkPeople, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.UnlinkPeople(ctx, r, "bob", "ada")
		return err
	}, true, "person ada is not linked to bob", func(t *testing.T, s *site) {
		_, err := s.LinkPeople(t.Context(), earlier, "bob", "ada")
		require.NoError(t, err)
	}},
	{operator.Export, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.Export(ctx, r, io.Discard, nil)
		return err
	}, false, "", nil},
	{operator.RestartLog, func(ctx context.Context, s *site, r operator.Request) error {
		_, err := s.RestartLog(ctx, r, "example.com/tenure", nil)
		return err
	}, false, "", nil},
}

// breakGlass is a suspension without Temporal.
const breakGlass operator.Verb = "break glass"

// earlier is the request of everything that has to be there before a deed.
var earlier = operator.Request{Actor: "adam", Reason: "ticket 1"}

// needNoReason lists the verbs that need no reason.
var needNoReason = []operator.Verb{operator.Retry, operator.FinishTask, operator.Adopt, operator.Export, operator.Import}

var asks = operator.Request{Actor: "eve", Reason: "ticket 42"}
