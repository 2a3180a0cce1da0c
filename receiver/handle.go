package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/receiver/scheme"
)

// The headers that the intake adds to a record.
const (
	HeaderRequest  = "tenure-webhook-request"  // ID of the request, also in its answer and in the log
	HeaderEndpoint = "tenure-webhook-endpoint" // path
	HeaderReceived = "tenure-webhook-received" // time of receipt, RFC 3339
)

// ServeHTTP answers one request.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, id, path := time.Now(), uuid.NewString(), ""
	o := unknownPath
	if e := in.endpoints[r.URL.Path]; e != nil {
		path = e.Path
		o = in.take(e, id, w, r)
	}
	in.metrics.requests.WithLabelValues(path, o.name).Inc()
	if o == accepted {
		in.metrics.seconds.WithLabelValues(path).Observe(time.Since(began).Seconds())
	}
	answer(w, id, o)
}

// answer writes an outcome.
func answer(w http.ResponseWriter, id string, o outcome) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if o.again > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(o.again))
	}
	w.WriteHeader(o.status)
	_ = json.NewEncoder(w).Encode(struct { // an error means that the sender has gone
		Request string `json:"request"`
		Text    string `json:"text"`
	}{id, o.text})
}

// take checks a request to an endpoint and publishes it.
func (in *Intake) take(e *endpoint, id string, w http.ResponseWriter, r *http.Request) outcome {
	log := in.log.With(zap.String("endpoint", e.Path), zap.String("request", id))
	if o, ok := in.glance(w, r); !ok {
		in.logRefusal(log, o, "")
		return o
	}
	body, o := in.read(e, w, r)
	if o != accepted {
		in.logRefusal(log, o, "")
		return o
	}
	received := time.Now()
	secrets, all := e.keys.now()
	if why := e.Verifier.Verify(scheme.Request{Header: r.Header, Body: body}, secrets, received); why != scheme.Taken {
		if why == scheme.Wrong && !all { // the secret that cannot be read now may match: let the sender try again
			in.metrics.refused.WithLabelValues(e.Path, string(why)).Inc()
			in.logRefusal(log, unavailable, "a secret cannot be read")
			return unavailable
		}
		in.metrics.refused.WithLabelValues(e.Path, string(why)).Inc()
		in.logRefusal(log, unauthorized, string(why))
		return unauthorized
	}
	in.connections.serves(r.Context())
	if !e.limit.AllowN(received, 1) {
		o := throttled
		o.status = e.Verifier.Throttled()
		in.logRefusal(log, o, "")
		return o
	}
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	default:
		in.logRefusal(log, busy, "")
		return busy
	}
	return in.publish(r.Context(), log, e, e.message(id, r.Header, body, received))
}

// glance refuses what can be refused without reading the body.
func (in *Intake) glance(w http.ResponseWriter, r *http.Request) (outcome, bool) {
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return wrongMethod, false
	case !takenType(r.Header.Get("Content-Type")) || !plain(r.Header.Values("Content-Encoding")):
		return wrongType, false
	case r.ContentLength > in.options.MaxBody:
		return tooLarge, false
	}
	return accepted, true
}

// takenType reports whether a content type is one that HR systems send: JSON of any
// kind, or a form.
func takenType(header string) bool {
	media, _, err := mime.ParseMediaType(header)
	return err == nil && (media == "application/json" || media == "application/x-www-form-urlencoded" ||
		strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}

// plain reports whether a body is not encoded.
func plain(encodings []string) bool {
	return !slices.ContainsFunc(encodings, func(e string) bool { return e != "" && !strings.EqualFold(e, "identity") })
}

// read reads the body. It refuses the request if there is no room for it.
func (in *Intake) read(e *endpoint, w http.ResponseWriter, r *http.Request) ([]byte, outcome) {
	control := http.NewResponseController(w)
	// An error means that the request is over.
	leave, ok := e.readers.enter(senderOf(r, in.options.BehindProxy), func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
	if !ok {
		return nil, busy
	}
	defer leave()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, in.options.MaxBody))
	var overlong *http.MaxBytesError
	switch {
	case errors.As(err, &overlong):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, slowBody
	case err != nil:
		return nil, brokenBody
	case len(body) == 0:
		return nil, emptyBody
	}
	return body, accepted
}

// message returns the record of a request.
func (e *endpoint) message(id string, header http.Header, body []byte, received time.Time) Message {
	m := Message{Value: body, Headers: map[string]string{
		HeaderRequest:  id,
		HeaderEndpoint: e.Path,
		HeaderReceived: received.UTC().Format(time.RFC3339Nano),
		"content-type": header.Get("Content-Type"),
	}}
	for _, name := range e.Verifier.Kept() {
		m.Headers[name] = header.Get(name)
	}
	if e.Key != nil {
		m.Key = e.Key(m.Headers, body)
	}
	return m
}

// publish writes the record, if the broker can be reached. It does not stop when the sender
// hangs up or the process is told to stop: it soon knows whether the broker has the record.
func (in *Intake) publish(ctx context.Context, log *zap.Logger, e *endpoint, m Message) outcome {
	if !e.gate.enter() {
		return unavailable // the request that is waiting logs it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.options.Tuning.Publish)
	defer cancel()
	err := in.options.Publish(ctx, e.Topic, m)
	if errors.Is(err, context.DeadlineExceeded) {
		e.gate.leave(err)
	} else {
		e.gate.leave(nil)
	}
	if errors.Is(err, ErrRefused) {
		log.Error("a webhook was answered with 413: the broker refuses its message", zap.String("topic", e.Topic), zap.Error(err))
		return tooLarge
	}
	if err != nil {
		log.Error("a webhook could not be written to its topic, and was answered with 503, so that it comes again",
			zap.String("topic", e.Topic), zap.Error(err))
		return unavailable
	}
	log.Info("webhook accepted", zap.String("topic", e.Topic), zap.Int("bytes", len(m.Value)))
	return accepted
}

// logRefusal logs that a request was refused. If there are very many, it logs only some of
// them, so that they do not fill the log. The metrics count all.
func (in *Intake) logRefusal(log *zap.Logger, o outcome, reason string) {
	in.refusals.Do(func() {
		log.Warn("webhook refused", zap.String("outcome", o.name), zap.String("reason", reason), zap.Int("status", o.status))
	})
}
