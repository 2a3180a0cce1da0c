package contracttest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

// Options say how a test is held to a contract.
type Options struct {
	// Base is where the stand-in serves what the contract has at At: "/scim/v2" for
	// "/scim/v2/enterprises/e". Requests outside Base are not checked: the stand-in's switches.
	Base, At string
	// Beside lists paths that belong to the vendor and to no contract, such as that which
	// issues tokens. They are not checked.
	Beside []string
	// Known lists what the contract has wrong, or what the stand-in or the connector does
	// otherwise on purpose.
	Known []Known
}

// Known is a breach that is expected. Each empty field fits any.
type Known struct {
	Operation string // as Breach.Operation
	OfAnswer  bool
	Status    int
	At        string // the beginning of Breach.At
	Problem   string // a part of Breach.Problem
	Reason    string // why it is no fault; never empty
}

func (k Known) fits(b Breach) bool {
	return (k.Operation == "" || k.Operation == b.Operation) && k.OfAnswer == b.OfAnswer &&
		(k.Status == 0 || k.Status == b.Status) && (b.At == k.At || strings.HasPrefix(b.At, strings.TrimSuffix(k.At, "/")+"/") || k.At == "") && strings.Contains(b.Problem, k.Problem)
}

// most is how many different breaches a test shows.
const most = 40

// Held holds the traffic of a test to a contract.
type Held struct {
	t        testing.TB
	contract *Contract
	o        Options

	mu        sync.Mutex
	exchanges int
	breaches  map[Breach]int
	known     []int // how often each of Options.Known applied
}

// Hold returns what holds traffic to a contract. When the test ends, it fails for each
// breach that is not known, for each known one that never occurred, and if there was no
// traffic.
func Hold(t testing.TB, contract *Contract, o Options) *Held {
	t.Helper()
	h := &Held{t: t, contract: contract, o: o, breaches: map[Breach]int{}, known: make([]int, len(o.Known))}
	for _, known := range o.Known {
		assert.NotEmpty(t, known.Reason, "a known breach without a reason")
	}
	t.Cleanup(h.judge)
	return h
}

func (h *Held) judge() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t.Logf("%d exchanges were held to %s", h.exchanges, h.contract.Document)
	if h.exchanges == 0 {
		h.t.Error("nothing was held to the contract: no exchange reached it")
	}
	list := make([]Breach, 0, len(h.breaches))
	for b := range h.breaches {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b Breach) int { return strings.Compare(a.String(), b.String()) })
	for i, b := range list {
		if i == most {
			h.t.Errorf("and %d other breaches", len(list)-most)
			break
		}
		h.t.Errorf("%d times: %s", h.breaches[b], b)
	}
	for i, times := range h.known {
		if times == 0 {
			h.t.Errorf("this known breach did not occur: %+v", h.o.Known[i])
		}
	}
}

// Proof returns what it proves that the suite of connectors passes through h. part says which
// part of the kind it is; empty for all of it.
func (h *Held) Proof(part string) connector.Proof {
	return connector.Proof{Level: connector.HeldToContract, On: h.contract.Document, Part: part}
}

// Exchanges returns how many exchanges were held to the contract so far.
func (h *Held) Exchanges() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.exchanges
}

// Check holds one exchange to the contract, if it is within Options.Base.
func (h *Held) Check(x Exchange) {
	path, within := strings.CutPrefix(x.URL.Path, h.o.Base)
	if !within || slices.Contains(h.o.Beside, x.URL.Path) {
		return
	}
	at := *x.URL
	at.Path = h.o.At + path
	x.URL = &at
	breaches := h.contract.Check(x)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.exchanges++
	for _, b := range breaches {
		fits := func(k Known) bool { return k.fits(b) }
		if i := slices.IndexFunc(h.o.Known, fits); i >= 0 {
			h.known[i]++
			continue
		}
		if !b.OfAnswer {
			b.Status = 0 // the same fault, however it was answered
		}
		h.breaches[b]++
	}
}

// Handler returns a stand-in whose exchanges are held to the contract.
func (h *Held) Handler(app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := Exchange{Method: r.Method, URL: r.URL, Header: r.Header}
		var err error
		if x.Body, err = io.ReadAll(r.Body); err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(x.Body))
		listening := &listener{ResponseWriter: w}
		defer func() { // also if the stand-in gives no answer on purpose, by a panic
			gone := recover()
			if gone == nil && listening.status != 0 { // else it stalled until the client had gone
				x.Status, x.AnswerHeader, x.Answer = listening.status, w.Header(), listening.body.Bytes()
			}
			h.Check(x)
			if gone != nil {
				panic(gone)
			}
		}()
		app.ServeHTTP(listening, r)
	})
}

// listener keeps what a stand-in answers.
type listener struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (l *listener) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (l *listener) Write(data []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	l.body.Write(data)
	return l.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach what the server offers.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// Transport returns a transport whose exchanges are held to the contract: for a client of a
// server that is not ours.
func (h *Held) Transport(next http.RoundTripper) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		x := Exchange{Method: r.Method, URL: r.URL, Header: r.Header}
		if r.Body != nil {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			x.Body = sent
			r = r.Clone(r.Context())
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
		answer, err := next.RoundTrip(r)
		if err != nil {
			h.Check(x)
			return nil, err
		}
		got, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		if err := answer.Body.Close(); err != nil {
			return nil, err
		}
		answer.Body = io.NopCloser(bytes.NewReader(got))
		x.Status, x.AnswerHeader, x.Answer = answer.StatusCode, answer.Header, got
		h.Check(x)
		return answer, nil
	})
}

type transport func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }
