package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

func TestAnEmergencyIsConfirmed(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.during(time.Minute, func() {
		x := p.grant(1)
		assert.Equal(t, []any{at(0), at(2 * time.Hour), true}, []any{x.StartsAt, x.EndsAt, x.Emergency}, "at once, and shorter than usual")
		assert.Equal(t, []string{"0 10020 : owner of role admin", "0 10021 : owner of role admin"}, p.asked())
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "no owner")
	})
	p.proves(2*time.Minute, "admins")
	p.says(5*time.Hour, "10020", ledger.VoteApprove)
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestConfirmed, p.request(1).State)
	assert.Equal(t, []string{"emergency_granted", "request_proven", "request_confirmed"}, p.recorded())
	assert.Equal(t, []string{"confirm r-1", ""}, slices.Compact(p.nexts))
}

func TestAnEmergencyThatIsDisputedEndsAtOnce(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.says(time.Hour, "10021", ledger.VoteDeny)
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestDisputed, p.request(1).State)
	assert.Equal(t, at(time.Hour), p.grant(1).EndedAt)
}

func TestSilenceAboutAnEmergencyClosesTheDoor(t *testing.T) {
	p := newPetition(t, nil)
	hour := operator.RoleRequest{Emergency: true, For: time.Hour}
	p.asks(0, hour)
	p.during(day-time.Minute, func() {
		_, err := p.ask(hour)
		assert.NoError(t, err, "as long as there is time to confirm")
		_, err = p.ask(operator.RoleRequest{Emergency: true, For: time.Minute})
		assert.ErrorContains(t, err, `role "admin" is given for 2h0m0s at most in emergencies that nobody has confirmed, and r-1 counts`)
	})
	p.during(day+time.Minute, func() {
		_, err := p.ask(operator.RoleRequest{Emergency: true})
		assert.ErrorContains(t, err, "gets nothing more in an emergency until somebody has confirmed or disputed r-1, which is late")
		assert.Contains(t, p.asked(), "0 10030 : governance.fallback: nobody had answered", "those above the owners, or the fallback")
		assert.Equal(t, request.Attention, p.phases[len(p.phases)-1])
	})
	p.says(3*day, "10030", ledger.VoteApprove)
	p.during(3*day+time.Minute, func() {
		_, err := p.decide(2, "10020", ledger.VoteApprove)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true})
		assert.NoError(t, err, "it is open again")
	})
	p.lives(1, 4*day)
	assert.True(t, p.done)
	assert.Equal(t, []string{"emergency_granted", "request_escalated"}, p.recordedOf("r-1")[:2])
}

func TestADisputedEmergencyClosesTheDoorUntilSomebodyApproves(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.decide(1, "10020", ledger.VoteDeny)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true, For: time.Minute})
		assert.ErrorContains(t, err, `r-1 was disputed: role "admin" is not given to person 10001 in an emergency until somebody has approved a request for it`)
		_, err = p.ask(operator.RoleRequest{For: time.Hour})
		require.NoError(t, err, "the ordinary way is open")
		_, err = p.decide(2, "10000", ledger.VoteApprove)
		require.NoError(t, err)
	})
	p.during(2*time.Hour, func() {
		_, err := p.ask(operator.RoleRequest{Emergency: true})
		assert.NoError(t, err)
	})
	p.lives(1, day)
}

func TestAConfirmationDoesNotOpenTheDoorThatADisputeHasClosed(t *testing.T) {
	p := newPetition(t, nil)
	hour := operator.RoleRequest{Emergency: true, For: time.Hour}
	p.asks(0, hour)
	p.asks(time.Minute, hour)
	p.during(time.Hour, func() {
		_, err := p.decide(2, "10020", ledger.VoteDeny)
		require.NoError(t, err)
	})
	p.says(2*time.Hour, "10020", ledger.VoteApprove)
	p.during(3*time.Hour, func() {
		_, err := p.ask(hour)
		assert.ErrorContains(t, err, "r-2 was disputed")
	})
	p.lives(1, day)
}

// The grant of an earlier ID gives the role to the ID that has the accounts now.
func TestADisputeTellsWhoHasTheAccountsByNow(t *testing.T) {
	p := newPetition(t, nil)
	p.employs("10005", "10000")
	p.asks(0, operator.RoleRequest{PersonID: "10005", Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: p.person, OldID: "10005", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		p.people = nil
		_, err = p.decide(1, "10020", ledger.VoteDeny)
		require.NoError(t, err)
		assert.Equal(t, []string{p.person}, p.people)
	})
	p.lives(1, 2*time.Hour)
}

func TestAnEmergencyUnderAnEarlierIDCounts(t *testing.T) {
	p := newPetition(t, nil)
	p.employs("10005", "10000")
	p.asks(0, operator.RoleRequest{PersonID: "10005", Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: p.person, OldID: "10005", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true})
		assert.ErrorContains(t, err, "and r-1 counts")
	})
	p.lives(1, 2*time.Hour)
}
