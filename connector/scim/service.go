package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

const (
	// maxAnswer is the longest answer that is read, in bytes. A page of 100
	// accounts is some 100 kB, a group of 50,000 members some 8 MB.
	maxAnswer = 16 << 20
	// maxAccount is how many bytes one account may take. Decoded, it takes many times as
	// much memory.
	maxAccount = 1 << 20
	// maxFailure is how much of an error's body is read, in bytes.
	maxFailure = 64 << 10
	mediaType  = "application/scim+json"
	// plainMediaType is for services that do not take mediaType.
	plainMediaType = "application/json"
)

// service sends requests to one SCIM service, and turns failures into the contract's errors.
type service struct {
	http        *http.Client
	base        *url.URL
	credentials credentials.Credentials
	userAgent   string
	timeout     time.Duration
	turns       rest.Turns
	answers     *remote.Answers
	learned     learned
	now         func() time.Time
}

// request describes one request. Errors contain nothing of its ID, its query or its body.
type request struct {
	op         string // of the contract, for errors
	method     string
	collection string // users, groups
	whole      bool   // about the collection itself, not one resource of it
	id         string // of the resource
	query      url.Values
	few        bool // of a list: its filter selects a few resources only, on as few pages
	ifMatch    string
	body       any
}

// do sends a request and reads a successful answer's body into out, unless out
// is nil. Numbers are read as json.Number. It returns the answer's ETag.
func (s *service) do(ctx context.Context, r request, out any) (etag string, err error) {
	header, err := s.exchange(ctx, r, out)
	return header.Get("ETag"), err
}

// exchange is like do, and returns the whole header of the answer. What fails in passing is
// tried once more: see remote.Again. What a quota refuses is sent again after the pause that the
// service asks for: see rest.Turns. What makes a resource is not, before somebody has looked: if
// the service had made it all the same, there would be two.
func (s *service) exchange(ctx context.Context, r request, out any) (header http.Header, err error) {
	if r.id == "" && !r.whole {
		return nil, noID(r.op)
	}
	send := func() error {
		header, err = s.exchangeOnce(ctx, r, out)
		return err
	}
	if r.method == http.MethodPost {
		err = send()
		return header, err
	}
	err = s.turns.Patiently(ctx, func() error { return remote.Again(ctx, remote.Reads(r.method), send) })
	return header, err
}

func (s *service) exchangeOnce(ctx context.Context, r request, out any) (http.Header, error) {
	resp, err := s.send(ctx, r) //nolint:bodyclose // discard closes it
	if err != nil {
		return nil, s.unanswered(ctx, r.op, err)
	}
	defer discard(resp.Body)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.Header, s.refused(ctx, r, resp)
	}
	if out == nil {
		return resp.Header, nil
	}
	most := int64(maxAnswer)
	if r.collection == users && !r.whole {
		most = maxAccount
	}
	if err = s.read(ctx, r.op, resp.Body, most, out); err == nil && r.collection == groups {
		s.learned.hasGroups.Store(true)
		s.learned.noGroups.refuted()
	}
	return resp.Header, err
}

func noID(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "no account has an empty ID"}
}

// read reads a successful answer's body, of at most so many bytes, into out.
func (s *service) read(ctx context.Context, op string, body io.Reader, most int64, out any) error {
	var decoded error
	err := s.answers.Read(ctx, body, most, func(raw []byte) error {
		decoded = decode(raw, out)
		return nil
	})
	switch {
	case errors.Is(err, remote.ErrTooLong):
		return tooLong(op, most)
	case err != nil:
		return s.unanswered(ctx, op, err)
	case errors.Is(decoded, io.ErrUnexpectedEOF):
		return s.unanswered(ctx, op, decoded)
	case decoded != nil:
		return noSCIM(op)
	}
	return nil
}

// decode reads JSON, numbers as json.Number.
func decode(raw []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))) // some services send a byte order mark
	decoder.UseNumber()
	return decoder.Decode(out)
}

func tooLong(op string, most int64) error {
	message := fmt.Sprintf("the answer is longer than %d MB: lower the service's page size", most>>20)
	if most == maxAccount {
		message = "an account takes more than 1 MB in the app: find out what it holds, and have it removed"
	}
	return &connector.Error{Kind: connector.KindInvalid, Op: op, Message: message}
}

// send sends a request. If the service refuses the credentials and there are others, it sends
// the request again with those.
func (s *service) send(ctx context.Context, r request) (*http.Response, error) {
	var body []byte
	if r.body != nil {
		var buf bytes.Buffer
		encoder := json.NewEncoder(&buf)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r.body); err != nil {
			return nil, err
		}
		body = buf.Bytes()
	}
	types := []string{mediaType, plainMediaType}
	if s.learned.plainJSON.holds(s.now()) {
		slices.Reverse(types)
	}
	resp, used, err := s.sendOnce(ctx, r, body, types[0])
	if err == nil && resp.StatusCode == http.StatusUnsupportedMediaType && r.body != nil {
		discard(resp.Body)
		slices.Reverse(types)
		if resp, used, err = s.sendOnce(ctx, r, body, types[0]); err == nil && resp.StatusCode != http.StatusUnsupportedMediaType {
			s.learned.plainJSON.settle(s.now(), types[0] == plainMediaType)
		}
	}
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !s.credentials.Renew(used) {
		return resp, err
	}
	discard(resp.Body)
	resp, _, err = s.sendOnce(ctx, r, body, types[0])
	return resp, err
}

// sendOnce sends a request, and returns the Authorization header that it used.
func (s *service) sendOnce(ctx context.Context, r request, body []byte, contentType string) (resp *http.Response, used string, err error) {
	if err := s.turns.Await(ctx); err != nil {
		return nil, "", err
	}
	if used, err = s.credentials.Header(ctx, r.op); err != nil {
		return nil, "", err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, s.address(r), bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", used)
	req.Header.Set("User-Agent", s.userAgent)
	req.Header.Set("Accept", mediaType+", application/json;q=0.9")
	if r.body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	resp, err = s.http.Do(req)
	return resp, used, err
}

func (s *service) address(r request) string {
	address := s.base.String() + "/" + r.collection
	if !r.whole {
		address += "/" + url.PathEscape(r.id)
	}
	if len(r.query) > 0 {
		// Some services take "+" for itself, so spaces are sent as %20.
		address += "?" + strings.ReplaceAll(r.query.Encode(), "+", "%20")
	}
	return address
}

// refused returns the error for an answer that is not a success. A 404 that does not come
// from a SCIM service proves nothing about an account: a wrong url or a failing proxy answers
// so too. It counts only if a SCIM service answers there, and answers 404 again.
func (s *service) refused(ctx context.Context, r request, resp *http.Response) error {
	failure := readAnswer(resp)
	failure.creating = r.method == http.MethodPost
	failure.lookup, _, _ = strings.Cut(r.query.Get("filter"), " ")
	err := failure.asError(r.op, r.whole)
	if err.Kind != connector.KindNotFound || failure.scim {
		return err
	}
	if probe := s.probe(ctx, r.op, users); probe != nil {
		return probe
	}
	if r.collection == groups && r.method != http.MethodGet {
		return err // no caller concludes from it that anything is gone
	}
	again, failed := s.send(ctx, request{op: r.op, method: http.MethodGet, collection: r.collection, id: r.id}) //nolint:bodyclose // discard closes it
	if failed != nil {
		return s.unanswered(ctx, r.op, failed)
	}
	defer discard(again.Body)
	if again.StatusCode == http.StatusNotFound {
		return err
	}
	return &connector.Error{
		Kind: connector.KindUnavailable, Op: r.op, Cause: failure,
		Message: fmt.Sprintf("the app answered 404 and, asked again, %d: neither is believed", again.StatusCode),
	}
}

// probe asks for any one resource of a collection. It fails unless a SCIM service answers.
func (s *service) probe(ctx context.Context, op, collection string) error {
	_, err := s.page(ctx, request{op: op, collection: collection}, position{}, 1)
	return err
}

// unanswered returns the error for a request that got no answer.
func (s *service) unanswered(ctx context.Context, op string, err error) error {
	if unsent, is := rest.NotSent(op, err); is {
		return unsent
	}
	return remote.Unanswered(ctx, op, "the app", s.timeout, err)
}

// noSCIM returns the error for an answer with a status of success that is not SCIM. It leaves
// out the cause, since a decoder's error can quote what it read.
func noSCIM(op string) error {
	return connector.Invalid(op, "the answer is not SCIM: check that the url setting is the base URL of a SCIM 2.0 service")
}

// discard reads what is left of a short body, so that the connection can be used
// again, and closes it.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxFailure)
	_ = body.Close()
}
