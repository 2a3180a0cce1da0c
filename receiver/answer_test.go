package receiver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	r := newRig(t)
	with := func(req *http.Request, name, value string) *http.Request {
		req.Header.Set(name, value)
		return req
	}
	form := url.Values{"event_name": {"employee.terminated"}, "id": {"7"}}.Encode()
	now := time.Now()
	for _, test := range []struct {
		name    string
		req     *http.Request
		status  int
		outcome string
	}{
		{"BambooHR", r.bamboo(payload, now), 200, "accepted"},
		{"BambooHR, a retry with the first timestamp", r.bamboo(payload, now.Add(-155*time.Minute)), 200, "accepted"},
		{"BambooHR, replayed", r.bamboo(payload, now.Add(-4*time.Hour)), 401, "unauthorized"},
		{"Rippling", with(r.post("/rippling", "application/x-www-form-urlencoded", form), "Authorization", "Bearer "+token), 200, "accepted"},
		{"Rippling, charset", with(r.post("/rippling", "application/x-www-form-urlencoded; charset=utf-8", form), "Authorization", "Bearer "+token), 200, "accepted"},
		{"Rippling, other token", with(r.post("/rippling", "application/x-www-form-urlencoded", form), "Authorization", "Bearer "+key), 401, "unauthorized"},
		{"generic", r.generic(payload), 200, "accepted"},
		{"generic, other body", with(r.generic(payload+" "), "X-Signature", sign(payload)), 401, "unauthorized"},
		{"not signed", r.post("/bamboohr", "application/json", payload), 401, "unauthorized"},
		{"signed for another endpoint", with(r.post("/bamboohr", "application/json", payload), "X-Signature", sign(payload)), 401, "unauthorized"},
		{"as large as may be", r.generic(strings.Repeat("x", 1024)), 200, "accepted"},
		{"too large", r.generic(strings.Repeat("x", 1025)), 413, "too_large"},
		{"empty", r.generic(""), 400, "empty"},
		{"text", with(r.generic(payload), "Content-Type", "text/plain"), 415, "wrong_type"},
		{"no type", with(r.generic(payload), "Content-Type", ""), 415, "wrong_type"},
		{"compressed", with(r.generic(payload), "Content-Encoding", "gzip"), 415, "wrong_type"},
		{"not compressed", with(r.generic(payload), "Content-Encoding", "identity"), 200, "accepted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := test.req.URL.Path
			before, records := r.counted(path, test.outcome), len(r.broker.all())
			a := r.do(test.req)
			assert.Equal(t, test.status, a.status)
			assert.NoError(t, uuid.Validate(a.Request))
			assert.Equal(t, "application/json", a.header.Get("Content-Type"))
			assert.Equal(t, before+1, r.counted(path, test.outcome))
			if test.status == 200 {
				records++
			}
			assert.Len(t, r.broker.all(), records)
		})
	}
	r.noSecrets()
}

func TestWhateverIsWrongWithASignatureTheAnswerIsTheSame(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	texts := map[string]bool{}
	for _, req := range []*http.Request{
		r.post("/bamboohr", "application/json", payload), // missing
		func() *http.Request {
			req := r.bamboo(payload, now)
			req.Header.Set("X-BambooHR-Timestamp", "noon")
			return req
		}(), // malformed
		r.bamboo(payload, now.Add(-4*time.Hour)), // stale
		func() *http.Request {
			req := r.bamboo(payload, now)
			req.Header.Set("X-BambooHR-Signature", sign("other"))
			return req
		}(), // wrong
	} {
		a := r.do(req)
		assert.Equal(t, http.StatusUnauthorized, a.status)
		texts[a.Text] = true
	}
	assert.Len(t, texts, 1)
	reasons := map[any]bool{}
	for _, entry := range r.logs.FilterMessage("webhook refused").All() {
		reasons[entry.ContextMap()["reason"]] = true
	}
	assert.Equal(t, map[any]bool{"missing": true, "malformed": true, "stale": true, "wrong": true}, reasons, "the log knows")
}

func TestOtherPathsAndMethods(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/bamboohr/", "/BambooHR", "//bamboohr", "/bamboohr/../in", "/healthz"} {
		req := r.generic(payload)
		req.URL.Path = path
		a := r.do(req)
		assert.Equal(t, http.StatusNotFound, a.status, path)
	}
	assert.Equal(t, 6, r.counted("", "unknown_path"), "a path that somebody made up is no label")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		req := r.generic(payload)
		req.Method = method
		a := r.do(req)
		assert.Equal(t, http.StatusMethodNotAllowed, a.status, method)
		assert.Equal(t, "POST", a.header.Get("Allow"))
	}
	assert.Empty(t, r.broker.all())
}

func TestRecordIsTheBodyAndWhatWasSigned(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Endpoints[0].Key = func(headers map[string]string, body []byte) string {
			return headers["content-type"] + string(body[2:11])
		}
	})
	const odd = "{\"employees\" :\r\n[\"\xff\x00\"]}"
	before := time.Now()
	req := r.bamboo(odd, before)
	req.Header.Set("X-Evil", "yes")
	req.Header.Set("Authorization", "Basic eA==")
	a := r.do(req)
	require.Equal(t, http.StatusOK, a.status)
	require.Len(t, r.broker.all(), 1)
	m := r.broker.all()[0]
	assert.Equal(t, []byte(odd), m.Value)
	assert.Equal(t, "application/jsonemployees", m.Key)
	at, err := time.Parse(time.RFC3339, m.Headers[HeaderReceived])
	require.NoError(t, err)
	assert.WithinRange(t, at, before, time.Now())
	delete(m.Headers, HeaderReceived)
	assert.Equal(t, map[string]string{
		HeaderRequest:          a.Request,
		HeaderEndpoint:         "/bamboohr",
		"content-type":         "application/json",
		"x-bamboohr-timestamp": req.Header.Get("X-BambooHR-Timestamp"),
	}, m.Headers)
	logged := r.logs.FilterMessage("webhook accepted").All()
	require.Len(t, logged, 1)
	assert.Equal(t, a.Request, logged[0].ContextMap()["request"], "the vendor's log and ours can be matched")

	r.do(r.generic(payload))
	assert.Empty(t, r.broker.all()[1].Key)
}
