package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/internal/remote"
)

const (
	maxAnswer  = 16 << 20 // bounds the bytes of an answer
	maxFailure = 64 << 10 // bounds the bytes of an error's body that are read
)

// Client calls one vendor's API.
type Client struct {
	Vendor      Vendor
	Base        func(ctx context.Context, op string) (*url.URL, error) // the address that paths are appended to: see At
	Credentials credentials.Credentials
	Header      http.Header                     // sent with each request
	Pace        func(ctx context.Context) error // before each request; nil if there is no limit
	// Pause is told that the vendor refuses requests because of a quota, so that Pace lets none
	// through for so long; nil: nobody is told, and such a request fails at once.
	Pause func(ctx context.Context, pause time.Duration) error

	http    *http.Client
	answers *remote.Answers
}

// New returns a client. The timeout is for one request. Callers set its other fields.
func New(vendor Vendor, timeout time.Duration) *Client {
	return &Client{Vendor: vendor, http: remote.NewHTTPClient(timeout), answers: remote.NewAnswers()}
}

// At returns a Base that never changes.
func At(base *url.URL) func(context.Context, string) (*url.URL, error) {
	return func(context.Context, string) (*url.URL, error) { return base, nil }
}

// Request describes one request. Errors hold nothing of its path, its query or its body.
type Request struct {
	Op     string // of the contract, for errors
	Method string // GET if empty
	// Path is appended to the base. Its segments are escaped: see Path.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is sent as JSON, or as a form if it is of type url.Values. Nil sends none.
	Body any
	// Repeatable says of a change that, made twice, it leaves what it leaves when made once, and
	// that its answer is then the same or one that the caller understands. See Client.Do.
	Repeatable bool
	// Link takes the place of Path and Query: an address that the vendor gave. It is refused
	// unless it leads to the host of the base.
	Link string
}

// Path joins the segments of a path and escapes each of them.
func Path(segments ...string) string {
	var path strings.Builder
	for _, segment := range segments {
		path.WriteString("/" + url.PathEscape(segment))
	}
	return path.String()
}

// Do sends a request and reads the body of a successful answer (2xx) into out, numbers as
// json.Number; not if out is nil, or if there is no body (204). It returns the answer's
// header, also with an error if there was an answer. An error is a *connector.Error;
// FailureOf tells more about it. What fails in passing is tried once more: see remote.Again.
// That goes for a change whose outcome is not known if it is Repeatable and the caller takes note
// of the doubt: see connector.NotingDoubts. What a quota refuses is sent again after the pause that
// the vendor asks for: see Turns.
func (c *Client) Do(ctx context.Context, r Request, out any) (header http.Header, err error) {
	reads, doubts := remote.Reads(r.Method), connector.DoubtsOf(ctx)
	repeats := !reads && r.Repeatable && doubts != nil
	send := func() error {
		header, err = c.exchange(ctx, r, out)
		if repeats && inDoubt(err) {
			doubts()
		}
		return err
	}
	if !reads && slices.Contains(once, r.Op) {
		err = send()
		return header, err
	}
	err = c.turns().Patiently(ctx, func() error { return remote.Again(ctx, reads || repeats, send) })
	return header, err
}

// inDoubt reports whether a change that failed in passing may have been made all the same, or may
// yet be.
func inDoubt(err error) bool {
	var failed *connector.Error
	return errors.As(err, &failed) && failed.Passing && !failed.Declined
}

func (c *Client) turns() Turns { return Turns{c.Pace, c.Pause} }

// once lists operations whose changes are not sent again before somebody has looked, even if the
// vendor says that it declined them: if it had not, there would be two accounts, or two transfers.
// An account that was brought back all the same is not in the recycle bin any more: the answer to
// the second request would say so, and another account would be made.
var once = []string{connector.OpCreate, connector.OpHandOver, connector.OpRestore}

// exchange sends a request and reads its answer, as Do does, once.
func (c *Client) exchange(ctx context.Context, r Request, out any) (http.Header, error) {
	resp, err := c.send(ctx, r) //nolint:bodyclose // discard closes it
	if unsent, is := NotSent(r.Op, err); is {
		return nil, unsent
	}
	if err != nil {
		return nil, c.unanswered(ctx, r.Op, err)
	}
	defer discard(resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.Header, c.refused(ctx, r.Op, resp)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return resp.Header, nil
	}
	return resp.Header, c.read(ctx, r.Op, resp.Body, out)
}

// read reads the body of a successful answer into out.
func (c *Client) read(ctx context.Context, op string, body io.Reader, out any) error {
	var decoded error
	err := c.answers.Read(ctx, body, maxAnswer, func(raw []byte) error {
		decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
		decoder.UseNumber()
		decoded = decoder.Decode(out)
		return nil
	})
	switch {
	case errors.Is(err, remote.ErrTooLong):
		return &connector.Error{Kind: connector.KindInvalid, Op: op, Message: fmt.Sprintf("%s answered with more than %d MB", c.Vendor.Name, maxAnswer>>20)}
	case err != nil:
		return c.unanswered(ctx, op, err)
	case errors.Is(decoded, io.ErrUnexpectedEOF):
		return c.unanswered(ctx, op, decoded)
	case decoded != nil:
		// The cause is left out: it can quote what was read.
		return Contradictory(op, c.Vendor.Name+" answered with something else than was asked for: check that the url leads to its API, and that no proxy answers in its place")
	}
	return nil
}

// Contradictory returns the error for an answer that claims success and proves nothing.
func Contradictory(op, message string) error {
	return &connector.Error{Kind: connector.KindContradictory, Op: op, Message: message}
}

// send sends a request. If the vendor refuses the token and there is another one, it sends
// the request again with that.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	address, err := c.address(ctx, r)
	if err != nil {
		return nil, err
	}
	body, mediaType, err := encode(r.Body)
	if err != nil {
		return nil, err
	}
	resp, used, err := c.sendOnce(ctx, r, address, body, mediaType)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !c.Credentials.Renew(used) {
		return resp, err
	}
	discard(resp.Body)
	resp, _, err = c.sendOnce(ctx, r, address, body, mediaType)
	return resp, err
}

// encode returns a body and its media type.
func encode(body any) (encoded []byte, mediaType string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case url.Values:
		return []byte(body.Encode()), "application/x-www-form-urlencoded", nil
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(body)
	return buf.Bytes(), "application/json", err
}

// address returns where a request goes.
func (c *Client) address(ctx context.Context, r Request) (string, error) {
	base, err := c.Base(ctx, r.Op)
	if err != nil {
		return "", err
	}
	if r.Link != "" {
		link, err := url.Parse(r.Link)
		if err != nil || link.Scheme != base.Scheme || link.Host != base.Host || link.User != nil {
			return "", Contradictory(r.Op, c.Vendor.Name+" sends us to another host for the next page, where the token must not go")
		}
		return link.String(), nil
	}
	address := base.String() + r.Path
	if len(r.Query) > 0 {
		// Some services take "+" for itself, so spaces are sent as %20.
		address += "?" + strings.ReplaceAll(r.Query.Encode(), "+", "%20")
	}
	return address, nil
}

// sendOnce sends a request, and returns the Authorization header that it used.
func (c *Client) sendOnce(ctx context.Context, r Request, address string, body []byte, mediaType string) (resp *http.Response, used string, err error) {
	if err := c.turns().Await(ctx); err != nil {
		return nil, "", err
	}
	if used, err = c.Credentials.Header(ctx, r.Op); err != nil {
		return nil, "", err
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("User-Agent", "tenure")
	req.Header.Set("Accept", "application/json")
	for _, header := range []http.Header{c.Header, r.Header} {
		maps.Copy(req.Header, header)
	}
	req.Header.Set("Authorization", used)
	if mediaType != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err = c.http.Do(req)
	return resp, used, err
}

// unanswered returns the error for a request that got no answer.
func (c *Client) unanswered(ctx context.Context, op string, err error) error {
	return remote.Unanswered(ctx, op, c.Vendor.Name, c.http.Timeout, err)
}

// discard reads what is left of a short body, so that the connection can be used again, and
// closes it.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxFailure)
	_ = body.Close()
}
