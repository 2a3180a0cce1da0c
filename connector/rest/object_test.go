package rest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/rest"
)

func TestObjectsReadWhatIsThereAndNothingElse(t *testing.T) {
	var o rest.Object
	decoder := json.NewDecoder(strings.NewReader(`{"id": 9007199254740993, "name": "Zoë", "on": true, "at": "2026-11-30T01:00:00+01:00",
		"never": "1970-01-01T00:00:00.000Z", "tags": ["b", 1, "a"], "parts": [{"x": "1"}, "y"], "in": {"deep": "yes"}, "half": 1.5}`))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&o))
	assert.Equal(t, "9007199254740993", o.Text("id"), "no digit is lost")
	assert.Equal(t, "Zoë", o.Text("name"))
	assert.Empty(t, o.Text("on"))
	assert.True(t, o.Is("on"))
	assert.False(t, o.Is("name"))
	assert.Equal(t, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), o.Time("at"))
	assert.True(t, o.Time("never").IsZero())
	assert.True(t, o.Time("name").IsZero())
	assert.Equal(t, []string{"b", "a"}, o.Texts("tags"))
	assert.Equal(t, []rest.Object{{"x": "1"}}, o.Objects("parts"))
	assert.Equal(t, "yes", o.In("in").Text("deep"))
	assert.Empty(t, o.In("name").Text("deep"))
	assert.Equal(t, -1, o.Int("half", -1))
	assert.Equal(t, 9007199254740993, o.Int("id", 0))
}

func TestAMemoRemembersWhatWasFoundAndNoFailure(t *testing.T) {
	var m rest.Memo[string, int]
	looked := 0
	look := func() (int, error) { looked++; return looked, nil }
	_, err := m.Get("a", func() (int, error) { return 0, errors.New("away") })
	require.Error(t, err)
	for range 2 {
		value, err := m.Get("a", look)
		require.NoError(t, err)
		assert.Equal(t, 1, value)
	}
	m.Forget("a")
	value, err := m.Get("a", look)
	require.NoError(t, err)
	assert.Equal(t, 2, value)
}
