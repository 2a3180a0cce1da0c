package correlation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

func account(id string) connector.Account {
	return connector.Account{ID: id, Username: "u" + id, Active: true}
}

func person(id string, accounts ...string) correlation.Person {
	p := correlation.Person{ID: id}
	for _, a := range accounts {
		p.Matches = append(p.Matches, connector.Match{Account: account(a), By: connector.ByUsername})
	}
	return p
}

func gone(p correlation.Person) correlation.Person { p.Left = true; return p }

func link(person, account string, state ledger.LinkState) ledger.Link {
	return ledger.Link{PersonID: person, AccountID: account, Username: "u" + account, State: state}
}

func TestWhoseAnAccountIs(t *testing.T) {
	for name, test := range map[string]struct {
		links  []ledger.Link
		people []correlation.Person
		want   correlation.State
		whose  []string
	}{
		"linked":                        {[]ledger.Link{link("p", "1", ledger.LinkActive)}, nil, correlation.Linked, nil},
		"enabled behind our back":       {[]ledger.Link{link("p", "1", ledger.LinkDisabled)}, nil, correlation.Drifted, nil},
		"there though deleted":          {[]ledger.Link{link("p", "1", ledger.LinkDeleted)}, nil, correlation.Drifted, nil},
		"linked, whoever else matches":  {[]ledger.Link{link("p", "1", ledger.LinkActive)}, []correlation.Person{person("q", "1")}, correlation.Linked, nil},
		"one person's":                  {nil, []correlation.Person{person("p", "1"), person("q")}, correlation.Unlinked, []string{"p"}},
		"nobody's":                      {nil, []correlation.Person{person("p", "2")}, correlation.Orphaned, nil},
		"of somebody who left":          {nil, []correlation.Person{gone(person("p", "1"))}, correlation.Orphaned, []string{"p"}},
		"of two who left":               {nil, []correlation.Person{gone(person("p", "1")), gone(person("q", "1"))}, correlation.Orphaned, []string{"p", "q"}},
		"two people's":                  {nil, []correlation.Person{person("p", "1"), person("q", "1")}, correlation.Disputed, []string{"p", "q"}},
		"somebody's and a former one's": {nil, []correlation.Person{person("p", "1"), gone(person("q", "1"))}, correlation.Disputed, []string{"p", "q"}},
		"one of two that a person has":  {nil, []correlation.Person{person("p", "1", "2")}, correlation.Disputed, []string{"p"}},
		"one of two that a leaver had":  {nil, []correlation.Person{gone(person("p", "1", "2"))}, correlation.Orphaned, []string{"p"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := correlation.Find([]connector.Account{account("1")}, test.links, test.people)
			require.Len(t, found, 1)
			assert.Equal(t, test.want, found[0].State)
			assert.Equal(t, test.whose, found[0].People)
			assert.Equal(t, test.want == correlation.Disputed, found[0].Why != "")
		})
	}
}

func TestMissingAccounts(t *testing.T) {
	found := correlation.Find([]connector.Account{account("2")}, []ledger.Link{
		link("p", "1", ledger.LinkActive), link("q", "3", ledger.LinkDeleted), link("r", "", ledger.LinkPlanned),
	}, nil)
	require.Len(t, found, 2)
	assert.Equal(t, correlation.Missing, found[0].State)
	assert.Equal(t, "p", found[0].Link.PersonID)
	assert.Equal(t, "u1", found[0].Account.Username)
	assert.Equal(t, "2", found[1].Account.ID)
}
