package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	maxRetryAfter = 24 * time.Hour // bounds the pause that a service may ask for
	maxAnswer     = 4 << 20        // bounds the bytes of an answer that Call reads
)

// NewHTTPClient returns a client for one service for which the caller has credentials. The
// timeout is for a whole call, answer included.
func NewHTTPClient(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: sameService}
}

// sameService follows redirects only where the token may go: the same scheme and
// host, and only when the method stays as it was (RFC 9110 section 15.4). Any
// other redirect is returned as the answer.
func sameService(next *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.Method != first.Method {
		return http.ErrUseLastResponse
	}
	return nil
}

// Call sends a request and returns the body of the answer if its status is 200. Any other
// result is an *Error. The parameter who names the service in its message.
func Call(c *http.Client, answers *Answers, op, who string, req *http.Request) (body []byte, err error) {
	err = Ask(c, answers, maxAnswer, op, who, req, func(raw []byte) { body = raw })
	return body, err
}

// Ask does what Call does, but passes a body of at most the given number of bytes to use,
// also with any other status. The body counts as held until use returns.
func Ask(c *http.Client, answers *Answers, most int64, op, who string, req *http.Request, use func(body []byte)) error {
	resp, err := c.Do(req) //nolint:gosec // G704: the URL is the configuration's
	if err != nil {
		return Unanswered(req.Context(), op, who, c.Timeout, err)
	}
	defer func() { _ = resp.Body.Close() }()
	err = answers.Read(req.Context(), resp.Body, most, func(raw []byte) error { use(raw); return nil })
	switch {
	case resp.StatusCode != http.StatusOK:
		return asError(op, who, resp)
	case errors.Is(err, ErrTooLong):
		return &Error{Kind: Invalid, Op: op, Message: fmt.Sprintf("%s answered with more than %d bytes: check the url setting", who, most)}
	case err != nil:
		return Unanswered(req.Context(), op, who, c.Timeout, err)
	}
	return nil
}

// Unanswered returns the error of a request that got no answer, or only a part of one. An
// *Error is returned as it is. Of any other, only the innermost cause is kept: a *url.Error
// holds the address, and with it a secret, or whom the request was about. who names the service.
func Unanswered(ctx context.Context, op, who string, timeout time.Duration, err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	message := WhyUnanswered(ctx, err, who, timeout)
	if ended := Ended(ctx); ended != nil { // the connection may have failed first, by the same deadline
		err = ended
	}
	return &Error{Kind: Unavailable, Op: op, Message: message, Cause: err, Passing: brokeOff(err)}
}

// brokeOff reports whether a call got no answer because the connection broke.
func brokeOff(err error) bool {
	var timed net.Error
	if errors.As(err, &timed) && timed.Timeout() {
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// NoSecret returns the error of a call that was not made because its credentials cannot be
// read at the moment. setting names them, err is the reason.
func NoSecret(op, setting string, err error) *Error {
	return &Error{Kind: Unavailable, Op: op, Message: fmt.Sprintf("setting %q cannot be had: %s", setting, err), Cause: err}
}

// meanings maps statuses to what they mean for a request about one person.
var meanings = map[int]struct {
	kind   Kind
	advice string
}{
	http.StatusUnauthorized:    {Unauthorized, "it refuses the credentials: renew them and check the settings"},
	http.StatusForbidden:       {Forbidden, "the credentials lack a right: allow them what the documentation of this kind says"},
	http.StatusNotFound:        {NotFound, "it knows no such person"},
	http.StatusGone:            {NotFound, "it knows no such person any more"},
	http.StatusRequestTimeout:  {Unavailable, "it gave up waiting"},
	http.StatusTooEarly:        {Unavailable, "it is not ready yet"},
	http.StatusTooManyRequests: {RateLimited, "too many requests"},
	http.StatusNotImplemented:  {Unsupported, "it does not offer this: check the url setting"},
}

func asError(op, who string, resp *http.Response) *Error {
	meaning, known := meanings[resp.StatusCode]
	kind, advice := meaning.kind, meaning.advice
	used, wait := QuotaUsed(resp.Header)
	switch {
	case resp.StatusCode == http.StatusForbidden && (used || resp.Header.Get("Retry-After") != ""):
		kind, advice = RateLimited, "too many requests"
	case known:
	case resp.StatusCode >= 500:
		kind, advice = Unavailable, "it has a problem of its own"
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		kind, advice = Invalid, "it sends us elsewhere, where the credentials must not go: put the final address into the url setting"
	default:
		kind, advice = Invalid, "it refused the request: check the url setting"
	}
	err := &Error{Kind: kind, Op: op, Message: fmt.Sprintf("%s answered %d: %s", who, resp.StatusCode, advice)}
	if kind.Retryable() {
		if err.RetryAfter = RetryAfter(resp.Header); err.RetryAfter == 0 && kind == RateLimited {
			err.RetryAfter = wait
		}
	}
	return err
}

// RetryAfter returns the pause in the header Retry-After, which holds seconds or a date (RFC
// 9110 section 10.2.3); some services write an instant in Unix time. An instant is compared with the
// service's own clock, if it sends its time.
func RetryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		return pauseOf(number, header)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text) // as Zoom writes it
	}
	if err != nil {
		return 0
	}
	return until(at, header)
}

// instants is the least number that is an instant in Unix time, and no number of seconds to wait:
// no quota rests for 30 years.
const instants = 1_000_000_000

// pauseOf returns the pause that a number asks for: a number of seconds, or an instant in Unix time
// in seconds, milliseconds, or less. Seconds have that many digits only from the year 5138 on.
func pauseOf(number int64, header http.Header) time.Duration {
	if number < instants {
		return time.Duration(min(max(number, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	for number >= 100*instants {
		number = (number-1)/1000 + 1 // rounded up
	}
	return until(time.Unix(number, 0), header)
}

// until returns how long it is until an instant, by the service's own clock, if it sends its time.
func until(at time.Time, header http.Header) time.Duration {
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

var quotaPrefixes = []string{"X-RateLimit-", "X-Rate-Limit-", "RateLimit-"}

// QuotaUsed reports whether an answer's headers say that a quota is used up, and how
// long it is until there is more. The names are those of GitHub, Okta, Slack and
// others, and of draft-ietf-httpapi-ratelimit-headers; the reset is an instant in Unix
// time or in ISO 8601 (Atlassian), or a number of seconds.
func QuotaUsed(header http.Header) (used bool, wait time.Duration) {
	for _, prefix := range quotaPrefixes {
		left, err := strconv.Atoi(strings.TrimSpace(header.Get(prefix + "Remaining")))
		if err != nil || left > 0 {
			continue
		}
		return true, reset(header.Get(prefix+"Reset"), header)
	}
	return false, 0
}

// Reset returns how long it is until a quota is there again, by the header that says so, with
// the names of QuotaUsed; zero if none does.
func Reset(header http.Header) time.Duration {
	for _, prefix := range quotaPrefixes {
		if text := header.Get(prefix + "Reset"); text != "" {
			return reset(text, header)
		}
	}
	return 0
}

// isoInstants are the forms of ISO 8601 in which resets are written, with and without seconds.
var isoInstants = []string{time.RFC3339, "2006-01-02T15:04Z07:00"}

// reset reads an instant in Unix time or in ISO 8601, or a number of seconds.
func reset(text string, header http.Header) time.Duration {
	text = strings.TrimSpace(text)
	for _, form := range isoInstants {
		if at, err := time.Parse(form, text); err == nil {
			return until(at, header)
		}
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return pauseOf(number, header)
}

// Ended returns why a context has ended; nil if it has not. A context whose deadline has
// passed counts as ended, even if it has no error yet: a connection that is being opened has
// the same deadline, and may fail first.
func Ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// WhyUnanswered returns why a call got no answer, or only a part of one, and what to
// check. who names the service.
func WhyUnanswered(ctx context.Context, err error, who string, timeout time.Duration) string {
	var certificate *tls.CertificateVerificationError
	var dns *net.DNSError
	var timed net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "the call was cancelled"
	case Ended(ctx) != nil:
		return "the call ran out of time"
	case errors.As(err, &timed) && timed.Timeout():
		return fmt.Sprintf("no answer within %s", timeout)
	case errors.As(err, &certificate):
		return who + "'s TLS certificate is not trusted: check the url setting and the certificate"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host's name is not known: check the url setting"
	default:
		return who + " cannot be reached, or broke off in mid-answer: check that it is up, and the url setting"
	}
}
