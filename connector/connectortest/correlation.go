package connectortest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func (s *suite) correlation(t *testing.T) {
	c := s.open(t)
	ownedSpec, freeSpec, absent := s.spec(), s.spec(), s.spec()
	freeSpec.PersonID = ""
	owned, free := s.make(t, c, ownedSpec), s.make(t, c, freeSpec)

	type look struct {
		keys connector.Keys
		want *connector.Account // nil for none
		by   connector.MatchKey
	}
	tests := map[string]look{
		"no keys":                  {connector.Keys{}, nil, ""},
		"nobody":                   {connector.Keys{PersonID: absent.PersonID, Username: absent.Username}, nil, ""},
		"account ID":               {connector.Keys{AccountID: free.ID}, &free, connector.ByAccountID},
		"account ID before others": {connector.Keys{AccountID: free.ID, PersonID: owned.ExternalID, Username: owned.Username}, &free, connector.ByAccountID},
		"external ID":              {connector.Keys{PersonID: owned.ExternalID}, &owned, connector.ByExternalID},
		"external ID, new name":    {connector.Keys{PersonID: owned.ExternalID, Username: absent.Username}, &owned, connector.ByExternalID},
		"external ID before name":  {connector.Keys{PersonID: owned.ExternalID, Username: free.Username}, &owned, connector.ByExternalID},
		"part of an external ID":   {connector.Keys{PersonID: strings.TrimPrefix(owned.ExternalID, "p-")}, nil, ""},
		"username":                 {connector.Keys{Username: free.Username}, &free, connector.ByUsername},
		"username, nobody's":       {connector.Keys{PersonID: absent.PersonID, Username: free.Username}, &free, connector.ByUsername},
		"username, another case":   {connector.Keys{Username: strings.ToUpper(freeSpec.Username)}, &free, connector.ByUsername},
		"part of a username":       {connector.Keys{Username: strings.TrimPrefix(free.Username, s.Names)}, nil, ""},
		"another person's account": {connector.Keys{PersonID: absent.PersonID, Username: owned.Username}, nil, ""},
	}
	if !s.keepsIDs(t) {
		for _, name := range []string{"external ID", "external ID, new name", "external ID before name", "another person's account"} {
			delete(tests, name)
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			matches := s.find(t, c, test.keys)
			if test.want == nil {
				assert.Empty(t, matches)
				return
			}
			require.Len(t, matches, 1)
			assert.Equal(t, connector.Match{Account: *test.want, By: test.by}, matches[0])
		})
	}
}

// ambiguousCorrelation tries an app in which two accounts have the same external ID.
func (s *suite) ambiguousCorrelation(t *testing.T) {
	c := s.open(t)
	first, second := s.spec(), s.spec()
	for _, username := range []string{first.Username, second.Username} {
		s.Seed(t, connector.Account{Username: username, ExternalID: first.PersonID, Active: true})
	}
	matches := s.find(t, c, connector.Keys{PersonID: first.PersonID, Username: second.Username})
	require.Len(t, matches, 2)
	for _, match := range matches {
		assert.Equal(t, connector.ByExternalID, match.By)
		assert.Equal(t, first.PersonID, match.Account.ExternalID)
	}
	assert.NotEqual(t, matches[0].Account.ID, matches[1].Account.ID)
}

// otherKeys looks for accounts by the keys of apps that Tenure did not fill. Stronger
// keys win, and an account of another person is never found.
func (s *suite) otherKeys(t *testing.T) {
	c := s.open(t)
	keys := map[connector.MatchKey]func(value string) connector.Keys{
		connector.ByEmployeeNumber: func(v string) connector.Keys { return connector.Keys{EmployeeNumber: v} },
		connector.ByEmail:          func(v string) connector.Keys { return connector.Keys{Email: v} },
	}
	for by, attribute := range s.KeyAttributes {
		t.Run(string(by), func(t *testing.T) {
			spec, absent := s.spec(), s.spec()
			spec.PersonID = ""
			value := "n-" + absent.PersonID
			if by == connector.ByEmail {
				value += "@example.com"
			}
			spec.Attributes = map[string]any{attribute: value}
			made := s.make(t, c, s.remember(spec))

			matches := s.find(t, c, keys[by](value))
			require.Len(t, matches, 1)
			assert.Equal(t, connector.Match{Account: made, By: by}, matches[0])
			assert.Empty(t, s.find(t, c, keys[by](value+"0")))

			owned := s.spec()
			owned.Attributes = map[string]any{attribute: "o-" + value}
			s.make(t, c, s.remember(owned))
			theirs := keys[by]("o-" + value)
			theirs.PersonID = absent.PersonID
			assert.Empty(t, s.find(t, c, theirs), "another person's account")
		})
	}
}

// rename renames an account as an administrator does when somebody marries: it stays
// the same account.
func (s *suite) rename(t *testing.T) {
	c := s.open(t)
	want := s.make(t, c, s.spec())
	s.Rename(t, want, s.remember(s.spec()).Username)
	now := read(t, c, want.ID)
	assert.NotEqual(t, want.Username, now.Username)
	want.Username = now.Username
	assert.Equal(t, want, now, "the username, and nothing else")
	for _, keys := range []connector.Keys{{AccountID: want.ID}, {PersonID: want.ExternalID}, {Username: now.Username}} {
		matches := s.find(t, c, keys)
		require.Len(t, matches, 1)
		assert.Equal(t, now, matches[0].Account)
	}
}

func (s *suite) adopt(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	person, another := spec.PersonID, s.spec().PersonID
	spec.PersonID = ""
	want := s.make(t, c, spec)

	require.NoError(t, c.Adopt(t.Context(), want.ID, person))
	want.ExternalID = person
	assert.Equal(t, want, read(t, c, want.ID), "the external ID, and nothing else")
	matches := s.find(t, c, connector.Keys{PersonID: person})
	require.Len(t, matches, 1)
	assert.Equal(t, want.ID, matches[0].Account.ID)

	require.NoError(t, c.Adopt(t.Context(), want.ID, person), "again")
	err := c.Adopt(t.Context(), want.ID, another)
	s.fails(t, err, connector.OpAdopt, connector.KindConflict)
	assert.Equal(t, want, read(t, c, want.ID), "still the first person's")
}
