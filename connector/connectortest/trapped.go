package connectortest

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/vendortest"
)

// StandIn is a vendor's stand-in. S is a struct: each field is the switch of a trap, and the zero
// value has none on.
type StandIn[S any] interface{ SetSwitches(S) }

// Vendor describes the runs of the suite on the stand-in of a kind's vendor.
type Vendor[S any] struct {
	Kind string
	// Lags are the switches that make the stand-in answer as if the latest changes had not been
	// made; zero if its vendor is not known for that.
	Lags S
	// Listed is how many accounts the runs with switches list; zero: 120. Those without list more
	// than any app puts on one page.
	Listed int
	Runs   map[string]Trapped[S]
}

// Trapped is a run of the suite with some of a stand-in's switches on.
type Trapped[S any] struct {
	On S
	// Start starts the stand-in, and returns it with the suite's target for it.
	Start func(t *testing.T) (StandIn[S], Target)
	// Patient has the calls made as the engine makes them within the settling time, without the
	// faults that other runs try.
	Patient bool
	// Base are switches that are on all the time where Fails is set.
	Base S
	// Fails, if set, has the run try each operation while the switches are on, and not the whole
	// suite: those that it names have to fail so, and to succeed once the switches are off. The
	// others, and those of no kind, succeed.
	Fails map[string]connector.ErrorKind
}

// The names in Fails of calls that are particular cases of an operation.
const (
	CreateAgain    = "create of an account that is there" // of no kind: it returns that account; not named: connector.KindExists, or as Create
	FindByID       = "find by ID"                         // by other keys: connector.OpFind
	ResetDisabled  = "reset_credentials of a disabled account"
	DeleteFor      = "delete, and hand over"        // made in place of connector.OpDelete, if it is named
	UpdateDisabled = "update of a disabled account" // not made of accounts that are frozen, unless it is named
)

// RunTrapped makes the runs. It fails if Traps and the runs do not agree: if a trap of the vendor
// is tried nowhere, if a switch of the stand-in is no trap of Traps, or if nobody steps into a
// trap in a run that has it on.
func RunTrapped[S any](t *testing.T, v Vendor[S]) {
	t.Run("Traps", v.complete)
	for name, run := range v.Runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, target := run.Start(t)
			v.prepare(app, &target, run)
			if run.Fails == nil {
				app.SetSwitches(run.On)
				Run(t, target)
			} else {
				app.SetSwitches(run.Base)
				newSuite(target).trapped(t, func(on bool) { app.SetSwitches(map[bool]S{true: run.On, false: run.Base}[on]) }, run.Fails)
			}
			stepped(t, app, run.On)
		})
	}
}

// stepped checks, where a door tells, that somebody has stepped into each trap.
func stepped[S any](t *testing.T, app StandIn[S], switches S) {
	behind, tells := app.(interface{ Door() *vendortest.Door })
	if !tells {
		return
	}
	sprung := behind.Door().Sprung()
	for field := range on(switches) {
		assert.NotZero(t, sprung[field], "nobody stepped into the trap %s", field)
	}
	for field := range sprung {
		assert.Contains(t, fields[S](), field)
	}
}

// prepare gives the target of a run what the stand-in's switches offer.
func (v Vendor[S]) prepare(app StandIn[S], target *Target, run Trapped[S]) {
	if len(on(run.On)) > 0 {
		target.many = cmp.Or(v.Listed, 120)
	}
	if run.Patient {
		open := target.Open
		target.Open = func(t *testing.T) connector.Connector { return patient{open(t)} }
		target.Faults = Faults{}
		target.Seed = nil // what an administrator adds has no age
		return
	}
	if !reflect.ValueOf(v.Lags).IsZero() {
		heal := target.Faults.Heal
		target.Faults.Lag = func(*testing.T) { app.SetSwitches(v.Lags) }
		target.Faults.Heal = func(t *testing.T) {
			heal(t)
			app.SetSwitches(run.On)
		}
	}
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

// complete compares Traps with the runs, the stand-in's switches and the tests of this package.
func (v Vendor[S]) complete(t *testing.T) {
	require.NotEmpty(t, Traps[v.Kind])
	var tests, sections []string
	tried := slices.Collect(maps.Keys(on(v.Lags)))
	many := false
	for _, run := range v.Runs {
		tried = slices.AppendSeq(tried, maps.Keys(on(run.On)))
		if run.Fails != nil || run.Patient {
			continue
		}
		many = many || len(on(run.On)) == 0
		app, target := run.Start(t)
		v.prepare(app, &target, run)
		for _, section := range newSuite(target).sections() {
			if section.needed {
				sections = append(sections, section.name)
			}
		}
	}
	assert.True(t, many, "a run without switches lists more accounts than a page holds")
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range testName.FindAllStringSubmatch(string(text), -1) {
			tests = append(tests, found[1])
		}
	}
	var listed []string
	for _, trap := range Traps[v.Kind] {
		assert.NotEmpty(t, trap.Switch+trap.Section+trap.Test, "%s: it is tried nowhere", trap.What)
		if trap.Switch != "" {
			listed = append(listed, trap.Switch)
			assert.Contains(t, tried, trap.Switch, "%s: no run has the switch on", trap.What)
		}
		if trap.Section != "" {
			assert.Contains(t, sections, trap.Section, "%s: no run has this section of the suite", trap.What)
		}
		if trap.Test != "" {
			assert.Contains(t, tests, trap.Test, "%s: there is no such test", trap.What)
		}
	}
	assert.ElementsMatch(t, slices.Compact(slices.Sorted(slices.Values(listed))), slices.Sorted(maps.Keys(fields[S]())), "every switch is in Traps")
}

// fields returns the names of the switches.
func fields[S any]() map[string]bool {
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[S]()) {
		names[field.Name] = true
	}
	return names
}

// on returns the names of the switches that are on.
func on[S any](switches S) map[string]bool {
	names := fields[S]()
	for name := range names {
		if reflect.ValueOf(switches).FieldByName(name).IsZero() {
			delete(names, name)
		}
	}
	return names
}

// trapped makes every call while a trap is set. Those that the app refuses by it tell the caller
// so, do nothing that cannot be repeated, and are made once the trap is gone.
func (s *suite) trapped(t *testing.T, set func(on bool), fails map[string]connector.ErrorKind) {
	c := s.open(t)
	spec, absent := s.spec(), s.spec()
	made, other := s.make(t, c, spec), s.make(t, c, s.spec())
	set(true)
	c = s.open(t) // which knows nothing yet
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: absent.PersonID, Username: absent.Username})
	if fails[connector.OpFind] == "" {
		require.NoError(t, err)
	}
	assert.Empty(t, matches, "nobody was asked for who is there")
	s.createAgain(t, c, made, spec, fails)
	for _, call := range s.named(c, made.ID, other.ID, spec, fails) {
		kind := fails[call.name]
		if call.op == connector.OpPage {
			kind = fails[connector.OpList]
		}
		if kind == "" {
			require.NoError(t, call.do(t.Context()), call.name)
			continue
		}
		s.fails(t, call.do(t.Context()), call.op, kind)
		set(false)
		require.NoError(t, call.do(t.Context()), "%s, once the trap is gone", call.name)
		set(true)
	}
	set(false)
}

// createAgain makes an account that is there. No twin comes of it.
func (s *suite) createAgain(t *testing.T, c connector.Connector, made connector.Account, spec connector.Spec, fails map[string]connector.ErrorKind) {
	again, err := c.Create(t.Context(), spec)
	if kind, tells := fails[CreateAgain]; tells && kind == "" {
		require.NoError(t, err)
		assert.Equal(t, made.ID, again.ID)
		return
	}
	want := cmp.Or(fails[CreateAgain], connector.KindExists)
	if connector.Is(err, fails[connector.OpCreate]) {
		want = fails[connector.OpCreate]
	}
	s.fails(t, err, connector.OpCreate, want)
}

// namedCall is a call by the name that it has in Trapped.Fails.
type namedCall struct {
	name string
	call
}

// named returns all calls, and those of a disabled account too.
func (s *suite) named(c connector.Connector, accountID, other string, spec connector.Spec, fails map[string]connector.ErrorKind) (all []namedCall) {
	reset := call{connector.OpResetCredentials, func(ctx context.Context) error { return c.ResetCredentials(ctx, accountID) }}
	update := call{connector.OpUpdate, func(ctx context.Context) error { return c.Update(ctx, accountID, spec.Attributes) }}
	finds := []string{connector.OpFind, FindByID}
	for _, one := range s.calls(c, accountID, other, spec) {
		name := one.op
		if _, tells := fails[DeleteFor]; tells && name == connector.OpDelete {
			do := one.do
			name = DeleteFor
			one.do = func(ctx context.Context) error { return do(connector.WithRecipient(ctx, other)) }
		}
		if name == connector.OpFind {
			name, finds = finds[0], finds[1:]
		}
		if name == connector.OpDisable && s.can().ResetCredentials {
			all = append(all, namedCall{connector.OpResetCredentials, reset})
		}
		all = append(all, namedCall{name, one})
		if name != connector.OpDisable || !s.can().Reversible {
			continue
		}
		if s.can().ResetCredentials {
			all = append(all, namedCall{ResetDisabled, reset})
		}
		if _, tells := fails[UpdateDisabled]; s.can().Update && (tells || !s.can().Frozen) {
			all = append(all, namedCall{UpdateDisabled, update})
		}
	}
	return all
}
