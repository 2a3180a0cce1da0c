package receiver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// raw sends bytes on a connection of their own, and returns the status of every answer
// until the intake closes it.
func (r *rig) raw(text string) (statuses []int) {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.intake.Addr())
	require.NoError(r.t, err)
	defer conn.Close()
	require.NoError(r.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	require.NoError(r.t, err)
	for reader := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
	}
}

// A request with wrong framing or wrong headers becomes no record. The intake goes on
// taking others.
func TestRequestsThatAreNotWhatTheySay(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Tuning.Read, o.Tuning.Header, o.Tuning.Idle = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	})
	signed := "X-Signature: " + signWith(key, payload) + "\r\n"
	const jsonType = "Content-Type: application/json\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(payload))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(payload), payload)
	post := func(path, header, body string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n" + body
	}
	for name, c := range map[string]struct {
		sent string
		want []int
	}{
		"two lengths":                    {post("/in", jsonType+signed+length+"Content-Length: 3\r\n", payload), []int{400}},
		"a length that is negative":      {post("/in", jsonType+signed+"Content-Length: -1\r\n", payload), []int{400}},
		"a length that is too small":     {post("/in", jsonType+signed+"Content-Length: 3\r\n", payload), []int{401, 400}},
		"a length that is too large":     {post("/in", jsonType+signed+"Content-Length: 999\r\n", payload), []int{503}},
		"more than is taken, it says":    {post("/in", jsonType+signed+"Content-Length: 99999999999\r\n", payload), []int{413}},
		"chunks without end":             {post("/in", jsonType+signed+"Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n"), []int{503}},
		"chunks that are too many":       {post("/in", jsonType+signed+"Transfer-Encoding: chunked\r\n", strings.Repeat("a\r\n0123456789\r\n", 200)), []int{413}},
		"a chunk that is no number":      {post("/in", jsonType+signed+"Transfer-Encoding: chunked\r\n", "zz\r\n"), []int{400}},
		"an encoding of the transfer":    {post("/in", jsonType+signed+"Transfer-Encoding: gzip, chunked\r\n", chunked), []int{501}},
		"a request within one":           {post("/in", jsonType+"X-Signature: 00\r\n"+length+"Transfer-Encoding: chunked\r\n", "0\r\n\r\n"+post("/in", jsonType+"X-Signature: 00\r\n"+length, payload)), []int{400}},
		"compressed":                     {post("/in", jsonType+signed+length+"Content-Encoding: gzip\r\n", payload), []int{415}},
		"compressed, said second":        {post("/in", jsonType+signed+length+"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", payload), []int{415}},
		"compressed, said in one":        {post("/in", jsonType+signed+length+"Content-Encoding: identity, gzip\r\n", payload), []int{415}},
		"no type":                        {post("/in", signed+length, payload), []int{415}},
		"a type that only looks like it": {post("/in", "Content-Type: text/html; x=application/json\r\n"+signed+length, payload), []int{415}},
		"two signatures":                 {post("/in", jsonType+signed+signed+length, payload), []int{401}},
		"a header that is folded":        {post("/in", jsonType+"X-Signature:\r\n 00\r\n"+length, payload), []int{401}},
		"a space before the colon":       {post("/in", jsonType+"X-Signature : 00\r\n"+length, payload), []int{400}},
		"the secret of another endpoint": {post("/rippling", jsonType+signed+length, payload), []int{401}},
		"a path in capitals":             {post("/IN", jsonType+signed+length, payload), []int{404}},
		"a path with a slash more":       {post("/in/", jsonType+signed+length, payload), []int{404}},
		"a path with a slash before":     {post("//in", jsonType+signed+length, payload), []int{404}},
		"a path that goes up":            {post("/x/../in", jsonType+signed+length, payload), []int{404}},
		"no host":                        {"POST /in HTTP/1.1\r\n" + jsonType + signed + length + "\r\n" + payload, []int{400}},
		"a header without end":           {"POST /in HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10), []int{431}},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.raw(c.sent)
			if len(got) > len(c.want) {
				got = got[:len(c.want)]
			}
			assert.Equal(t, c.want, got)
			assert.Empty(t, r.broker.all())
		})
	}
	assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status)
	assert.Len(t, r.broker.all(), 1)
}

// A request cannot set headers of its record: only headers that are signed are kept.
func TestNoHeaderIsPassedOffAsOurs(t *testing.T) {
	r := newRig(t)
	req := r.generic(payload)
	for _, name := range []string{HeaderEndpoint, HeaderRequest, HeaderReceived, "ce-source", "ce-type", "ce-id", "X-Forwarded-For"} {
		req.Header.Set(name, "urn:tenure:operator")
	}
	require.Equal(t, http.StatusOK, r.do(req).status)
	for name, value := range r.broker.all()[0].Headers {
		assert.NotContains(t, value, "urn:tenure", name)
	}
}
