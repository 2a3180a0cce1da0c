package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"slices"
	"time"
)

// request holds what Tenure sends. An operation uses some of its fields.
type request struct {
	Operation    string         `json:"operation"`
	By           string         `json:"by"`
	Value        string         `json:"value"`
	AccountID    string         `json:"accountId"`
	ToAccountID  string         `json:"toAccountId"`
	PersonID     string         `json:"personId"`
	Account      account        `json:"account"`
	Attributes   map[string]any `json:"attributes"`
	Entitlements []string       `json:"entitlements"`
	Cursor       string         `json:"cursor"`
}

// handler serves the contract.
type handler struct {
	verifier *verifier
	store    *store
	answers  *answers
}

// statuses maps the names of errors to statuses. Tenure goes by the name in the body.
var statuses = map[string]int{
	"unauthorized": http.StatusUnauthorized,
	"not_found":    http.StatusNotFound,
	"exists":       http.StatusConflict,
	"conflict":     http.StatusPreconditionFailed,
	"invalid":      http.StatusUnprocessableEntity,
	"unsupported":  http.StatusNotImplemented,
	"unavailable":  http.StatusServiceUnavailable,
}

// failure is an error: its name in the contract.
type failure string

func (f failure) Error() string { return string(f) }

// object is a JSON object to answer with.
type object map[string]any

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 1 << 20
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		reply(w, nil, failure("invalid"))
		return
	}
	if !h.verifier.verify(r.Header, body, time.Now()) {
		reply(w, nil, failure("unauthorized"))
		return
	}
	var ask request
	if err := json.Unmarshal(body, &ask); err != nil {
		reply(w, nil, failure("invalid"))
		return
	}
	do, ok := operations[ask.Operation]
	if !ok {
		reply(w, nil, failure("unsupported"))
		return
	}
	if slices.Contains(looks, ask.Operation) { // always answered anew
		answer, err := do(h.store, ask)
		reply(w, answer, err)
		return
	}
	answer, err := h.answers.once(r.Header.Get("webhook-id"), time.Now(), func() (any, error) { return do(h.store, ask) })
	reply(w, answer, err)
}

// reply sends an answer, or the error.
func reply(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		var known failure
		if !errors.As(err, &known) {
			log.Print(err) // ours: a full disk, say
			known = "unavailable"
		}
		w.WriteHeader(statuses[string(known)])
		answer = object{"error": string(known)}
	}
	_ = json.NewEncoder(w).Encode(answer) // Tenure asks again if it gets no answer
}
