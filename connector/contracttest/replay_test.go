package contracttest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

func TestReplay(t *testing.T) {
	cassette, err := contracttest.ReadCassette("testdata/cassette.yaml")
	require.NoError(t, err)
	require.Len(t, cassette.Exchanges, 3)
	assert.Equal(t, `{"name": "brown"}`, string(cassette.Exchanges[1].Body))
	l := &listening{TB: t}
	replay := cassette.Replay(l, contracttest.ReplayOptions{Ignore: []string{"limit"}})
	server := httptest.NewServer(replay)
	defer server.Close()
	ask := func(method, path string) (status int, body string, header http.Header) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		require.NoError(t, err)
		answer, err := server.Client().Do(request)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		data, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(data), answer.Header
	}

	status, body, header := ask("GET", "/api/v1/pots?shape=round&limit=200")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `[{"id":"1","next":"`+server.URL+`/api/v1/pots/1"}]`, body, "links lead back")
	assert.Equal(t, []string{
		"<" + server.URL + `/api/v1/pots?limit=1>; rel="self"`, "<" + server.URL + `/api/v1/pots?after=1&limit=1>; rel="next"`,
	}, header["Link"])
	assert.Empty(t, header["Content-Encoding"])
	status, _, _ = ask("POST", "/api/v1/pots")
	assert.Equal(t, http.StatusNoContent, status)
	status, _, _ = ask("GET", "/api/v1/pots?shape=round")
	assert.Equal(t, http.StatusNotFound, status, "the second answer to the same request")
	assert.Equal(t, 3, replay.Played())
	assert.Empty(t, l.errors)

	status, _, _ = ask("GET", "/api/v1/pots?shape=round")
	assert.Equal(t, http.StatusNotImplemented, status)
	assert.Equal(t, []string{"nothing like this was recorded, or its answers are given: GET /api/v1/pots?shape=round"}, l.errors)
}

func TestReplayAsksOthersForWhatWasNotRecorded(t *testing.T) {
	replay := (&contracttest.Cassette{}).Replay(t, contracttest.ReplayOptions{Otherwise: shop(http.StatusAccepted, "{}")})
	answer := httptest.NewRecorder()
	replay.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/any", nil))
	assert.Equal(t, http.StatusAccepted, answer.Code)
	assert.Zero(t, replay.Played())
}
