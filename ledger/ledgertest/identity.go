package ledgertest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func samePerson(newID, oldID string, minutes int) ledger.SamePerson {
	return ledger.SamePerson{NewID: newID, OldID: oldID, At: at(minutes), Operator: "ops", Reason: "HR says so"}
}

// worker makes somebody who has an account in the wiki, and a username.
func worker(t *testing.T, l ledger.Ledger, id string) ledger.Link {
	t.Helper()
	record(t, l, received(id, "hired "+id, 0))
	link := ledger.Link{PersonID: id, App: "wiki", AccountID: "account of " + id, State: ledger.LinkActive, Username: claim(t, l, id, id), ProvenAt: at(1)}
	putLink(t, l, link)
	return link
}

func newcomer(t *testing.T, l ledger.Ledger, id string) {
	t.Helper()
	record(t, l, received(id, "hired "+id, 1))
}

func linked(t *testing.T, l ledger.Ledger, newID, oldID string, minutes int) ledger.Carried {
	t.Helper()
	carried, err := l.LinkPeople(t.Context(), samePerson(newID, oldID, minutes))
	require.NoError(t, err)
	return carried
}

// incompressible returns a text of at most the given number of bytes that no database can
// compress.
func incompressible(bytes int) string {
	random := rand.New(rand.NewPCG(7, uint64(bytes))) //nolint:gosec // G404: the same text each time
	var text strings.Builder
	for text.Len()+utf8.UTFMax <= bytes {
		text.WriteRune(0x20000 + rune(random.IntN(0xA000))) // ideographs of four bytes
	}
	return text.String()
}

func cannot(t *testing.T, err error, text string) {
	t.Helper()
	var refused *ledger.IdentityError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Text, text)
}

var identityTests = tests{
	"ALinkCarriesAccountsAndUsernames": func(t *testing.T, l ledger.Ledger) {
		was := worker(t, l, "old")
		newcomer(t, l, "new")
		claim(t, l, "new", "newcomer")
		assess(t, l, "old", 2, plan(step("wiki", "end")))
		placeHold(t, l, ledger.Hold{PersonID: "old", PlacedAt: at(2), ExpiresAt: at(900), Operator: "ops", Reason: "matter 42"})
		assert.Equal(t, ledger.Carried{Apps: []string{"wiki"}, Username: "old"}, linked(t, l, "new", "old", 10))

		now, before := read(t, l, "new"), read(t, l, "old")
		was.PersonID, was.OwnerWas = "new", "old"
		assert.Equal(t, []ledger.Link{was}, now.Links)
		assert.Equal(t, "old", now.Username)
		require.Len(t, now.Earlier, 1)
		assert.Equal(t, before.Events, now.Earlier[0].Events)
		assert.Len(t, now.Holds, 1, "what is held is held under any ID")
		assert.Empty(t, now.CarriedTo)
		assert.Equal(t, "new", before.CarriedTo)
		assert.Empty(t, before.Links)
		assert.Empty(t, before.Steps, "what was to be done about the account is over")
		assert.Empty(t, before.Username)
		for _, id := range []string{"old", "new"} {
			assert.Equal(t, "linked", audit(t, l, id)[len(audit(t, l, id))-1].Action)
			assert.Equal(t, ledger.DueDecision, read(t, l, id).DueWhat)
		}
		assert.Equal(t, "newcomer", claim(t, l, "other", "newcomer"), "nobody ever had it")
	},
	"WhatIsSaidOfTheOldIDMakesTheNewOneDue": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "old")
		newcomer(t, l, "new")
		linked(t, l, "new", "old", 10)
		assess(t, l, "new", 11, nil)
		require.Zero(t, read(t, l, "new").DueAt)
		record(t, l, received("old", "later", 20))
		assert.Equal(t, at(20), read(t, l, "new").DueAt)
		assert.Equal(t, ledger.DueSamePerson, read(t, l, "new").DueWhat)
	},
	"OfAnAppInWhichBothHaveAnAccountEachKeepsTheirs": func(t *testing.T, l ledger.Ledger) {
		theirs := worker(t, l, "old")
		own := worker(t, l, "new")
		assert.Equal(t, ledger.Carried{Left: []string{"wiki"}}, linked(t, l, "new", "old", 10))
		assert.Equal(t, []ledger.Link{own}, read(t, l, "new").Links)
		assert.Equal(t, []ledger.Link{theirs}, read(t, l, "old").Links)
		assert.Equal(t, "new", read(t, l, "new").Username)
		assert.Equal(t, "old", read(t, l, "old").Username)
	},
	"NotWhileAStepIsUnderWay": func(t *testing.T, l ledger.Ledger) {
		for _, id := range []string{"old", "new"} {
			worker(t, l, id+" one")
		}
		newcomer(t, l, "x")
		for _, id := range []string{"old one", "x"} {
			a := attempt(id, "wiki", "k", 5)
			o := outcome(id, "wiki", "k", 6, ledger.StepOpen)
			o.Attempt = begin(t, l, a).Attempt
			_, err := l.LinkPeople(t.Context(), samePerson("x", "old one", 5))
			cannot(t, err, "under way")
			assert.Len(t, read(t, l, "old one").Links, 1)
			finish(t, l, o)
		}
		linked(t, l, "x", "old one", 7)
	},
	"ChainsAndCircles": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "a")
		for _, id := range []string{"b", "c", "d"} {
			newcomer(t, l, id)
		}
		linked(t, l, "b", "a", 10)
		_, err := l.LinkPeople(t.Context(), samePerson("a", "b", 11))
		cannot(t, err, "is b now")
		_, err = l.LinkPeople(t.Context(), samePerson("d", "a", 11))
		cannot(t, err, "is b now")
		_, err = l.LinkPeople(t.Context(), samePerson("b", "b", 11))
		cannot(t, err, "the same")
		linked(t, l, "c", "b", 12)
		c := read(t, l, "c")
		require.Len(t, c.Earlier, 2)
		assert.Equal(t, []string{"a", "b"}, []string{c.Earlier[0].PersonID, c.Earlier[1].PersonID})
		assert.Equal(t, "a", c.Username)
		assert.Equal(t, "a", c.Links[0].OwnerWas, "the ID that the account carries")
		assert.Equal(t, "c", read(t, l, "a").CarriedTo)

		_, err = l.UnlinkPeople(t.Context(), samePerson("b", "a", 13))
		cannot(t, err, "undo that link first")
		_, err = l.UnlinkPeople(t.Context(), samePerson("c", "b", 14))
		require.NoError(t, err)
		assert.Equal(t, "b", read(t, l, "a").CarriedTo)
		assert.Len(t, read(t, l, "b").Links, 1)
	},
	"AWrongLinkIsUndone": func(t *testing.T, l ledger.Ledger) {
		was := worker(t, l, "old")
		newcomer(t, l, "new")
		linked(t, l, "new", "old", 10)
		putLink(t, l, ledger.Link{PersonID: "new", App: "chat", AccountID: "made since", State: ledger.LinkActive})
		carried, err := l.UnlinkPeople(t.Context(), samePerson("new", "old", 20))
		require.NoError(t, err)
		assert.Equal(t, ledger.Carried{Apps: []string{"wiki"}, Username: "old"}, carried)
		assert.Equal(t, []ledger.Link{was}, read(t, l, "old").Links, "with the ID that it never lost")
		assert.Equal(t, "chat", read(t, l, "new").Links[0].App)
		assert.Len(t, read(t, l, "new").Links, 1)
		assert.Equal(t, "old", read(t, l, "old").Username)
		assert.Empty(t, read(t, l, "old").CarriedTo)
		assert.Empty(t, read(t, l, "new").Earlier)
		_, err = l.UnlinkPeople(t.Context(), samePerson("new", "old", 21))
		cannot(t, err, "not linked")
		linked(t, l, "new", "old", 22)
	},
	"OnlyOfPeopleWhoAreKnown": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "old")
		_, err := l.LinkPeople(t.Context(), samePerson("nobody", "old", 1))
		require.ErrorIs(t, err, ledger.ErrNotFound)
	},
	"ManagersAreFoundUnderAnyID": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "boss")
		newcomer(t, l, "boss2")
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
		linked(t, l, "boss2", "boss", 10)
		assert.Equal(t, map[string]string{"wiki": "account of boss"}, read(t, l, "p1").ManagerAccounts)
	},
	"ARenameTakesAccountsAlong": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "ada")
		putLink(t, l, ledger.Link{PersonID: "ada", App: "paper", AccountID: "1", Username: "ada", State: ledger.LinkActive})
		worker(t, l, "lovelace")
		r := ledger.Rename{PersonID: "ada", Base: "lovelace", Longest: 8, Apps: []string{"wiki"}, At: at(5), Operator: "ops", Reason: "married"}
		exact := r
		exact.Exact = true
		_, err := l.RenamePerson(t.Context(), exact)
		cannot(t, err, "somebody else's")
		renamed, err := l.RenamePerson(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, ledger.Renamed{Username: "lovelac2", Apps: []string{"wiki"}, Left: []string{"paper"}}, renamed)
		p := read(t, l, "ada")
		assert.Equal(t, "lovelac2", p.Username)
		assert.Equal(t, []string{"", "lovelac2"}, []string{p.Links[0].RenameTo, p.Links[1].RenameTo})
		assert.Equal(t, "ada", p.Links[1].Username, "until the app says so")
		assert.Equal(t, ledger.DueDecision, p.DueWhat)

		r.PersonID = "nobody"
		_, err = l.RenamePerson(t.Context(), r)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		r.PersonID = "ada"
		begin(t, l, attempt("ada", "wiki", "k", 5))
		_, err = l.RenamePerson(t.Context(), r)
		cannot(t, err, "under way")
	},
	"NamesakesInAnyCase": func(t *testing.T, l ledger.Ledger) {
		for id, name := range map[string][2]string{"p1": {"Will", "Pike"}, "p2": {"WILL", "pike"}, "p3": {"Will", "Piker"}} {
			assess(t, l, id, 1, func(a *ledger.Assessment) { a.Summary.GivenName, a.Summary.FamilyName = name[0], name[1] })
		}
		ids, err := l.Namesakes(t.Context(), "will", "Pike", 10)
		require.NoError(t, err)
		assert.Equal(t, []string{"p1", "p2"}, ids)
	},
	// HR may send names that are too long for an index.
	"APersonWithALongNameIsAssessed": func(t *testing.T, l ledger.Ledger) {
		given, family := incompressible(hr.LongestText), incompressible(hr.LongestText-3)
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.Summary.GivenName, a.Summary.FamilyName = given, family })
		kept := read(t, l, "p1").Summary
		assert.True(t, strings.HasPrefix(given, kept.GivenName))
		assert.True(t, utf8.ValidString(kept.GivenName))
		assert.Greater(t, len(kept.GivenName), 500)
		ids, err := l.Namesakes(t.Context(), given, family, 10)
		require.NoError(t, err)
		assert.Equal(t, []string{"p1"}, ids)
	},
	"ALinkAnswersTheSameAgain": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "old")
		newcomer(t, l, "new")
		first := linked(t, l, "new", "old", 10)
		begin(t, l, ledger.Attempt{PersonID: "new", App: "wiki", Key: "k", Kind: "Update", At: at(11), Deadline: at(11).Add(time.Minute)})
		assert.Equal(t, first, linked(t, l, "new", "old", 11))
	},
}
