package connector_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
)

func TestSameValue(t *testing.T) {
	for name, same := range map[string][2]any{
		"the same":              {"Engineer", "Engineer"},
		"case":                  {"Zoe.OBrien@Example.com", "zoe.obrien@example.com"},
		"case of other letters": {"ΣΊΣΥΦΟΣ", "σίσυφος"},
		"spaces":                {" Head  of Sales ", "Head of Sales"},
		"composed letters":      {"Zo\u00eb", "Zoe\u0308"},
		"true as text":          {true, "True"},
		"false as nothing":      {false, nil},
		"number as text":        {int64(42), "42"},
		"text as number":        {"42", int64(42)},
		"order":                 {[]string{"b", "a"}, []string{"A", "b"}},
		"list of one":           {"a", []string{"a"}},
		"text for a list":       {[]string{"a"}, "a"},
		"nothing":               {"", nil},
		"empty list":            {[]string{}, nil},
		"date as time":          {"2026-11-30", "2026-11-30T00:00:00Z"},
		"time elsewhere":        {"2026-11-30T12:00:00+01:00", "2026-11-30T11:00:00.000Z"},
		"phone":                 {"+49 (30) 1234-56", "tel:+4930123456"},
	} {
		assert.True(t, connector.SameValue(same[0], same[1]), name)
		assert.True(t, connector.SameValue(same[1], same[0]), "%s, the other way round", name)
	}
	for name, other := range map[string][2]any{
		"missing":             {"Engineer", nil},
		"empty":               {"Engineer", ""},
		"another":             {"Engineer", "Engineers"},
		"cut off":             {"Head of Sales", "Head of"},
		"not cleared":         {"", "Engineer"},
		"true is not false":   {true, "false"},
		"true is not nothing": {true, nil},
		"one fewer":           {[]string{"a", "b"}, []string{"a"}},
		"one more":            {[]string{"a"}, []string{"a", "b"}},
		"zero is something":   {int64(0), nil},
		"another day":         {"2026-11-30", "2026-11-29T23:00:00Z"},
		"another phone":       {"+49 30 123456", "+49 30 123457"},
		"cost centers":        {"10-20", "1020"},
		"accents":             {"Zoë", "Zoe"},
	} {
		assert.False(t, connector.SameValue(other[0], other[1]), name)
		assert.False(t, connector.SameValue(other[1], other[0]), "%s, the other way round", name)
	}
}

// Dropped never names an attribute that is shown as it was set, and always names one that
// is missing.
func TestDroppedNamesWhatIsMissing(t *testing.T) {
	value := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9é"\\.-]{1,20}`).AsAny(), rapid.Just(any(true)), rapid.Int64().AsAny(),
		rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,8}`), 1, 4).AsAny())
	rapid.Check(t, func(rt *rapid.T) {
		set := rapid.MapOf(rapid.StringMatching(`[a-z]{1,8}`), value).Draw(rt, "set")
		shown, missing := map[string]any{}, []string{}
		for name, v := range set {
			if rapid.Bool().Draw(rt, name) || v == "false" {
				shown[name] = v
			} else {
				missing = append(missing, name)
			}
		}
		got, err := connector.Dropped(t.Context(), plain{}, connector.Account{Attributes: shown}, set)
		require.NoError(rt, err)
		assert.ElementsMatch(rt, missing, got)
		assert.IsNonDecreasing(rt, append([]string{""}, got...))
	})
}

func TestWhatStandsInForNothing(t *testing.T) {
	account := connector.Account{Username: "zoe", Attributes: map[string]any{"displayName": "Zoe", "Title": "Engineer"}}
	got, err := connector.Dropped(t.Context(), plain{}, account, map[string]any{"displayName": "", "title": ""})
	require.NoError(t, err)
	assert.Equal(t, []string{"title"}, got, "the username is shown where there has to be something")
}

// plain is a connector that compares attributes as Base does.
type plain struct{ connector.Connector }

func (plain) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	return connector.Base{}.Keeps(ctx, account, name, set)
}

// proving is a connector that knows how its app shows attributes.
type proving struct{ connector.Connector }

func (proving) Keeps(_ context.Context, _ connector.Account, name string, _ any) (bool, error) {
	return name == "kept", nil
}

func TestAConnectorSaysWhatItsAppKeeps(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	c := proving{open(t, "memory", connector.Settings{"name": t.Name()})}
	for name, c := range map[string]connector.Connector{"plain": c, "guarded": protecting(c, "7")} {
		got, err := connector.Dropped(t.Context(), c, connector.Account{}, map[string]any{"kept": "a", "lost": "b"})
		require.NoError(t, err)
		assert.Equal(t, []string{"lost"}, got, name)
	}
}
