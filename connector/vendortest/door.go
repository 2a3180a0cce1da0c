package vendortest

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Trouble is why a request is refused that any vendor may refuse.
type Trouble int

// The troubles.
const (
	Down    Trouble = iota + 1 // the vendor cannot answer now
	Limited                    // it was asked too often
	Proxy                      // a proxy answers in its place that there is no such page
	Failed                     // it has made the change, and answers that it failed
)

// Refusal is what a vendor has to tell a caller.
type Refusal struct {
	Trouble Trouble
	Wait    time.Duration // until the caller may ask again; zero: it does not say
	AsDate  bool          // it says so as a date, if it can
	ByFault bool          // because of Faults, and not of a quota or by chance
}

// RetryAfter sets the header Retry-After, if the vendor says how long to wait: in whole
// seconds, rounded up, or as a date, by the clock that the header Date is of.
func (r Refusal) RetryAfter(header http.Header) {
	switch {
	case r.Wait <= 0:
	case r.AsDate:
		now, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		header.Set("Retry-After", now.Add(r.Wait).UTC().Format(http.TimeFormat))
	default:
		header.Set("Retry-After", strconv.Itoa(r.Seconds()))
	}
}

// Seconds returns the wait in whole seconds, rounded up.
func (r Refusal) Seconds() int { return int((r.Wait + time.Second - 1) / time.Second) }

// Options say what is particular to a vendor.
type Options struct {
	// Refuse answers a request as the vendor does.
	Refuse func(http.ResponseWriter, *http.Request, Refusal)
	// Class returns the kind of a request, such as "GET /users/{id}"; empty if it neither
	// counts nor fails: a request for a token.
	Class func(*http.Request) string
	// Reads reports whether a request changes nothing; nil: those of GET do not.
	Reads func(*http.Request) bool
}

// Pattern returns a Class that names requests by the patterns of a mux, such as
// "GET /users/{id}", without the first of the prefixes that a pattern has. Requests of the
// other patterns are of no class.
func Pattern(mux *http.ServeMux, prefixes ...string) func(*http.Request) string {
	return func(r *http.Request) string {
		_, pattern := mux.Handler(r)
		method, path, _ := strings.Cut(pattern, " ")
		for _, prefix := range prefixes {
			if rest, ours := strings.CutPrefix(path, prefix); ours {
				return method + " " + rest
			}
		}
		return ""
	}
}

// Faults are what goes wrong. The zero value is a vendor that answers.
type Faults struct {
	Down, Limited bool          // every request is refused
	Proxy         bool          // every request is answered by a proxy's 404
	Proxies       int           // so many requests are
	Wait          time.Duration // with Down and Limited: how long to wait
	AsDate        bool          // Wait is told as a date
	Stall         bool          // no request is answered until the faults are set again
	// FailAfterApply is how many changes are made and answered by a failure.
	FailAfterApply int
	// Forget names attributes of accounts that changes are said to set, and do not.
	Forget []string
}

// Call is a request that came.
type Call struct {
	Class   string // see Options
	Request string // method and path
	Refused bool   // because of a quota, or by chance: it was not answered as asked
	ByQuota bool   // ... because of a quota
}

// Door stands before a stand-in. It is an http.Handler.
type Door struct {
	app     http.Handler
	options Options

	mu     sync.Mutex
	faults Faults
	over   chan struct{} // closed when a stall ends
	quotas []*meter
	chance *chance
	calls  []Call
	counts map[string]int
	sprung map[string]int
}

// New returns a door before a stand-in.
func New(app http.Handler, options Options) *Door {
	return &Door{app: app, options: options, over: make(chan struct{}), counts: map[string]int{}, sprung: map[string]int{}}
}

// SetFaults sets what goes wrong, and ends a stall: what was stalled is never answered.
func (d *Door) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.over)
	d.over, d.faults = make(chan struct{}), f
}

// Forgets reports whether a change of an attribute is not kept: see Faults.
func (d *Door) Forgets(attribute string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.faults.Forget, attribute)
}

// Spring notes that a caller has stepped into a trap of the stand-in: the field of its Switches
// with this name has made a difference.
func (d *Door) Spring(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sprung[name]++
}

// Sprung returns how often callers have stepped into each trap.
func (d *Door) Sprung() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.sprung)
}

// Calls returns the requests so far, and forgets them.
func (d *Door) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := d.calls
	d.calls = nil
	return calls
}

// Counts returns how many requests of each class there were since the door was made.
func (d *Door) Counts() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.counts)
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	class := d.options.Class(r)
	if class == "" {
		d.app.ServeHTTP(w, r)
		return
	}
	what, over := d.admit(class, r)
	switch {
	case what.stalls:
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client is gone
		select {
		case <-over:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler) // no answer
	case what.refusal.Trouble == Failed || what.lost:
		d.apply(w, r, what)
	case what.refusal.Trouble != 0:
		d.options.Refuse(w, r, what.refusal)
	default:
		d.app.ServeHTTP(w, r)
	}
}

// fate is what becomes of a request.
type fate struct {
	refusal Refusal
	lost    bool // the answer does not arrive
	stalls  bool
	quota   bool // it is refused because of a quota
}

// admit counts a request, and says what becomes of it.
func (d *Door) admit(class string, r *http.Request) (what fate, over <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	what = d.fate(class, r)
	d.counts[class]++
	d.calls = append(d.calls, Call{Class: class, Request: r.Method + " " + r.URL.Path, Refused: what != fate{}, ByQuota: what.quota})
	return what, d.over
}

func (d *Door) fate(class string, r *http.Request) fate {
	f := d.faults
	refused := func(why Trouble) fate {
		return fate{refusal: Refusal{Trouble: why, Wait: f.Wait, AsDate: f.AsDate, ByFault: true}}
	}
	switch {
	case f.Stall:
		return fate{stalls: true}
	case f.Proxies > 0:
		d.faults.Proxies--
		return refused(Proxy)
	case f.Proxy:
		return refused(Proxy)
	case f.Down:
		return refused(Down)
	case f.Limited:
		return refused(Limited)
	}
	if wait := d.spend(class); wait > 0 {
		return fate{refusal: Refusal{Trouble: Limited, Wait: wait}, quota: true}
	}
	changes := r.Method != http.MethodGet && (d.options.Reads == nil || !d.options.Reads(r))
	if d.chance != nil {
		if what := d.chance.draw(changes); what != (fate{}) {
			return what
		}
	}
	if f.FailAfterApply > 0 && changes {
		return fate{refusal: Refusal{Trouble: Failed}}
	}
	return fate{}
}

// made is the header of an answer that claims an error although the change was made.
const made = "Stand-In-Made"

// Made says of an answer that is going to claim an error that the change was made: that is a
// trap of some vendors.
func Made(w http.ResponseWriter) { w.Header().Set(made, "true") }

// apply has the stand-in make a change whose answer does not tell of it. What the stand-in
// refuses is answered by that.
func (d *Door) apply(w http.ResponseWriter, r *http.Request, what fate) {
	answer := httptest.NewRecorder()
	d.app.ServeHTTP(answer, r)
	switch done := answer.Code < 300 || answer.Header().Get(made) != ""; {
	case done && what.lost:
		panic(http.ErrAbortHandler)
	case done && d.failing():
		d.options.Refuse(w, r, what.refusal)
	default:
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// failing counts a change that is answered by a failure, and reports whether there is to be
// another one.
func (d *Door) failing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.faults.FailAfterApply == 0 {
		return d.chance != nil
	}
	d.faults.FailAfterApply--
	return true
}
