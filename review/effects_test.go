package review_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// Each thing is in one item, so of two grants that give it only one is asked about.
func TestAGrantIsRevokedWithTheOthersOfItsRole(t *testing.T) {
	decided := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	var s review.Snapshot
	s.Decision.Person.Exceptions = []ledger.Exception{
		{ID: 1, Kind: "grant", Role: "admin", DecidedAt: decided.Add(-3 * time.Hour)},
		{ID: 2, Kind: "grant", Role: "admin", DecidedAt: decided.Add(-2 * time.Hour)},
		{ID: 3, Kind: "grant", Role: "editor", DecidedAt: decided.Add(-2 * time.Hour)},
		{ID: 4, Kind: "grant", Role: "admin", DecidedAt: decided.Add(time.Hour)}, // somebody has approved it since
	}
	i := ledger.ReviewItem{Kind: string(review.ByGrant), PersonID: "10001", Role: "admin", Exception: 1, Decision: ledger.VerdictRevoke, DecidedAt: decided}
	place := ledger.AccessPlace{PersonID: "10001", App: "wiki", Entitlement: "admins"}
	made := review.Effects(i, s, []ledger.AccessPlace{place}, nil)
	require.Len(t, made, 1)
	assert.Equal(t, []any{int64(1), []int64{2}}, []any{made[0].End, made[0].Also})

	i.DecidedAt = time.Time{}
	assert.Equal(t, []int64{2, 4}, review.Effects(i, s, []ledger.AccessPlace{place}, nil)[0].Also, "as long as nothing is decided it is about all of them")
}
