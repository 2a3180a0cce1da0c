package vendortest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// open starts a stand-in that counts what it has done, behind a door.
func open(t *testing.T) (door *vendortest.Door, made *int, ask func(method, path string) (int, http.Header)) {
	t.Helper()
	made = new(int)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/users/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/users", func(w http.ResponseWriter, r *http.Request) {
		*made++
		if r.URL.Query().Has("trap") {
			vendortest.Made(w)
			w.WriteHeader(http.StatusNotFound)
		}
	})
	mux.HandleFunc("POST /v1/users/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	mux.HandleFunc("POST /token", func(http.ResponseWriter, *http.Request) {})
	door = vendortest.New(mux, vendortest.Options{
		Class: vendortest.Pattern(mux, "/v1"),
		Refuse: func(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
			why.RetryAfter(w.Header())
			w.WriteHeader(map[vendortest.Trouble]int{
				vendortest.Down: 503, vendortest.Limited: 429, vendortest.Proxy: 404, vendortest.Failed: 500,
			}[why.Trouble])
		},
	})
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	return door, made, func(method, path string) (int, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		require.NoError(t, err)
		resp, err := server.Client().Do(req)
		if err != nil {
			return 0, nil
		}
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, resp.Header
	}
}

func TestRequestsAreCountedByKind(t *testing.T) {
	door, _, ask := open(t)
	ask("GET", "/v1/users/1")
	ask("GET", "/v1/users/2")
	ask("POST", "/token")
	assert.Equal(t, map[string]int{"GET /users/{id}": 2}, door.Counts())
	assert.Len(t, door.Calls(), 2)
	assert.Empty(t, door.Calls())
	assert.Equal(t, map[string]int{"GET /users/{id}": 2}, door.Counts())
}

// What exceeds a quota is refused, and told when it is allowed again.
func TestQuotas(t *testing.T) {
	door, made, ask := open(t)
	door.SetQuotas(vendortest.Quota{Most: 5, Per: time.Minute, Cost: func(class string) int {
		return map[string]int{"POST /users": 2}[class]
	}})
	for range 9 {
		status, _ := ask("GET", "/v1/users/1")
		require.Equal(t, 200, status, "it costs nothing")
	}
	for range 2 {
		status, _ := ask("POST", "/v1/users")
		require.Equal(t, 200, status)
	}
	status, header := ask("POST", "/v1/users")
	assert.Equal(t, 429, status)
	assert.Equal(t, "60", header.Get("Retry-After"))
	assert.Equal(t, 2, *made)
	assert.Equal(t, 1, door.Pressed())
	calls := door.Calls()
	assert.True(t, calls[len(calls)-1].ByQuota)
	door.SetQuotas(vendortest.Quota{Most: 1, Per: time.Millisecond})
	require.Eventually(t, func() bool {
		status, _ := ask("POST", "/v1/users")
		return status == 200
	}, time.Second, time.Millisecond)
}

func TestAQuotaThatIsUsedUpRests(t *testing.T) {
	door, _, ask := open(t)
	door.SetQuotas(vendortest.Quota{Most: 2, Per: time.Hour, Rest: time.Second})
	for range 2 {
		status, _ := ask("POST", "/v1/users")
		require.Equal(t, 200, status)
	}
	status, header := ask("POST", "/v1/users")
	assert.Equal(t, 429, status)
	assert.Equal(t, "1", header.Get("Retry-After"))
	require.Eventually(t, func() bool {
		status, _ := ask("POST", "/v1/users")
		return status == 200
	}, time.Minute, 10*time.Millisecond)
}

func TestTightQuotasKeepTheirProportions(t *testing.T) {
	tight := vendortest.Tight(2, 10*time.Second, vendortest.Quota{Most: 600, Per: time.Minute}, vendortest.Quota{Most: 100, Per: 5 * time.Second})
	assert.Equal(t, []vendortest.Quota{{Most: 20, Per: 10 * time.Second}, {Most: 20, Per: 5 * time.Second}}, tight)
}

func TestFaults(t *testing.T) {
	door, made, ask := open(t)
	for name, test := range map[string]struct {
		faults vendortest.Faults
		path   string
		status int
		made   int
	}{
		"busy":                 {vendortest.Faults{Down: true}, "/v1/users", 503, 0},
		"asked too often":      {vendortest.Faults{Limited: true}, "/v1/users", 429, 0},
		"a proxy":              {vendortest.Faults{Proxies: 1}, "/v1/users", 404, 0},
		"made, and failed":     {vendortest.Faults{FailAfterApply: 1}, "/v1/users", 500, 1},
		"made by a trap":       {vendortest.Faults{FailAfterApply: 1}, "/v1/users?trap", 500, 1},
		"refused, not failed":  {vendortest.Faults{FailAfterApply: 1}, "/v1/users/1", 400, 0},
		"tokens are never hit": {vendortest.Faults{Down: true, Stall: true}, "/token", 200, 0},
	} {
		*made = 0
		door.SetFaults(test.faults)
		status, _ := ask("POST", test.path)
		assert.Equal(t, test.status, status, name)
		assert.Equal(t, test.made, *made, name)
	}
	door.SetFaults(vendortest.Faults{Stall: true})
	before := door.Counts()["POST /users"]
	stalled := make(chan int)
	go func() {
		status, _ := ask("POST", "/v1/users")
		stalled <- status
	}()
	require.Eventually(t, func() bool { return door.Counts()["POST /users"] > before }, time.Minute, time.Millisecond)
	door.SetFaults(vendortest.Faults{})
	assert.Zero(t, <-stalled, "there is no answer, and not an empty one")
}

// What can only befall changes leaves reads alone.
func TestChancesOfChangesLeaveReadsAlone(t *testing.T) {
	door, _, ask := open(t)
	door.SetChance(vendortest.Chance{Seed: 7, Failed: 0.5, Lost: 0.5})
	for range 20 {
		status, _ := ask(http.MethodGet, "/v1/users/1")
		assert.Equal(t, http.StatusOK, status)
	}
}

// Equal seeds make equal faults, and every kind of them.
func TestChance(t *testing.T) {
	door, made, ask := open(t)
	play := func() (answers []int) {
		*made = 0
		door.SetChance(vendortest.Chance{Seed: 7, Down: 0.1, Limited: 0.1, Proxy: 0.1, Failed: 0.1, Lost: 0.1})
		for range 100 {
			status, _ := ask("POST", "/v1/users")
			answers = append(answers, status)
		}
		return answers
	}
	answers := play()
	for _, status := range []int{0, 200, 404, 429, 500, 503} {
		assert.Contains(t, answers, status)
	}
	assert.Greater(t, *made, 50, "what is lost or fails was made")
	assert.Equal(t, answers, play())
	door.SetChance(vendortest.Chance{})
	status, _ := ask("POST", "/v1/users")
	assert.Equal(t, 200, status)
}
