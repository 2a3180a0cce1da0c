package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

// Vendor says how a vendor's API tells of failures.
type Vendor struct {
	Name string // for errors: "Okta"
	// Codes returns the codes in the body of an error, the most specific one first; none if
	// the body is not an error of this vendor's. A code is a word of the vendor's, and never
	// holds text from a request.
	Codes func(body []byte) []string
	// Rules say what failures mean. The first one that fits counts; then the status does.
	Rules []Rule
}

// Rule says what a failure means.
type Rule struct {
	Op     string // of the contract; empty: any
	Status int    // zero: any
	Code   string // one of Codes; empty: any, also none
	Kind   connector.ErrorKind
	Advice string        // what to do, for the error's message
	Wait   time.Duration // how long to wait if the vendor does not say; for KindRateLimited and KindUnavailable
}

func (r Rule) fits(op string, f *AnswerError) bool {
	return (r.Op == "" || r.Op == op) && (r.Status == 0 || r.Status == f.Status) && (r.Code == "" || slices.Contains(f.Codes, r.Code))
}

// AnswerError is an answer that is no success. It is the cause of the error made from it.
type AnswerError struct {
	Status int
	Codes  []string // of the vendor, the most specific one first
	Header http.Header
}

// Error returns the status and the most specific code.
func (f *AnswerError) Error() string {
	text := fmt.Sprint("status ", f.Status)
	if len(f.Codes) > 0 {
		text += " (" + f.Codes[0] + ")"
	}
	return text
}

// has reports whether the failure has one of the vendor's codes.
func (f *AnswerError) has(codes []string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(f.Codes, code) })
}

// FailureOf returns the failure that err was made from; nil if there is none.
func FailureOf(err error) *AnswerError {
	var f *AnswerError
	errors.As(err, &f)
	return f
}

// Has reports whether err was made from a failure with one of the vendor's codes.
func Has(err error, codes ...string) bool {
	f := FailureOf(err)
	return f != nil && f.has(codes)
}

// general says what statuses mean to vendors that give them no meaning of their own. A 404
// proves nothing, and a 409 does not tell whether an account is there or somebody else
// changed it.
var general = []Rule{
	{Status: http.StatusBadRequest, Kind: connector.KindInvalid, Advice: "it refused the values: check the attribute mappings"},
	{Status: http.StatusUnauthorized, Kind: connector.KindUnauthorized, Advice: "it refuses the credentials: renew them and check the settings"},
	{Status: http.StatusForbidden, Kind: connector.KindForbidden, Advice: "the credentials lack a right: allow them what the documentation of this kind says"},
	{Status: http.StatusNotFound, Kind: connector.KindUnavailable, Advice: "it does not say what is missing, so that a proxy may have answered: check the url"},
	{Status: http.StatusRequestTimeout, Kind: connector.KindUnavailable, Advice: "it gave up waiting"},
	{Status: http.StatusConflict, Kind: connector.KindUnavailable, Advice: "it is being changed by somebody else"},
	{Status: http.StatusPreconditionFailed, Kind: connector.KindUnavailable, Advice: "it was changed by somebody else meanwhile"},
	{Status: http.StatusUnprocessableEntity, Kind: connector.KindInvalid, Advice: "it refused the values: check the attribute mappings"},
	{Status: http.StatusLocked, Kind: connector.KindUnavailable, Advice: "it is being changed by somebody else"},
	{Status: http.StatusTooEarly, Kind: connector.KindUnavailable, Advice: "it is not ready yet"},
	{Status: http.StatusTooManyRequests, Kind: connector.KindRateLimited, Advice: "too many requests: if it goes on, lower the app's rate"},
}

// meaning returns what a failure means.
func (v Vendor) meaning(op string, f *AnswerError, throttled bool) Rule {
	fits := func(r Rule) bool { return r.fits(op, f) }
	if i := slices.IndexFunc(v.Rules, fits); i >= 0 {
		return v.Rules[i]
	}
	if f.Status == http.StatusForbidden && throttled {
		return Rule{Kind: connector.KindRateLimited, Advice: "too many requests: if it goes on, lower the app's rate"}
	}
	if i := slices.IndexFunc(general, fits); i >= 0 {
		return general[i]
	}
	switch {
	case f.Status >= 500:
		return Rule{Kind: connector.KindUnavailable, Advice: "it has a problem of its own"}
	case f.Status >= 300 && f.Status < 400:
		return Rule{Kind: connector.KindInvalid, Advice: "it sends us elsewhere, where the token must not go: put the final address into the url setting"}
	}
	return Rule{Kind: connector.KindInvalid, Advice: "it refused the request"}
}

// refused returns the error for an answer that is no success.
func (c *Client) refused(ctx context.Context, op string, resp *http.Response) error {
	f := &AnswerError{Status: resp.StatusCode, Header: resp.Header}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	if err == nil && c.Vendor.Codes != nil {
		f.Codes = c.Vendor.Codes(raw)
	}
	if err != nil && remote.Ended(ctx) != nil {
		return c.unanswered(ctx, op, err)
	}
	throttled, wait := waitIn(resp.StatusCode, resp.Header)
	meaning := c.Vendor.meaning(op, f, throttled)
	failed := &connector.Error{
		Kind: meaning.Kind, Op: op, Cause: f,
		Message: fmt.Sprintf("%s answered %s: %s", c.Vendor.Name, f, meaning.Advice),
		// A 503 that does not say when to ask again may be a proxy's whose server did not answer.
		Declined: f.Status == http.StatusServiceUnavailable && remote.RetryAfter(resp.Header) > 0,
		// A 404 that does not say what is missing may be a proxy's.
		Passing: meaning.Kind == connector.KindUnavailable && (remote.InPassing(f.Status) || f.Status == http.StatusNotFound && len(f.Codes) == 0),
	}
	if failed.Kind.Retryable() {
		failed.RetryAfter = cmp.Or(wait, meaning.Wait)
	}
	return failed
}

// waitIn reads when to ask again: Retry-After in both forms, or the reset of a quota that is
// used up, as an instant or as the seconds that are left.
func waitIn(status int, header http.Header) (throttled bool, wait time.Duration) {
	if wait = remote.RetryAfter(header); wait > 0 {
		return true, wait
	}
	if used, wait := remote.QuotaUsed(header); used {
		return true, wait
	}
	if status == http.StatusTooManyRequests { // its quota is used up, even if it does not say how much is left
		return true, remote.Reset(header)
	}
	return header.Get("Retry-After") != "", 0
}
