package connectortest

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func (s *suite) probe(t *testing.T) {
	findings := s.open(t).Probe(t.Context())
	assert.NotEmpty(t, findings)
	for _, finding := range findings {
		assert.NotEmpty(t, finding.What)
		assert.Empty(t, finding.Problem, finding.What)
		for _, secret := range s.Secrets {
			assert.NotContains(t, finding.What, secret)
		}
	}
}

func (s *suite) check(t *testing.T) {
	identity, err := s.open(t).Check(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, identity)
	for _, secret := range s.Secrets {
		assert.NotContains(t, identity, secret)
	}
}

func (s *suite) create(t *testing.T) {
	c := s.open(t)
	for _, active := range []bool{true, false} {
		spec := s.spec()
		spec.Active = active
		if !active && s.deviates(t, NoInactive) {
			_, err := c.Create(t.Context(), spec)
			s.fails(t, err, connector.OpCreate, connector.KindUnsupported)
			continue
		}
		made := s.make(t, c, spec)

		if s.keepsIDs(t) {
			assert.Equal(t, spec.PersonID, made.ExternalID)
		}
		assert.True(t, strings.EqualFold(spec.Username, made.Username), made.Username)
		assert.Equal(t, active, made.Active, "created with Active %v", active)
		assert.Equal(t, made, read(t, c, made.ID), "what Create returns is what Read shows")
		for name, value := range spec.Attributes {
			assert.Equal(t, value, made.Attributes[name], name)
		}
	}
}

func (s *suite) createTwice(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made := s.make(t, c, spec)

	_, err := c.Create(t.Context(), spec)
	s.fails(t, err, connector.OpCreate, connector.KindExists)

	spec.PersonID = s.spec().PersonID
	_, err = c.Create(t.Context(), spec)
	s.fails(t, err, connector.OpCreate, connector.KindExists)

	matches := s.find(t, c, connector.Keys{PersonID: made.ExternalID, Username: spec.Username})
	require.Len(t, matches, 1)
	_, by := s.keyOf(t, spec)
	assert.Equal(t, connector.Match{Account: made, By: by}, matches[0])
}

func (s *suite) createAtTheSameTime(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	const tries = 8
	errs := make([]error, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() { _, errs[i] = c.Create(t.Context(), spec) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		s.fails(t, err, connector.OpCreate, connector.KindExists)
	}
	assert.Equal(t, 1, made, "accounts made")
	keys, _ := s.keyOf(t, spec)
	assert.Len(t, s.find(t, c, keys), 1)
}

// values creates accounts with texts that break careless quoting.
func (s *suite) values(t *testing.T) {
	c := s.open(t)
	for name, text := range map[string]string{
		"accents":      "Zoë Ångström-Łukasz",
		"otherScripts": "李小龍 Ольга محمد",
		"emoji":        "Kim 🦊 Fox",
		"apostrophe":   "d'Arcy O’Brien",
		"quotes":       `Robert "Bob" Tables`,
		"backslash":    `ACME\bob`,
		"filter":       `x" or userName pr or title eq "`,
		"angles":       "<b>R&D</b> 100% #1?a=b",
		"comma":        "Smith, John; Sr.",
		"spaces":       "two  spaces",
		"long":         strings.Repeat("long ", s.MaxText/5-1) + "text",
	} {
		if !s.hasAttributes() {
			break
		}
		t.Run(name, func(t *testing.T) {
			spec := s.spec()
			spec.Attributes[s.Attributes[0]] = text
			made := s.make(t, c, s.remember(spec))
			assert.Equal(t, text, made.Attributes[s.Attributes[0]])
			assert.Equal(t, text, read(t, c, made.ID).Attributes[s.Attributes[0]])
			assert.Empty(t, s.dropped(t, c, made.ID, spec.Attributes))
		})
	}
	for name, part := range map[string]string{"accents": "zoë", "apostrophe": "d'arcy", "plus": "a+b", "quotes": `x"or"`, "percent": "50%25"} {
		t.Run("username/"+name, func(t *testing.T) {
			spec := s.spec()
			spec.Username += part
			if s.usernameRefused(t, part) {
				_, err := c.Create(t.Context(), s.remember(spec))
				s.fails(t, err, connector.OpCreate, connector.KindInvalid)
				assert.Empty(t, s.find(t, c, connector.Keys{PersonID: spec.PersonID}))
				return
			}
			made := s.make(t, c, s.remember(spec))
			if s.deviates(t, QuotesUnsearchable) && strings.Contains(part, `"`) {
				matches, err := c.Find(t.Context(), connector.Keys{Username: spec.Username})
				assert.True(t, err != nil || len(matches) == 0, "found after all: the deviation is no more")
				return
			}
			matches := s.find(t, c, connector.Keys{Username: spec.Username})
			require.Len(t, matches, 1)
			assert.Equal(t, connector.Match{Account: made, By: connector.ByUsername}, matches[0])
		})
	}
	t.Run("empty", func(t *testing.T) {
		spec := s.spec()
		if s.hasAttributes() {
			spec.Attributes[s.Attributes[1]] = ""
		}
		made := s.make(t, c, spec)
		assert.NotContains(t, made.Attributes, s.Attributes[1])
		if s.hasAttributes() {
			assert.Contains(t, made.Attributes, s.Attributes[0])
		}
	})
	t.Run("none", func(t *testing.T) {
		spec := s.spec()
		spec.PersonID, spec.Attributes = "", nil
		assert.Empty(t, s.make(t, c, spec).ExternalID)
	})
}

// usernameRefused reports whether the app is known to refuse usernames with this part.
func (s *suite) usernameRefused(t *testing.T, part string) bool {
	t.Helper()
	return strings.ContainsAny(part, `+"`) && s.deviates(t, UsernamesRestricted) ||
		strings.ContainsAny(part, `+"%ë`) && s.deviates(t, UsernamesPlain) ||
		strings.ContainsAny(part, `+"%ë'`) && s.deviates(t, UsernamesOfLogins)
}

func (s *suite) deleteAccount(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made, kept := s.make(t, c, spec), s.make(t, c, s.spec())
	require.NoError(t, c.Delete(t.Context(), made.ID))
	_, err := c.Read(t.Context(), made.ID)
	s.fails(t, err, connector.OpRead, connector.KindNotFound)
	assert.Empty(t, s.find(t, c, connector.Keys{PersonID: spec.PersonID, Username: spec.Username}))
	assert.Empty(t, s.find(t, c, connector.Keys{AccountID: made.ID}))
	require.NoError(t, c.Delete(t.Context(), made.ID), "again")
	assert.Equal(t, kept, read(t, c, kept.ID), "another account")

	if s.deviates(t, UsernamesHeld) {
		_, err := c.Create(t.Context(), spec)
		s.fails(t, err, connector.OpCreate, connector.KindConflict)
		return
	}
	again := s.make(t, c, spec)
	assert.NotEqual(t, made.ID, again.ID, "IDs are never used again")
}

// restore deletes an account and brings it back: it is the same one, with its ID and keys.
func (s *suite) restore(t *testing.T) {
	c := s.open(t)
	spec := s.spec()
	made := s.make(t, c, spec)
	require.NoError(t, c.Delete(t.Context(), made.ID))
	require.NoError(t, c.Restore(t.Context(), made.ID))
	back := read(t, c, made.ID)
	assert.Equal(t, made.ID, back.ID)
	assert.Equal(t, made.Username, back.Username)
	keys, _ := s.keyOf(t, spec)
	found := s.find(t, c, keys)
	require.Len(t, found, 1)
	assert.Equal(t, made.ID, found[0].Account.ID)
	require.NoError(t, c.Restore(t.Context(), made.ID), "again")
	assert.Equal(t, back, read(t, c, made.ID), "an account that was not deleted stays as it is")
	if s.can().Disable && back.Active {
		require.NoError(t, c.Disable(t.Context(), made.ID), "what came back can be changed")
	}
	require.NoError(t, c.Delete(t.Context(), made.ID), "and deleted again")
	require.NoError(t, c.Restore(t.Context(), made.ID))
}

// restoreOthers restores what is not in the bin, what is protected, and an account whose
// username another one has by now.
func (s *suite) restoreOthers(t *testing.T) {
	c := s.open(t)
	assert.Positive(t, s.can().RecycleBin, "who restores says for how long")
	spec := s.spec()
	made := s.make(t, c, spec)
	require.NoError(t, c.Delete(t.Context(), made.ID))

	guarded := connector.Guard(c, connector.Protection{
		App: "app", For: spec.PersonID, Looks: true,
		Person:  func(string) bool { return false },
		Account: func(a connector.Account) bool { return a.Username == made.Username },
	})
	var protected *connector.ProtectedError
	require.ErrorAs(t, guarded.Restore(connector.WithFormerUsername(t.Context(), made.Username), made.ID), &protected)
	_, err := c.Read(t.Context(), made.ID)
	s.fails(t, err, connector.OpRead, connector.KindNotFound)

	twin := s.spec()
	twin.Username = spec.Username
	other, err := c.Create(t.Context(), twin)
	switch {
	case s.deviates(t, UsernamesHeld):
		s.fails(t, err, connector.OpCreate, connector.KindConflict)
		return
	case connector.Is(err, connector.KindExists):
		return // the bin keeps the username too
	}
	require.NoError(t, err)
	err = c.Restore(t.Context(), made.ID)
	assert.True(t, connector.Is(err, connector.KindExists, connector.KindConflict), "the username is taken: %v", err)
	assert.Equal(t, other.ID, read(t, c, other.ID).ID)
}

func (s *suite) list(t *testing.T) {
	c := s.open(t)
	want := map[string]connector.Account{}
	for range s.many {
		account := s.make(t, c, s.spec())
		want[account.ID] = account
	}
	if s.can().Entitlements {
		for id := range want {
			require.NoError(t, c.Grant(t.Context(), id, s.Entitlements[:1]))
			want[id] = read(t, c, id)
			break
		}
	}
	accounts := c.List(t.Context())
	for range 2 { // a caller may iterate over the same sequence again
		seen := map[string]bool{}
		for account, err := range accounts {
			require.NoError(t, err)
			require.False(t, seen[account.ID], "listed twice")
			seen[account.ID] = true
			if made, ours := want[account.ID]; ours {
				assert.Equal(t, made, account)
			}
		}
		for id := range want {
			require.True(t, seen[id], "an account is not listed")
		}
	}
	for _, err := range accounts {
		require.NoError(t, err)
		break // a caller may stop early
	}
}
