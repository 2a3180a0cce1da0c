package ledgertest

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// aboutToBegin makes somebody known who is to get accounts in the wiki and the chat, and returns an attempt
// that goes by what was read of them.
func aboutToBegin(t *testing.T, l ledger.Ledger, id string) ledger.Attempt {
	t.Helper()
	record(t, l, received(id, "hired "+id, 0))
	_, err := l.ClaimUsername(t.Context(), id, id, 0)
	require.NoError(t, err)
	assess(t, l, id, 1, func(a *ledger.Assessment) {
		a.Planned = []ledger.Link{{App: "wiki", Username: id}, {App: "chat", Username: id}}
		a.Steps = []ledger.Step{step("wiki", "w"), step("chat", "c")}
	})
	a := attempt(id, "wiki", "w", 5)
	a.May = &ledger.Unsure{State: true, Entitlements: []string{"staff"}}
	a.Ahead = &ledger.Ahead{
		Revision: read(t, l, id).Revision, Username: id,
		Creating: ledger.Creation{At: a.At, Username: id, State: ledger.CreationSent},
	}
	return a
}

func linkIn(t *testing.T, l ledger.Ledger, id, app string) ledger.Link {
	t.Helper()
	links, err := l.Links(t.Context(), ledger.LinkFilter{PersonID: id, App: app})
	require.NoError(t, err)
	require.Len(t, links, 1)
	return links[0]
}

// changed lists what may happen between the reading and the attempt, so that the attempt cannot go
// by what was decided then, but by what the app was seen to have.
var changed = map[string]func(*testing.T, ledger.Ledger, *ledger.Attempt){
	"an event was recorded": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		record(t, l, received(a.PersonID, "terminated "+a.PersonID, 2))
	},
	"they were assessed": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		assess(t, l, a.PersonID, 2, plan(step("wiki", "w")))
	},
	"an operator skipped the step": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		skip := action(ledger.VerbSkip, "w", 2)
		skip.PersonID = a.PersonID
		require.NoError(t, l.Act(t.Context(), skip))
	},
	"they have another username": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		_, err := l.RenamePerson(t.Context(), ledger.Rename{PersonID: a.PersonID, Base: "new." + a.PersonID, Operator: "ops", Reason: "x", At: at(2)})
		require.NoError(t, err)
		a.Ahead.Revision = read(t, l, a.PersonID).Revision
	},
}

// tried lists what may happen meanwhile so that the attempt cannot go by what the app was seen to
// have either.
var tried = map[string]func(*testing.T, ledger.Ledger, *ledger.Attempt){
	"an attempt at the same step has begun": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		begin(t, l, attempt(a.PersonID, "wiki", "w", 4))
	},
	"an attempt at another step has begun": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		begin(t, l, attempt(a.PersonID, "wiki", "off", 4))
	},
	"an attempt was made and is over": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		begin(t, l, attempt(a.PersonID, "wiki", "off", 4))
		finish(t, l, outcome(a.PersonID, "wiki", "off", 4, ledger.StepSuperseded))
	},
	"an attempt is in doubt at a step that is planned anew": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		begin(t, l, attempt(a.PersonID, "wiki", "w", 2))
		o := outcome(a.PersonID, "wiki", "w", 2, ledger.StepSuperseded)
		o.InDoubt, o.Changes = true, &ledger.Changes{}
		finish(t, l, o)
		assess(t, l, a.PersonID, 3, plan(step("wiki", "w")))
		a.Ahead.Revision = read(t, l, a.PersonID).Revision
	},
	"the account is known": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		require.NoError(t, linkTo(t, l, a.PersonID, "wiki", "of "+a.PersonID, ledger.LinkActive))
	},
	"it is known that there is none": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		require.NoError(t, linkTo(t, l, a.PersonID, "wiki", "", ledger.LinkDeleted))
	},
	"a creation is in doubt": func(t *testing.T, l ledger.Ledger, a *ledger.Attempt) {
		require.NoError(t, l.NoteCreation(t.Context(), a.PersonID, "wiki", ledger.Creation{At: at(2), Username: "zoe", State: ledger.CreationTaken}))
	},
	"nothing had been planned": func(_ *testing.T, _ ledger.Ledger, a *ledger.Attempt) {
		a.App, a.Key = "crm", "m"
	},
}

var aheadTests = tests{
	"an attempt goes by what was read before, and notes the creation": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		begun := begin(t, l, a)
		assert.True(t, begun.AsRead)
		assert.True(t, begun.Untried)
		assert.True(t, begun.Link.Untouched(), "as it was before")
		assert.False(t, begun.Unproven)
		assert.Zero(t, begun.DoubtUntil)
		assert.Equal(t, a.Ahead.Creating, linkIn(t, l, "p1", "wiki").Creating)
		assert.Equal(t, a.Deadline, linkIn(t, l, "p1", "wiki").GaveAt)
		assert.Equal(t, begun, begin(t, l, a), "a repeated call is answered alike")

		off := begin(t, l, attempt("p1", "wiki", "off", 6))
		assert.Equal(t, a.Deadline, off.DoubtUntil, "whoever cuts them off knows of the call")
		assert.Equal(t, a.Ahead.Creating, off.Link.Creating)
	},
	"nothing is noted if no creation follows": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		a.Ahead.Creating = ledger.Creation{}
		begun := begin(t, l, a)
		assert.True(t, begun.AsRead)
		assert.Zero(t, linkIn(t, l, "p1", "wiki").Creating)
		assert.Equal(t, begun, begin(t, l, a))
	},
	"what steps of other apps do makes no difference": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		other := begin(t, l, attempt("p1", "chat", "c", 4))
		require.NoError(t, linkTo(t, l, "p1", "chat", "77", ledger.LinkActive))
		o := outcome("p1", "chat", "c", 4, ledger.StepDone)
		o.Attempt = other.Attempt
		finish(t, l, o)
		assert.True(t, begin(t, l, a).AsRead)
	},
	"what was read does not count once anything has changed": func(t *testing.T, l ledger.Ledger) {
		for untried, changes := range map[bool]map[string]func(*testing.T, ledger.Ledger, *ledger.Attempt){true: changed, false: tried} {
			for name, change := range changes {
				t.Run(name, func(t *testing.T) {
					a := aboutToBegin(t, l, name)
					change(t, l, &a)
					before := read(t, l, name).Links
					begun := begin(t, l, a)
					assert.False(t, begun.AsRead)
					assert.Equal(t, untried, begun.Untried)
					for _, link := range before {
						assert.Equal(t, link.Creating, linkIn(t, l, name, link.App).Creating, "nothing is noted")
					}
					again := begin(t, l, a)
					assert.False(t, again.AsRead, "nor by a repetition")
					assert.Equal(t, untried, again.Untried, "which is answered alike")
				})
			}
		}
	},
	"no attempt begins, where that is asked for, if only the person has changed": func(t *testing.T, l ledger.Ledger) {
		for begins, changes := range map[bool]map[string]func(*testing.T, ledger.Ledger, *ledger.Attempt){false: changed, true: tried} {
			for name, change := range changes {
				t.Run(name, func(t *testing.T) {
					a := aboutToBegin(t, l, name)
					a.Ahead.OrNone = true
					change(t, l, &a)
					before := read(t, l, name)
					begun := begin(t, l, a)
					assert.Equal(t, begins, begun.Attempt != 0)
					assert.False(t, begun.AsRead)
					assert.Equal(t, begins, !begun.Untried)
					if begins {
						return
					}
					assert.Equal(t, before, read(t, l, name), "nothing is written")
					a.At, a.Ahead.Revision, a.Ahead.Username = at(6), before.Revision, before.Username
					a.Ahead.Creating.Username = before.Username
					assert.True(t, begin(t, l, a).AsRead, "it is as if nothing had been tried")
				})
			}
		}
		a := aboutToBegin(t, l, "p1")
		a.Ahead.OrNone = true
		begun := begin(t, l, a)
		assert.True(t, begun.AsRead, "nothing has changed")
		record(t, l, received("p1", "terminated p1", 6))
		assert.Equal(t, begun.Attempt, begin(t, l, a).Attempt, "a repetition has begun, whatever comes later")
	},
	"a repetition does not go by what others have changed since": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		require.True(t, begin(t, l, a).AsRead)
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		again := begin(t, l, a)
		assert.False(t, again.AsRead)
		assert.False(t, again.Untried)
		assert.Equal(t, "77", again.Link.AccountID)
	},
	"a repetition does not go by it once another attempt has begun": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		require.True(t, begin(t, l, a).AsRead)
		other := attempt("p1", "wiki", "w", 6)
		other.May = a.May
		b := begin(t, l, other)
		require.False(t, b.AsRead)
		assert.False(t, begin(t, l, a).AsRead, "the other may have made the account by now")
		o := outcome("p1", "wiki", "w", 7, ledger.StepOpen)
		o.Attempt, o.InDoubt = b.Attempt, true
		o.Changes = &ledger.Changes{ChangedAt: other.Deadline, GaveAt: other.Deadline}
		finish(t, l, o)
		assert.False(t, begin(t, l, a).AsRead, "and although its answer was lost")
	},
	"of several at once, one goes by it": func(t *testing.T, l ledger.Ledger) {
		a := aboutToBegin(t, l, "p1")
		var first atomic.Int64
		race(4, func(i int) {
			mine := a
			mine.At, mine.Ahead = at(5+i), &ledger.Ahead{Revision: a.Ahead.Revision, Username: "p1", Creating: a.Ahead.Creating}
			begun, err := l.BeginStep(t.Context(), mine)
			assert.NoError(t, err)
			assert.Equal(t, begun.AsRead, begun.Untried)
			if begun.AsRead {
				first.Add(1)
			} else {
				assert.True(t, begun.Unproven)
				assert.Equal(t, a.Ahead.Creating, begun.Link.Creating)
			}
		})
		assert.EqualValues(t, 1, first.Load())
	},
}
