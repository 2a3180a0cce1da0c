package contracttest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

// listening is a test that notes what fails it, so that failing can be tested.
type listening struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (l *listening) Helper()             {}
func (l *listening) Logf(string, ...any) {}
func (l *listening) Cleanup(f func())    { l.cleanups = append(l.cleanups, f) }
func (l *listening) Error(args ...any)   { l.errors = append(l.errors, fmt.Sprint(args...)) }
func (l *listening) Errorf(f string, args ...any) {
	l.errors = append(l.errors, fmt.Sprintf(f, args...))
}

// ended ends the test and returns what failed it.
func (l *listening) ended() []string {
	for _, f := range l.cleanups {
		f()
	}
	return l.errors
}

// shop answers every request with the same.
func shop(status int, answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "hang up") {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	})
}

func post(t *testing.T, client *http.Client, url, body string) (answer string, err error) {
	t.Helper()
	response, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return string(data), err
}

func TestAStandInIsHeld(t *testing.T) {
	l := &listening{TB: t}
	held := contracttest.Hold(l, pots(t), contracttest.Options{Base: "/api/v1", Known: []contracttest.Known{
		{Operation: "POST /pots", At: "/extra", Reason: "the contract forgot it"},
	}})
	server := httptest.NewServer(held.Handler(shop(http.StatusCreated, aPot)))
	defer server.Close()
	answer, err := post(t, server.Client(), server.URL+"/api/v1/pots", `{"name":"a","size":1,"extra":{"a":1}}`)
	require.NoError(t, err)
	assert.JSONEq(t, aPot, answer)
	_, err = post(t, server.Client(), server.URL+"/admin/switches", `{"anything":true}`)
	require.NoError(t, err)
	for range 2 {
		_, err = post(t, server.Client(), server.URL+"/api/v1/pots", `{"name":"hang up"}`)
		require.Error(t, err)
	}
	assert.Equal(t, 3, held.Exchanges())
	assert.Equal(t, []string{"2 times: POST /pots: request: lacks size"}, l.ended())
}

func TestAClientIsHeld(t *testing.T) {
	l := &listening{TB: t}
	held := contracttest.Hold(l, pots(t), contracttest.Options{})
	server := httptest.NewServer(shop(http.StatusTeapot, `{}`))
	defer server.Close()
	client := &http.Client{Transport: held.Transport(http.DefaultTransport)}
	answer, err := post(t, client, server.URL+"/pots", `{"name":"a","size":1}`)
	require.NoError(t, err)
	assert.Equal(t, `{}`, answer)
	assert.Equal(t, []string{
		"1 times: POST /pots: answer 418: Content-Type is application/json, which the contract does not list",
		"1 times: POST /pots: answer 418: lacks code",
	}, l.ended())
}

func TestWhatIsNotTrueOfAHeldTestFailsIt(t *testing.T) {
	l := &listening{TB: t}
	contracttest.Hold(l, pots(t), contracttest.Options{Known: []contracttest.Known{{At: "/never", Reason: "it was so once"}}})
	errors := l.ended()
	require.Len(t, errors, 2)
	assert.Contains(t, errors[0], "no exchange reached it")
	assert.Contains(t, errors[1], "this known breach did not occur")
}
