package policy_test

import (
	"encoding/json"
	"maps"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/policy"
)

// The ledger keeps digests: these must never change.
func TestDigestIsStable(t *testing.T) {
	assert.Equal(t, "44136fa355b3678a1146ad16f7e8649e", policy.Digest(nil))
	assert.Equal(t, policy.Digest(nil), policy.Digest(map[string]any{}))
	assert.Equal(t, "d7258490f1240be0545a399ca7f74e12", policy.Digest(map[string]any{
		"title": "R&D <lead>", "admin": true, "floor": int64(3), "groups": []string{"b", "a"},
	}))
}

func TestDigestTellsContentsApart(t *testing.T) {
	contents := []map[string]any{
		{}, {"a": "1"}, {"a": int64(1)}, {"a": true}, {"a": "true"}, {"b": "1"}, {"a": "1", "b": "1"},
		{"a": []string{"x", "y"}}, {"a": []string{"y", "x"}}, {"a": "x,y"},
	}
	seen := map[string]any{}
	for _, content := range contents {
		digest := policy.Digest(content)
		assert.NotContains(t, seen, digest, "%v and %v", content, seen[digest])
		seen[digest] = content
	}
}

// Attributes have the same digest after they were encoded and decoded as JSON.
func TestDigestSurvivesJSON(t *testing.T) {
	value := rapid.OneOf(rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.SliceOf(rapid.String()).AsAny(),
		rapid.Int64Range(-1<<53, 1<<53).AsAny())
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.MapOf(rapid.String(), value).Draw(t, "attributes")
		text, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		var shown map[string]any
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		if policy.Digest(sent) != policy.Digest(shown) || policy.Digest(sent) != policy.Digest(maps.Clone(sent)) {
			t.Fatalf("digests differ for %s", text)
		}
	})
}

func TestDigestOfNonsensePanics(t *testing.T) {
	assert.Panics(t, func() { policy.Digest(map[string]any{"a": math.NaN()}) })
}
