package main

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheViewsOfTheTemporalUI(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_NAMESPACE", "people & access")
	got := s.run("ui", "--address", "https://temporal.example.com/ui/", "-o", "json")
	require.Equal(t, 0, got.code, got.err)
	var views []uiView
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &views))
	require.Len(t, views, len(uiViews))
	for i, v := range views {
		link, err := url.Parse(v.Link)
		require.NoError(t, err)
		assert.Equal(t, "/ui/namespaces/people & access/workflows", link.Path)
		assert.Equal(t, uiViews[i].Query, link.Query().Get("query"))
		assert.Equal(t, uiViews[i].Name, link.Query().Get("savedQuery"))
	}

	refused := s.run("ui", "--address", "temporal.example.com")
	assert.Equal(t, 2, refused.code)
	assert.Contains(t, refused.err, "--address wants the Temporal UI's URL")
}
