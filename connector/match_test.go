package connector_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func TestWhoseAnAccountIs(t *testing.T) {
	for _, test := range []struct {
		owner, person string
		foreign, mark bool
	}{
		{"", "", false, false},
		{"", "10004", false, true},
		{"10004", "10004", false, false},
		{"10005", "10004", true, false},
		{"10004 ", "10004", true, false},
		{"10005", "", false, true},
	} {
		assert.Equal(t, test.foreign, connector.Foreign(test.owner, test.person), test)
		needed, err := connector.Mark(connector.OpAdopt, test.owner, test.person, "the wiki")
		assert.Equal(t, test.mark, needed, test)
		if test.foreign {
			assert.True(t, connector.Is(err, connector.KindConflict), test)
			assert.ErrorContains(t, err, "find out in the wiki whose account it is")
		} else {
			assert.NoError(t, err, test)
		}
	}
}

func TestTheFirstKeyThatFindsAnAccountCounts(t *testing.T) {
	var asked []string
	finds := func(accounts ...connector.Account) func(context.Context, string) ([]connector.Account, error) {
		return func(_ context.Context, value string) ([]connector.Account, error) {
			asked = append(asked, value)
			return accounts, nil
		}
	}
	ours, free := connector.Account{ID: "1", ExternalID: "10004"}, connector.Account{ID: "2"}
	another := connector.Account{ID: "3", ExternalID: "10005"}

	matches, err := connector.FirstMatches(t.Context(), "10004",
		connector.Look{By: connector.ByExternalID, Value: "10004", Find: finds()},
		connector.Look{By: connector.ByEmployeeNumber, Find: finds(another)},
		connector.Look{By: connector.ByUsername, Value: "ada", Find: finds(another, free, ours)},
		connector.Look{By: connector.ByEmail, Value: "ada@example.com", Find: finds(free)},
	)
	require.NoError(t, err)
	assert.Equal(t, []string{"10004", "ada"}, asked, "keys without a value are not looked for, nor weaker ones")
	assert.Equal(t, []connector.Match{{Account: free, By: connector.ByUsername}, {Account: ours, By: connector.ByExternalID}}, matches)

	away := errors.New("the app is away")
	_, err = connector.FirstMatches(t.Context(), "10004",
		connector.Look{By: connector.ByExternalID, Value: "10004", Find: func(context.Context, string) ([]connector.Account, error) { return nil, away }},
		connector.Look{By: connector.ByUsername, Value: "ada", Find: finds(free)},
	)
	assert.ErrorIs(t, err, away, "who cannot be looked for by the stronger key is not matched by a weaker one")
}

func TestAccountsOfOthersAreNotReadWhole(t *testing.T) {
	var read []string
	find := connector.Whole("10004",
		func(context.Context, string) ([]string, error) { return []string{"10004", "10005", ""}, nil },
		func(owner string) string { return owner },
		func(_ context.Context, owner string) (connector.Account, error) {
			read = append(read, owner)
			return connector.Account{ExternalID: owner}, nil
		})
	accounts, err := find(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, []string{"10004", ""}, read)
	assert.Len(t, accounts, 2)
}
