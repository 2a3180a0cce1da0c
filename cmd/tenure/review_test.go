package main

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// reviewed opens a review of what 10004 has in the wiki, in two items, about which somebody is
// asked.
func (s *site) reviewed(reviewer string) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	now := time.Now().UTC()
	r, err := l.BeginReview(s.t.Context(), ledger.Review{
		Name: "yearly", Key: "k", StartedBy: "olga", Reason: "it is time", StartedAt: now, EndsAt: now.Add(7 * 24 * time.Hour), LookAt: now,
		Terms: `{"name":"yearly","days":7,"undecided":"revoke"}`, Scans: []ledger.ReviewScan{{App: "wiki", Stale: true}},
	})
	require.NoError(s.t, err)
	item := func(entitlement, kind string) ledger.FrozenItem {
		return ledger.FrozenItem{
			ReviewItem: ledger.ReviewItem{
				Key: "access:10004:wiki:" + entitlement, Kind: kind, PersonID: "10004", App: "wiki", Entitlement: entitlement, Because: "role everyone",
				Reviewer: reviewer, Authority: "owner of app wiki", Facts: []byte(`{"flags":["privileged"]}`),
			},
			Accesses: []ledger.AccessPlace{{PersonID: "10004", App: "wiki", Entitlement: entitlement}},
		}
	}
	_, err = l.FreezeReview(s.t.Context(), ledger.FrozenPage{
		Review: r.ID, Next: "end", Digest: "4f1b", At: now, Items: []ledger.FrozenItem{item("", "role"), item("engineers", "role")},
	})
	require.NoError(s.t, err)
	_, err = l.OpenReview(s.t.Context(), ledger.ReviewOpening{Review: r.ID, At: now, Place: "end", LookAt: now})
	require.NoError(s.t, err)
}
