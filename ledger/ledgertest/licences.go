package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var licenceTests = tests{
	"TheLicencesOfAnAppAreReplaced": func(t *testing.T, l ledger.Ledger) {
		none, err := l.Licences(t.Context())
		require.NoError(t, err)
		assert.Empty(t, none)

		office := []ledger.Licence{{Name: "licence:word", Seats: 100, Used: 97, Awaited: 4}, {Name: "licence:café", Used: 2}}
		require.NoError(t, l.SaveLicences(t.Context(), "office", at(1), office))
		require.NoError(t, l.SaveLicences(t.Context(), "mail", at(2), []ledger.Licence{{App: "ignored", Name: "licence:x", Seats: 1, CountedAt: at(9)}}))
		got, err := l.Licences(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Licence{
			{App: "mail", Name: "licence:x", Seats: 1, CountedAt: at(2)},
			{App: "office", Name: "licence:café", Used: 2, CountedAt: at(1)},
			{App: "office", Name: "licence:word", Seats: 100, Used: 97, Awaited: 4, CountedAt: at(1)},
		}, got)

		require.NoError(t, l.SaveLicences(t.Context(), "office", at(3), []ledger.Licence{{Name: "licence:word", Seats: 120, Used: 97}}))
		require.NoError(t, l.SaveLicences(t.Context(), "mail", at(3), nil))
		got, err = l.Licences(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Licence{{App: "office", Name: "licence:word", Seats: 120, Used: 97, CountedAt: at(3)}}, got)
	},
	"ALicenceThatAnAppListsTwiceIsOne": func(t *testing.T, l ledger.Ledger) {
		twice := []ledger.Licence{{Name: "licence:word", Seats: 1}, {Name: "licence:word", Seats: 2}}
		require.NoError(t, l.SaveLicences(t.Context(), "office", at(1), twice))
		got, err := l.Licences(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Licence{{App: "office", Name: "licence:word", Seats: 2, CountedAt: at(1)}}, got)
	},
}
