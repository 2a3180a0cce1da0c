package contracttest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Cassette holds exchanges that somebody recorded of a vendor's own service.
type Cassette struct {
	Name      string
	Exchanges []Exchange // with the URLs as recorded
}

// ReadCassette reads a file of vcrpy, which the vendors' SDKs for Python record with. Bodies
// that the recorder left out are empty.
func ReadCassette(file string) (*Cassette, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var recorded struct {
		Interactions []struct {
			Request struct {
				Method, URI string
				Body        string
				Headers     map[string]values
			}
			Response struct {
				Body    struct{ String string }
				Headers map[string]values
				Status  struct{ Code int }
			}
		}
	}
	if err := yaml.Unmarshal(data, &recorded); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c := &Cassette{Name: file}
	for _, i := range recorded.Interactions {
		at, err := url.Parse(i.Request.URI)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c.Exchanges = append(c.Exchanges, Exchange{
			Method: i.Request.Method, URL: at, Header: header(i.Request.Headers), Body: []byte(i.Request.Body),
			Status: i.Response.Status.Code, AnswerHeader: header(i.Response.Headers), Answer: []byte(i.Response.Body.String),
		})
	}
	return c, nil
}

// values holds the values of a header: recorders write one as a text and several as a list.
type values []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (v *values) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*v = values{node.Value}
		return nil
	}
	return node.Decode((*[]string)(v))
}

func header(recorded map[string]values) http.Header {
	h := http.Header{}
	for name, list := range recorded {
		h[http.CanonicalHeaderKey(name)] = list
	}
	return h
}

// OktaCassette returns one of the recordings of Okta's SDK for Python, by its path below
// tests/integration/cassettes: "test_users_it/TestUsersResource.test_suspend_user.yaml". They
// were made between 2020 and 2026 with orgs of Okta's own; the host is replaced, passwords and
// the bodies of most requests are left out. Some exchanges of the SDK's are written by hand: a
// cassette that has one fails the test.
func OktaCassette(t testing.TB, name string) *Cassette {
	t.Helper()
	c, err := ReadCassette(fetched(t, "okta/cassettes/"+name))
	require.NoError(t, err)
	for _, x := range c.Exchanges {
		// Okta's edge adds it to every answer; who writes an answer by hand leaves it out.
		require.NotEmpty(t, x.AnswerHeader["P3p"], "%s: %s %s is written by hand, and no recording", name, x.Method, x.URL)
	}
	c.Name = name
	return c
}

// ReplayOptions say how recorded answers are given.
type ReplayOptions struct {
	// Ignore lists parameters of the query that need not be as recorded, such as "limit".
	Ignore []string
	// Otherwise answers what was not recorded. If it is nil, that fails the test.
	Otherwise http.Handler
}

// Replay is a server that gives the answers of a cassette. The answer to a request is that of
// the first exchange, not yet given, of the same method, path and query; bodies are not
// compared, as the recorders leave most of them out. Whatever the vendor's host is in answers is
// the server's own, so that links lead back to it.
//
//	cassette := contracttest.OktaCassette(t, "test_users_it/TestUsersResource.test_suspend_user.yaml")
//	replay := cassette.Replay(t, contracttest.ReplayOptions{Ignore: []string{"sendEmail"}})
//	server := httptest.NewServer(replay)
//	// ... open a connector to server.URL, and call it as the recording goes ...
//	require.Equal(t, 6, replay.Played())
type Replay struct {
	t testing.TB
	o ReplayOptions

	mu     sync.Mutex
	left   []Exchange
	played int
}

// Replay returns a server that gives the answers of the cassette.
func (c *Cassette) Replay(t testing.TB, o ReplayOptions) *Replay {
	return &Replay{t: t, o: o, left: slices.Clone(c.Exchanges)}
}

// Played returns how many of the recorded answers were given.
func (r *Replay) Played() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.played
}

// ServeHTTP implements http.Handler.
func (r *Replay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	x, ok := r.take(request)
	if !ok {
		if r.o.Otherwise != nil {
			r.o.Otherwise.ServeHTTP(w, request)
			return
		}
		r.t.Errorf("nothing like this was recorded, or its answers are given: %s %s", request.Method, request.URL)
		http.Error(w, "not recorded", http.StatusNotImplemented)
		return
	}
	recorded, own := x.URL.Scheme+"://"+x.URL.Host, "http://"+request.Host
	for name, list := range x.AnswerHeader {
		switch name {
		case "Connection", "Content-Encoding", "Content-Length", "Transfer-Encoding":
			continue // of the connection on which it was recorded
		}
		for _, value := range list {
			w.Header().Add(name, strings.ReplaceAll(value, recorded, own))
		}
	}
	w.WriteHeader(x.Status)
	//nolint:gosec // a recording, to a client of ours
	if _, err := w.Write(bytes.ReplaceAll(x.Answer, []byte(recorded), []byte(own))); err != nil {
		return // the client is gone
	}
}

// take returns the exchange that answers a request, and takes it off those that are left.
func (r *Replay) take(request *http.Request) (Exchange, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.left, func(x Exchange) bool {
		return x.Method == request.Method && strings.TrimLeft(x.URL.Path, "/") == strings.TrimLeft(request.URL.Path, "/") &&
			r.query(x.URL) == r.query(request.URL)
	})
	if i < 0 {
		return Exchange{}, false
	}
	x := r.left[i]
	r.left = slices.Delete(r.left, i, i+1)
	r.played++
	return x, true
}

// query returns the parameters that have to be as recorded.
func (r *Replay) query(of *url.URL) string {
	query := of.Query()
	for _, name := range r.o.Ignore {
		query.Del(name)
	}
	return query.Encode()
}
