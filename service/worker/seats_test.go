package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// sellers answers how many seats the licences of apps have.
type sellers struct {
	licences map[string][]operator.Licence
	asked    []string
}

func (s *sellers) Licences(_ context.Context, app string) ([]operator.Licence, error) {
	s.asked = append(s.asked, app)
	if s.licences[app] == nil {
		return nil, errors.New("no answer")
	}
	return s.licences[app], nil
}

func TestSeatsAreCountedByOneWorker(t *testing.T) {
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	asked := &sellers{licences: map[string][]operator.Licence{
		"office": {{App: "office", Name: "licence:word", Seats: connector.Seats{Total: 10, Used: 9}, Soon: 2}},
	}}
	one := &seats{apps: []string{"mail", "office"}, ledger: store, viewer: asked, log: zap.NewNop()}
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	one.look(t.Context(), now)
	assert.Equal(t, []string{"mail", "office"}, asked.asked, "an app that does not answer keeps no other from being asked")
	counted, err := store.Licences(t.Context())
	require.NoError(t, err)
	word := ledger.Licence{App: "office", Name: "licence:word", Seats: 10, Used: 9, Awaited: 2, CountedAt: now}
	assert.Equal(t, []ledger.Licence{word}, counted)

	other := &seats{apps: []string{"office"}, ledger: store, viewer: asked, log: zap.NewNop()}
	other.look(t.Context(), now.Add(seatsEvery-time.Second))
	assert.Len(t, asked.asked, 2, "the numbers are new enough")

	delete(asked.licences, "office")
	other.look(t.Context(), now.Add(seatsEvery))
	assert.Len(t, asked.asked, 3)
	counted, err = store.Licences(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []ledger.Licence{word}, counted, "no answer changes nothing")
}

func TestOnlyAppsWithLicencesAreAsked(t *testing.T) {
	compiled, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {}, "office": {}, "chat": {}},
		Roles: []policy.Role{{Name: "everybody", When: "true", Grants: []policy.Grant{
			{App: "wiki", Entitlements: []string{"staff", "role:reader"}}, {App: "office", Entitlements: []string{"licence:word"}}, {App: "chat"},
		}}},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"office"}, licensed(compiled))
}
