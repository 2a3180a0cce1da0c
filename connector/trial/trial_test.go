package trial_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/connector/trial"
)

// try returns a trial of an app that only this test uses.
func try(t *testing.T) (app *memory.App, tried *trial.Trial, steps *[]trial.Step) {
	t.Helper()
	app = memory.Shared(t.Name())
	c, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, nil)
	require.NoError(t, err)
	steps = &[]trial.Step{}
	return app, &trial.Trial{Connector: c, Say: func(s trial.Step) { *steps = append(*steps, s) }}, steps
}

func whats(steps []trial.Step) []string {
	var all []string
	for _, s := range steps {
		all = append(all, s.What)
	}
	return all
}

func TestLookChangesNothing(t *testing.T) {
	app, tried, steps := try(t)
	require.NoError(t, tried.Look(t.Context()))
	assert.Equal(t, []string{"sign in", "look for an account", "list accounts"}, whats(*steps))
	for _, op := range []string{connector.OpCreate, connector.OpUpdate, connector.OpGrant, connector.OpDisable, connector.OpDelete} {
		assert.Zero(t, app.Calls(op), op)
	}
}

func TestLookEndsWhereNobodyCanSignIn(t *testing.T) {
	app, tried, steps := try(t)
	app.SetFaults(memory.Faults{Kind: connector.KindUnauthorized})
	require.ErrorIs(t, tried.Look(t.Context()), trial.ErrFailed)
	assert.Equal(t, []string{"sign in"}, whats(*steps))
}

var life = trial.Life{
	Account: connector.Spec{
		PersonID: "test-1a2b", Username: "tenure-test-1a2b", Active: true,
		Attributes: map[string]any{"title": "Tester", "office": "Ghent", "language": "nl"},
	},
	Changed:      map[string]any{"title": "Head of testing", "office": "Namur", "language": "nl", "nickname": ""},
	Cleared:      map[string]any{"title": "", "office": "Namur", "language": "nl", "nickname": ""},
	Entitlements: []string{"staff"},
}

func TestAWholeLife(t *testing.T) {
	app, tried, steps := try(t)
	var changed connector.Account
	app.AfterCall(func(_ context.Context, op, id string) error {
		if op == connector.OpUpdate && changed.ID == "" {
			changed, _ = app.Account(id)
		}
		return nil
	})
	require.NoError(t, tried.Live(t.Context(), life))
	assert.Equal(t, []string{
		"create the account", "keep its attributes", "change attributes", "clear attributes", "grant", "disable the account", "end its sessions",
		"enable it again", "revoke", "delete the account",
	}, whats(*steps))
	assert.Equal(t, "office, title", (*steps)[2].Note)
	assert.Equal(t, "title", (*steps)[3].Note)
	assert.Equal(t, "Head of testing", changed.Attributes["title"])
	assert.Empty(t, app.Accounts())
}

// A step names the attributes that the app does not keep, except those in Ignore.
func TestAnAppThatDoesNotKeepAttributes(t *testing.T) {
	app, tried, steps := try(t)
	tried.Patience = time.Millisecond
	app.SetFaults(memory.Faults{Drop: []string{"title", "office", connector.ExternalID}})
	require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
	assert.Equal(t, "keep its attributes", (*steps)[1].What)
	require.ErrorContains(t, (*steps)[1].Err, "ignore: [office, title, externalId]")
	assert.NotContains(t, (*steps)[1].Err.Error(), "Ghent")
	assert.Contains(t, whats(*steps), "revoke", "the rest is tried all the same")
	assert.Empty(t, app.Accounts())

	tried = &trial.Trial{Connector: tried.Connector, Say: tried.Say, Ignore: []string{"office", "title", connector.ExternalID}}
	require.NoError(t, tried.Live(t.Context(), life))
}

// An app may show attributes later than it accepts them.
func TestAnAppThatNeedsAMoment(t *testing.T) {
	app, tried, _ := try(t)
	app.SetFaults(memory.Faults{Drop: []string{"title"}})
	app.AfterCall(func(ctx context.Context, op, id string) error {
		if op != connector.OpRead || app.Calls(op) != 2 {
			return nil
		}
		app.SetFaults(memory.Faults{})
		return tried.Connector.Update(ctx, id, life.Account.Attributes)
	})
	require.NoError(t, tried.Live(t.Context(), life))
}

// A trial notices an app that fails at some step, or reports a change that it did not
// make. No test account outlives the trial.
func TestWhateverFailsNoTestAccountIsLeft(t *testing.T) {
	for _, op := range []string{
		connector.OpUpdate, connector.OpGrant, connector.OpDisable, connector.OpRevokeSessions, connector.OpEnable, connector.OpRevoke, connector.OpDelete,
	} {
		t.Run(op, func(t *testing.T) {
			app, tried, steps := try(t)
			failed := false
			app.OnCall(func(_ context.Context, called, _ string) error {
				if called != op || failed {
					return nil
				}
				failed = true // fails only once, since cleaning up may make the same call
				return errors.New("no")
			})
			require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
			last := (*steps)[len(*steps)-1]
			assert.Equal(t, "clean up", last.What)
			require.NoError(t, last.Err)
			assert.Empty(t, app.Accounts())
		})
	}
}

// An account that cannot be disabled is deleted, and the reverse.
func TestOneOfDisablingAndDeletingIsEnough(t *testing.T) {
	for op, left := range map[string]int{connector.OpDisable: 0, connector.OpDelete: 1} {
		t.Run(op, func(t *testing.T) {
			app, tried, steps := try(t)
			app.OnCall(func(_ context.Context, called, _ string) error {
				if called == op {
					return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "no"}
				}
				return nil
			})
			require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
			require.Len(t, app.Accounts(), left)
			for _, account := range app.Accounts() {
				assert.False(t, account.Active)
				assert.Empty(t, account.Entitlements)
				last := (*steps)[len(*steps)-1]
				require.ErrorContains(t, last.Err, account.ID+` (username "tenure-test-1a2b", external ID "test-1a2b") is disabled, and is still there`)
			}
		})
	}
}

func TestAnInterruptedTrialCleansUp(t *testing.T) {
	for _, op := range []string{connector.OpCreate, connector.OpUpdate, connector.OpGrant, connector.OpRead, connector.OpDelete} {
		t.Run(op, func(t *testing.T) {
			app, tried, _ := try(t)
			ctx, cancel := context.WithCancel(t.Context())
			pressed := false
			app.AfterCall(func(_ context.Context, called, _ string) error {
				if called != op || pressed {
					return nil
				}
				pressed = true
				cancel()
				return context.Canceled // the caller does not wait for the answer
			})
			require.ErrorIs(t, tried.Live(ctx, life), trial.ErrFailed)
			assert.Empty(t, app.Accounts())
		})
	}
}

func TestATrialThatIsOverBeforeItBeginsMakesNothing(t *testing.T) {
	app, tried, _ := try(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, tried.Live(ctx, life), context.Canceled)
	assert.Zero(t, app.Calls(connector.OpCreate))
}

// If the app does not tell the result of Create, the account may exist, at once or later.
// The trial looks for it by every key and in the list.
func TestAnAccountThatTheAppDidNotShowIsCleanedUp(t *testing.T) {
	for name, c := range map[string]struct {
		kind  connector.ErrorKind
		later time.Duration // after which the account shows
		blind func(op string, keys connector.Keys) bool
		long  bool // the app makes usernames longer, and keeps no external ID
	}{
		"an answer of no use":              {kind: connector.KindContradictory},
		"no answer":                        {kind: connector.KindUnavailable},
		"no answer, and shown later":       {kind: connector.KindUnavailable, later: 12 * time.Second},
		"said to exist":                    {kind: connector.KindExists},
		"refused, and made all the same":   {kind: connector.KindInvalid},
		"forbidden, and made all the same": {kind: connector.KindForbidden},
		"not found by its external ID":     {kind: connector.KindContradictory, blind: func(op string, k connector.Keys) bool { return op == connector.OpFind && k.PersonID != "" }},
		"not found by its username":        {kind: connector.KindContradictory, blind: func(op string, k connector.Keys) bool { return op == connector.OpFind && k.Username != "" }},
		"shown by the list only":           {kind: connector.KindContradictory, blind: func(op string, _ connector.Keys) bool { return op == connector.OpFind }},
		"under a longer name":              {kind: connector.KindContradictory, long: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, tried, steps := try(t)
				mute := &mute{Connector: tried.Connector, app: app, kind: c.kind, blind: c.blind, long: c.long, shownAt: time.Now().Add(c.later)}
				tried.Connector = mute
				require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
				assert.Empty(t, app.Accounts(), "%v", *steps)
				assert.NoError(t, (*steps)[len(*steps)-1].Err)
			})
		})
	}
}

// If the account is not found, the step names it, and how to find it.
func TestWhatMayBeLeftIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, tried, steps := try(t)
		var waited []string
		tried.Waiting = func(what string) { waited = append(waited, what) }
		tried.Connector = &mute{Connector: tried.Connector, app: app, kind: connector.KindUnavailable, shownAt: time.Now().Add(time.Hour)}
		require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
		last := (*steps)[len(*steps)-1].Err
		require.ErrorContains(t, last, `may have been made, ENABLED, and is not found: look in the app for username "tenure-test-1a2b", external ID "test-1a2b"`)
		require.Len(t, waited, 3, "every ten seconds")
		assert.Equal(t, "clean up: read again, the app shows no such account: waiting, up to 30s", waited[0])
	})
}

// The trial does not touch an account that matches a key and may be somebody else's.
func TestAnAccountOfSomebodyElseIsNotTouched(t *testing.T) {
	app, tried, _ := try(t)
	theirs := app.Put(connector.Account{Username: "tester", ExternalID: "test-1", Active: true})
	tried.Connector = &mute{Connector: tried.Connector, app: app, kind: connector.KindInvalid, finds: theirs}
	require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
	accounts := app.Accounts()
	require.Len(t, accounts, 1)
	assert.True(t, accounts[0].Active)
}

// mute creates accounts and answers with an error. It shows them from shownAt on.
type mute struct {
	connector.Connector
	app     *memory.App
	kind    connector.ErrorKind
	blind   func(op string, keys connector.Keys) bool
	long    bool
	shownAt time.Time
	finds   string // an account that every look-up finds
}

func (m *mute) Create(_ context.Context, spec connector.Spec) (connector.Account, error) {
	account := connector.Account{Username: spec.Username, ExternalID: spec.PersonID, Active: true}
	if m.long {
		account.Username, account.ExternalID = strings.ToUpper(spec.Username)+"@corp.example", ""
	}
	if m.finds == "" {
		m.app.Put(account)
	}
	return connector.Account{}, &connector.Error{Kind: m.kind, Op: connector.OpCreate, Message: "hm"}
}

func (m *mute) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	switch {
	case m.finds != "":
		account, err := m.Read(ctx, m.finds)
		return []connector.Match{{Account: account, By: connector.ByUsername}}, err
	case m.blind != nil && m.blind(connector.OpFind, keys):
		return nil, &connector.Error{Kind: connector.KindInvalid, Op: connector.OpFind, Message: "cannot"}
	case time.Now().Before(m.shownAt):
		return nil, nil
	}
	return m.Connector.Find(ctx, keys)
}

func (m *mute) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	if time.Now().Before(m.shownAt) {
		return func(func(connector.Account, error) bool) {}
	}
	return m.Connector.List(ctx)
}

func (m *mute) Disable(ctx context.Context, id string) error {
	return m.Connector.Disable(ctx, id)
}

func (m *mute) Enable(context.Context, string) error { return nil }

func (m *mute) Delete(ctx context.Context, id string) error { return m.Connector.Delete(ctx, id) }

func (*mute) Capabilities() connector.Capabilities {
	return connector.Capabilities{Create: true, Disable: true, Reversible: true, Delete: true, List: true}
}

// whole offers the operations that a trial tries, and no others.
type whole struct{ connector.Connector }

func (whole) Capabilities() connector.Capabilities {
	return connector.Capabilities{Create: true, Update: true, Disable: true, Reversible: true, Delete: true, Entitlements: true}
}

// lagging shows changes of an account after lag only. It can keep deleted accounts.
type lagging struct {
	whole
	changed time.Time
	was     connector.Account
	known   bool // the app shows the account
	lag     time.Duration
	keeps   bool // Delete only disables
}

func (l *lagging) Read(ctx context.Context, id string) (connector.Account, error) {
	if time.Since(l.changed) >= l.lag {
		return l.whole.Read(ctx, id)
	}
	if !l.known {
		return connector.Account{}, &connector.Error{Kind: connector.KindNotFound, Op: connector.OpRead, Message: "no such account"}
	}
	return l.was, nil
}

func (l *lagging) note(ctx context.Context, id string) {
	l.was, _ = l.whole.Read(ctx, id)
	l.known = true
	l.changed = time.Now()
}

func (l *lagging) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	account, err := l.whole.Create(ctx, spec)
	l.changed = time.Now()
	return account, err
}

func (l *lagging) Update(ctx context.Context, id string, attributes map[string]any) error {
	l.note(ctx, id)
	return l.whole.Update(ctx, id, attributes)
}

func (l *lagging) Grant(ctx context.Context, id string, names []string) error {
	l.note(ctx, id)
	return l.whole.Grant(ctx, id, names)
}

func (l *lagging) Revoke(ctx context.Context, id string, names []string) error {
	l.note(ctx, id)
	return l.whole.Revoke(ctx, id, names)
}

func (l *lagging) Disable(ctx context.Context, id string) error {
	l.note(ctx, id)
	return l.whole.Disable(ctx, id)
}

func (l *lagging) Enable(ctx context.Context, id string) error {
	l.note(ctx, id)
	return l.whole.Enable(ctx, id)
}

func (l *lagging) Delete(ctx context.Context, id string) error {
	l.note(ctx, id)
	if l.keeps {
		return l.whole.Disable(ctx, id)
	}
	return l.whole.Delete(ctx, id)
}

// The trial waits at every step for what an app shows late. It also succeeds if the app
// keeps the account, disabled, after Delete.
func TestWhatAnAppShowsLateIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		lag   time.Duration
		keeps bool
		fails string
	}{
		"at once":              {},
		"seconds later":        {lag: 7 * time.Second},
		"kept when deleted":    {keeps: true},
		"kept, and shown late": {lag: 7 * time.Second, keeps: true},
		"never":                {lag: time.Hour, fails: "create the account"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, tried, steps := try(t)
				waited := 0
				tried.Waiting = func(string) { waited++ }
				tried.Connector = &lagging{whole: whole{tried.Connector}, lag: c.lag, keeps: c.keeps}
				err := tried.Live(t.Context(), life)
				if c.fails != "" {
					require.ErrorIs(t, err, trial.ErrFailed)
					assert.Equal(t, c.fails, (*steps)[0].What)
					require.ErrorContains(t, (*steps)[0].Err, "no such account (waited ")
				} else {
					require.NoError(t, err, "%v", *steps)
					assert.Equal(t, c.lag > 0, waited > 0)
				}
				for _, account := range app.Accounts() {
					assert.True(t, c.keeps)
					assert.False(t, account.Active)
				}
			})
		})
	}
}

// refusing refuses attributes of some names, or accepts them and does nothing.
type refusing struct {
	whole
	names []string
	kind  connector.ErrorKind
}

func (r refusing) Update(ctx context.Context, id string, attributes map[string]any) error {
	kept := maps.Clone(attributes)
	for _, name := range r.names {
		if _, ok := kept[name]; ok && r.kind != "" {
			return &connector.Error{Kind: r.kind, Op: connector.OpUpdate, Message: "the app refused the values"}
		}
		delete(kept, name)
	}
	return r.whole.Update(ctx, id, kept)
}

// The error names the attribute that cannot be changed.
func TestTheAttributeThatFailsIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		kind connector.ErrorKind
		want string
	}{
		"refused":         {connector.KindInvalid, `attribute "office": update: invalid: the app refused the values`},
		"not offered":     {connector.KindUnsupported, `attribute "office": update: unsupported: the app refused the values`},
		"taken, not kept": {"", "read again, the account has as before: office (waited 30s)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, tried, steps := try(t)
				tried.Connector = refusing{whole{tried.Connector}, []string{"office"}, c.kind}
				require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
				require.Len(t, *steps, 4)
				assert.EqualError(t, (*steps)[2].Err, c.want)
				assert.Empty(t, app.Accounts())
			})
		})
	}
}

// liar reports success and does nothing.
type liar struct{ connector.Base }

func (liar) Capabilities() connector.Capabilities {
	return connector.Capabilities{Create: true, Disable: true, Reversible: true}
}

func (liar) Check(context.Context) (string, error) { return "", nil }
func (liar) Close() error                          { return nil }

func (liar) Create(context.Context, connector.Spec) (connector.Account, error) {
	return connector.Account{ID: "1", Active: true}, nil
}
func (liar) Read(context.Context, string) (connector.Account, error) {
	return connector.Account{ID: "1", Active: true}, nil
}
func (liar) Find(context.Context, connector.Keys) ([]connector.Match, error) { return nil, nil }
func (liar) Disable(context.Context, string) error                           { return nil }
func (liar) Enable(context.Context, string) error                            { return nil }

func TestAnAppThatLies(t *testing.T) {
	var steps []trial.Step
	tried := &trial.Trial{Connector: liar{}, Say: func(s trial.Step) { steps = append(steps, s) }, Patience: time.Nanosecond}
	require.ErrorIs(t, tried.Live(t.Context(), life), trial.ErrFailed)
	require.Len(t, steps, 4)
	assert.Equal(t, "disable the account", steps[2].What)
	assert.EqualError(t, steps[2].Err, "read again, the account is enabled (waited 0s)")
	assert.ErrorContains(t, steps[3].Err, `the test account 1 (username "tenure-test-1a2b", external ID "test-1a2b") MAY STILL BE ENABLED`)
}
