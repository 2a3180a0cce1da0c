package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

func TestARequestPassesItsStagesAndTimeRunsFromTheApproval(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(time.Hour, operator.RoleRequest{For: 4 * time.Hour})
	p.says(20*time.Hour, "10000", ledger.VoteApprove)
	p.during(21*time.Hour, func() { assert.Zero(t, p.request(1).Exception, "another stage has to approve it") })
	p.says(40*time.Hour, "10021", ledger.VoteApprove)
	p.proves(40*time.Hour+10*time.Minute, "admins", "engineers")
	p.lives(1, 10*day)

	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, ledger.RequestApproved, r.State)
	assert.Equal(t, []time.Time{at(time.Hour), at(40 * time.Hour)}, []time.Time{r.AskedAt, r.DecidedAt})
	x := p.grant(r.Exception)
	assert.Equal(t, []any{"r-1", at(40 * time.Hour), at(44 * time.Hour), "INC-1"}, []any{x.Origin, x.StartsAt, x.EndsAt, x.Reason}, "a slow approver eats no time")
	assert.WithinRange(t, r.ProvenAt, at(40*time.Hour+10*time.Minute), at(40*time.Hour+20*time.Minute))
	assert.True(t, r.LookAt.IsZero(), "nothing is left to do")
	assert.Equal(t, []string{
		"0 10000 approve: manager of 10001", "1 10020 : owner of role admin", "1 10021 approve: owner of role admin",
	}, p.asked())
	assert.Equal(t, []string{"request_made", "request_passed", "request_approved", "request_proven"}, p.recorded())
	assert.Equal(t, []request.Phase{request.Waiting, request.Applying, ""}, slices.Compact(p.phases))
	assert.Equal(t, []string{"vote r-1", "grant x-1", ""}, slices.Compact(p.nexts))
}

func TestAManagerWhoLeavesInTheMiddleIsReplaced(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.cutsOff(2*time.Hour, "10000")
	p.during(2*time.Hour+time.Minute, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide about it. Those who may: 10010 (next above 10001 (10000 is suspended))", "as of now, whoever was asked")
	})
	p.during(13*time.Hour, func() {
		assert.Equal(t, []string{"0 10000 no longer: manager of 10001", "0 10010 : next above 10001 (10000 is suspended)"}, p.asked())
	})
	p.says(14*time.Hour, "10010", ledger.VoteApprove)
	p.lives(1, 20*time.Hour)
	assert.Equal(t, 1, p.request(1).Stage)
	assert.Contains(t, p.recorded(), "request_reassigned")
}

func TestAManagerWhoAsksIsNotAsked(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{AskedBy: "10000"})
	p.during(time.Hour, func() {
		for _, self := range []string{"10000", "10001"} {
			_, err := p.decide(1, self, ledger.VoteApprove)
			assert.ErrorContains(t, err, "nobody decides for themself")
		}
	})
	p.lives(1, 2*time.Hour)
	assert.Equal(t, []string{"0 10010 : next above 10001 (10000 is concerned)"}, p.asked())
}

func TestARequestThatNobodyAnswersEscalatesAndExpires(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(day-time.Minute, func() { assert.Equal(t, []string{"0 10000 : manager of 10001"}, p.asked()) })
	p.during(day+time.Minute, func() {
		assert.Equal(t, []string{"0 10000 : manager of 10001", "0 10010 : next above 10000, asked since nobody had answered"}, p.asked())
	})
	p.during(3*day-time.Minute, func() {
		votes, err := p.ledger.Votes(context.Background(), 1)
		require.NoError(t, err)
		assert.Equal(t, 2, votes[0].Reminders, "after one day, and after two")
		assert.Equal(t, ledger.RequestAsked, p.request(1).State)
	})
	p.during(3*day+time.Minute, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "r-1 is expired")
	})
	p.lives(1, 10*day)
	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, []any{ledger.RequestExpired, "nobody answered in time", at(3 * day), true}, []any{r.State, r.Why, r.DecidedAt, r.LookAt.IsZero()})
	assert.Equal(t, []string{"request_made", "request_escalated", "request_reminded", "request_expired"}, p.recorded())
	assert.Empty(t, p.personOf(p.person).Exceptions)
}

func (p *petition) personOf(id string) ledger.Person {
	p.t.Helper()
	person, err := p.ledger.Person(context.Background(), id)
	require.NoError(p.t, err)
	return person
}

func TestWhoeverIsAskedAfterAnEscalationMayDecide(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{})
	p.during(12*time.Hour, func() {
		_, err := p.decide(1, "10010", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "not yet")
	})
	p.says(day+time.Hour, "10010", ledger.VoteApprove)
	p.lives(1, 2*day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

func TestOneDenialEndsARequest(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.says(2*time.Hour, "10020", ledger.VoteDeny)
	p.lives(1, day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestDenied, p.request(1).State)
	assert.Empty(t, p.personOf(p.person).Exceptions)
}

func TestAsManyApproveAsAreNeeded(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner"}}, 2 })
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.during(2*time.Hour, func() {
		assert.Equal(t, ledger.RequestAsked, p.request(1).State)
		_, err := p.decide(1, "10020", ledger.VoteApprove)
		assert.ErrorContains(t, err, "person 10020 has said approve before")
	})
	p.says(3*time.Hour, "10021", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

// Somebody who has got another ID meanwhile is still one human.
func TestOneHumanApprovesOnceUnderAnyID(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner"}}, 2 })
	p.employs("10022", "")
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.during(2*time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: "10022", OldID: "10020", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		for _, id := range []string{"10020", "10022"} {
			_, err = p.decide(1, id, ledger.VoteApprove)
			assert.ErrorContains(t, err, "has said approve before", id)
		}
	})
	p.during(12*time.Hour, func() {
		assert.Equal(t, []string{"0 10020 approve: owner of role admin", "0 10021 : owner of role admin"}, p.asked(), "and is not asked again")
	})
	p.says(13*time.Hour, "10021", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

// Two who have approved, and are found to be one human, have approved once.
func TestTwoIDsOfOneHumanAreOneApproval(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner", "manager"}}, 3 })
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.says(2*time.Hour, "10021", ledger.VoteApprove)
	p.during(3*time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: "10021", OldID: "10020", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		_, err = p.decide(1, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		assert.Equal(t, ledger.RequestAsked, p.request(1).State, "two of three")
	})
	p.lives(1, 4*time.Hour)
}

// Whether somebody has answered in time does not depend on when a request is looked at.
func TestNobodyApprovesAfterTheTimeToAnswer(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	_, err := p.ask(operator.RoleRequest{})
	require.NoError(t, err)
	p.at = at(3 * day)
	for _, vote := range []ledger.VoteKind{ledger.VoteApprove, ledger.VoteDeny} {
		_, err = p.decide(1, "10000", vote)
		assert.ErrorContains(t, err, "r-1 has expired at "+at(3*day).UTC().Format(time.RFC3339))
	}
	shown, err := p.o.ShowRequest(context.Background(), "r-1")
	require.NoError(t, err)
	assert.Contains(t, shown.Cannot, "r-1 has expired")
	p.at = at(3*day - time.Second)
	_, err = p.decide(1, "10000", ledger.VoteApprove)
	assert.NoError(t, err)
}

func TestARequestIsTakenBack(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		_, err := p.o.CancelRequest(context.Background(), olga, "r-1")
		require.NoError(t, err)
	})
	p.lives(1, day)
	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, []any{ledger.RequestCancelled, at(time.Hour), "INC-1"}, []any{r.State, r.DecidedAt, r.Why})
}

func TestARequestEndsWithTheEmployment(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		p.hr(hr.Event{Type: hr.EventTerminated, PersonID: p.person, Effective: hr.DateOf(epoch.Add(-day)), Termination: &hr.Termination{LastDay: hr.DateOf(epoch.Add(-day))}})
	})
	p.during(2*time.Hour, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		require.NoError(t, err, "the first stage")
		_, err = p.decide(1, "10020", ledger.VoteApprove)
		assert.ErrorContains(t, err, "is not employed")
	})
	p.lives(1, day)
	assert.True(t, p.done)
	assert.Equal(t, []any{ledger.RequestCancelled, "the employment has ended"}, []any{p.request(1).State, p.request(1).Why})
}

func TestAStandInDecides(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		_, err := p.o.SetStandIn(context.Background(), olga, operator.StandInOrder{PersonID: "10000", StandIn: "10021", Until: at(3 * time.Hour)})
		require.NoError(t, err)
	})
	p.during(2*time.Hour, func() {
		assert.Equal(t, []string{"0 10000 : manager of 10001", "0 10021 : stand-in for 10000 (s-1)"}, p.asked(), "told at once")
	})
	p.during(4*time.Hour, func() {
		_, err := p.decide(1, "10021", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "it is over")
		_, err = p.o.SetStandIn(context.Background(), olga, operator.StandInOrder{PersonID: "10000", StandIn: "10020", Until: at(9 * time.Hour)})
		require.NoError(t, err)
	})
	p.says(5*time.Hour, "10020", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
	assert.Contains(t, p.asked(), "0 10020 approve: stand-in for 10000 (s-2)")
}

func TestAGrantThatIsDatedAheadBeginsThen(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = nil })
	p.asks(0, operator.RoleRequest{From: at(5 * day), For: time.Hour})
	p.proves(5*day+time.Minute, "admins")
	p.lives(1, 10*day)
	assert.True(t, p.done)
	r, x := p.request(1), p.grant(1)
	assert.Equal(t, []any{ledger.RequestApproved, "nobody has to approve it"}, []any{r.State, r.Why})
	assert.Equal(t, []time.Time{at(5 * day), at(5*day + time.Hour)}, []time.Time{x.StartsAt, x.EndsAt})
	assert.Equal(t, []request.Phase{request.Scheduled, request.Applying, ""}, slices.Compact(p.phases))
	assert.WithinRange(t, r.ProvenAt, at(5*day+time.Minute), at(5*day+3*time.Minute))
}

func TestAGrantThatDoesNotComeAboutNeedsAttentionAndEnds(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = nil })
	p.asks(0, operator.RoleRequest{For: 8 * time.Hour})
	p.proves(time.Minute, "engineers")
	p.during(time.Hour, func() {
		moved := profile("Sales")
		moved.StartDate = hr.DateOf(epoch.Add(-30 * day))
		p.hr(hr.Event{Type: hr.EventTransferred, PersonID: p.person, Effective: hr.DateOf(epoch), Profile: moved})
	})
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, []request.Phase{request.Applying, request.Attention, ""}, slices.Compact(p.phases))
	assert.True(t, p.request(1).ProvenAt.IsZero())
}

func TestAGrantIsProlongedOnceFromItsEnd(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{For: 4 * time.Hour})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.proves(time.Hour+time.Minute, "admins")
	p.asks(2*time.Hour, operator.RoleRequest{Extends: "x-1", For: 3 * time.Hour})
	p.during(3*time.Hour, func() {
		_, err := p.decide(2, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		x := p.grant(2)
		assert.Equal(t, []time.Time{at(5 * time.Hour), at(8 * time.Hour)}, []time.Time{x.StartsAt, x.EndsAt})
		_, err = p.ask(operator.RoleRequest{Extends: "x-2"})
		assert.ErrorContains(t, err, `x-2 prolongs another grant already, and role "admin" can be prolonged once`)
	})
	p.lives(1, day)
}

// Whoever ends a grant means it: neither what was asked for to prolong it nor what prolongs it
// already gives the role again.
func TestWhatProlongsAGrantEndsWithIt(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	ends := func(name string) {
		_, err := p.o.EndException(context.Background(), olga, name, true)
		require.NoError(t, err)
	}
	p.asks(0, operator.RoleRequest{For: 4 * time.Hour})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.proves(time.Hour+time.Minute, "admins")
	p.asks(2*time.Hour, operator.RoleRequest{Extends: "x-1", For: 3 * time.Hour})
	p.during(3*time.Hour, func() {
		ends("x-1")
		shown, err := p.o.ShowRequest(context.Background(), "r-2")
		require.NoError(t, err)
		assert.Contains(t, shown.Cannot, "x-1, which it prolongs, was ended before its time: INC-1")
		_, err = p.decide(2, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "x-1, which it prolongs, was ended before its time")
		_, err = p.ask(operator.RoleRequest{For: 4 * time.Hour})
		require.NoError(t, err, "a new grant can be asked for")
		_, err = p.decide(3, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		_, err = p.decide(2, "10000", ledger.VoteDeny)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Extends: "x-2", For: 3 * time.Hour})
		require.NoError(t, err)
		_, err = p.decide(4, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		ends("x-2")
		assert.Equal(t, p.now(), p.grant(3).EndedAt, "it would have begun at the end of the other")
	})
	p.lives(1, day)
}

// recordedOf lists what the record says of one request.
func (p *petition) recordedOf(name string) []string {
	p.t.Helper()
	rows, err := p.ledger.Audit(context.Background(), p.person, 0, 1000)
	require.NoError(p.t, err)
	var all []string
	for _, r := range rows {
		if r.Detail["request"] == name {
			all = append(all, r.Action)
		}
	}
	return all
}

// What somebody was shown is on the record, and is compared with what would be done by then.
func TestWhatChangedSinceItWasShownIsSaid(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	var before operator.ChangedRequest
	p.during(0, func() {
		var err error
		before, err = p.ask(operator.RoleRequest{})
		require.NoError(t, err)
	})
	p.during(time.Hour, func() {
		shown, err := p.o.ShowRequest(context.Background(), "r-1")
		require.NoError(t, err)
		assert.False(t, shown.Changed)
		_, err = p.o.Withhold(context.Background(), olga, operator.Withholding{PersonID: p.person, App: "wiki", Entitlement: "admins"}, true)
		require.NoError(t, err)
		shown, err = p.o.ShowRequest(context.Background(), "r-1")
		require.NoError(t, err)
		assert.True(t, shown.Changed)
		_, err = p.o.DecideRequest(context.Background(), olga, operator.RequestDecision{Request: "r-1", As: "10000", Vote: ledger.VoteApprove, Shown: before.Digest}, true)
		assert.ErrorContains(t, err, "what r-1 would do has changed since it was shown")
		_, err = p.o.DecideRequest(context.Background(), olga, operator.RequestDecision{Request: "r-1", As: "10000", Vote: ledger.VoteApprove, Shown: shown.Digest}, true)
		require.NoError(t, err)
		votes, err := p.ledger.Votes(context.Background(), 1)
		require.NoError(t, err)
		assert.Equal(t, shown.Digest, votes[0].Shown)
	})
	p.lives(1, 2*time.Hour)
}
