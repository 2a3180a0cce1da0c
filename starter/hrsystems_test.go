package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// hrSystem is an HR system that sends webhooks, and serves the records that they refer to.
type hrSystem struct {
	kind, scheme string
	example      string // one of the kind's golden files
	settings     string // settings of the topic, besides the URL
	contentType  string // the webhook's content type
	path         string // the path of the employee in the API
	mayAsk       func(*http.Request) bool
	sign         func(*http.Request, []byte)
	person       string
	events       []hr.EventType
	workflow     string
	asked        int // how often the API has to be called for two deliveries
}

func (h hrSystem) file(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../hr/source", h.kind, "testdata/golden", h.example, name))
	require.NoError(t, err)
	return content
}

func (h hrSystem) body(t *testing.T) []byte {
	t.Helper()
	if h.kind == "rippling" {
		return h.file(t, "record.form")
	}
	return h.file(t, "record.json")
}

func signBambooHR(r *http.Request, body []byte) {
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(webhookKey))
	mac.Write(body)
	mac.Write([]byte(timestamp))
	r.Header.Set("X-BambooHR-Signature", hex.EncodeToString(mac.Sum(nil)))
	r.Header.Set("X-BambooHR-Timestamp", timestamp)
}

// An event that an HR system sends in its own form arrives in the ledger and starts a
// workflow.
func TestHRSystemsWebhooksReachLedgerAndTemporal(t *testing.T) {
	askedBambooHR := func(r *http.Request) bool {
		user, _, _ := r.BasicAuth()
		return user == "the-api-key" && r.URL.Query().Get("fields") != ""
	}
	for name, system := range map[string]hrSystem{
		"bamboohr, thin": {
			kind: "bamboohr", scheme: "bamboohr", example: "event-created", contentType: "application/json",
			settings: `zone: Europe/Berlin, apiKey: "${env:TENURE_TEST_HR_KEY}"`, path: "/api/v1/employees/67890",
			mayAsk: askedBambooHR, sign: signBambooHR,
			person: "67890", events: []hr.EventType{hr.EventHired}, workflow: "Joiner", asked: 2,
		},
		"bamboohr, with its fields": {
			kind: "bamboohr", scheme: "bamboohr", example: "fields-updated", contentType: "application/json",
			settings: `zone: Europe/Berlin, apiKey: "${env:TENURE_TEST_HR_KEY}"`,
			mayAsk:   askedBambooHR, sign: signBambooHR,
			person: "12345", events: []hr.EventType{hr.EventUpdated}, workflow: "Mover",
		},
		"rippling": {
			kind: "rippling", scheme: "bearer", example: "hired", contentType: "application/x-www-form-urlencoded",
			settings: `zone: America/Los_Angeles, token: "${env:TENURE_TEST_HR_KEY}"`, path: "/platform/api/employees/5c8f7f06c592917aeee1ea9f",
			mayAsk: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer the-api-key" },
			sign:   func(r *http.Request, _ []byte) { r.Header.Set("Authorization", "Bearer "+webhookKey) },
			person: "5c8f7f06c592917aeee1ea9f", events: []hr.EventType{hr.EventHired}, workflow: "Joiner", asked: 2,
		},
	} {
		t.Run(name, func(t *testing.T) { system.reaches(t) })
	}
}

func (h hrSystem) reaches(t *testing.T) {
	asked := make(chan bool, 10)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		may := h.mayAsk(r) && r.URL.Path == h.path
		asked <- may
		if !may {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(h.file(t, "fetched/"+h.person))
	}))
	t.Cleanup(api.Close)
	f := &frontend{}
	s := newSite(t, f.serve(t, "127.0.0.1:0"))
	t.Setenv("TENURE_TEST_WEBHOOK_KEY", webhookKey)
	t.Setenv("TENURE_TEST_HR_KEY", "the-api-key")
	stop := s.start(`kafka:
  brokers: ["` + s.cluster.ListenAddrs()[0] + `"]
  topics: [{name: hr.events, source: ` + h.kind + `, settings: {url: "` + api.URL + `", ` + h.settings + `}}]
ledger: {url: "sqlite:tenure.db"}
metrics: {starter: "127.0.0.1:0"}
webhooks:
  listen: "127.0.0.1:0"
  endpoints:
    - {path: /hr, topic: hr.events, scheme: ` + h.scheme + `, secrets: ["${env:TENURE_TEST_WEBHOOK_KEY}"]}
`)
	body := h.body(t)
	assert.Equal(t, http.StatusUnauthorized, h.post(s, body, func(*http.Request, []byte) {}), "anybody can send that")
	require.Equal(t, http.StatusOK, h.post(s, body, h.sign))
	require.Equal(t, http.StatusOK, h.post(s, body, h.sign), "HR systems send again")
	require.Eventually(t, func() bool { return s.committed() == 2 }, patience, tick)
	require.NoError(t, stop())

	require.Len(t, f.requests(), 1, "the second is a duplicate")
	assert.Equal(t, "person:"+h.person, f.requests()[0].GetWorkflowId())
	assert.Equal(t, h.workflow, f.requests()[0].GetWorkflowType().GetName())
	assert.Len(t, asked, h.asked)
	for range h.asked {
		assert.True(t, <-asked, "the API knows who asks, and is asked for the right person")
	}

	l, err := sqlite.Open(t.Context(), filepath.Join(s.dir, "tenure.db"))
	require.NoError(t, err)
	defer l.Close()
	person, err := l.Person(t.Context(), h.person)
	require.NoError(t, err)
	var events []hr.EventType
	for _, e := range person.Events {
		events = append(events, e.Event.Type)
		assert.Equal(t, "Bryony", e.Event.Profile.GivenName)
	}
	assert.Equal(t, h.events, events)
	assert.Zero(t, s.cluster.PartitionInfo("hr.events.dlq", 0).HighWatermark)

	kind, ok := catalog.Lookup(h.kind)
	require.True(t, ok)
	records := s.records("hr.events")
	require.Len(t, records, 2)
	for _, r := range records {
		assert.Equal(t, body, r.Value, "as it was sent")
		assert.Equal(t, h.person, string(r.Key))
		assert.Equal(t, kind.KeyOf(source.Record{Headers: map[string]string{"content-type": h.contentType}, Value: body}), string(r.Key))
		assert.Equal(t, records[0].Partition, r.Partition, "one person's stay together")
		for _, header := range r.Headers {
			assert.NotContains(t, string(header.Value), webhookKey)
			assert.NotEqual(t, "x-bamboohr-signature", header.Key)
		}
	}
	for _, entry := range s.logs.All() {
		assert.NotContains(t, entry.Message, "Bryony")
		for field, value := range entry.ContextMap() {
			assert.NotContains(t, fmt.Sprint(value), "Bryony", field)
		}
	}
}

// post sends a webhook as the HR system does, and returns the status of the answer.
func (h hrSystem) post(s *site, body []byte, sign func(*http.Request, []byte)) int {
	s.t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.intake()+"/hr", bytes.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", h.contentType)
	sign(req, body)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	return resp.StatusCode
}

// records returns the records of a topic, partition by partition.
func (s *site) records(topic string) []kafka.Message {
	s.t.Helper()
	var all []kafka.Message
	for partition := range 2 {
		end := s.cluster.PartitionInfo(topic, int32(partition)).HighWatermark
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: s.cluster.ListenAddrs(), Topic: topic, Partition: partition, MaxWait: tick})
		for range end {
			m, err := reader.ReadMessage(s.t.Context())
			require.NoError(s.t, err)
			all = append(all, m)
		}
		require.NoError(s.t, reader.Close())
	}
	return all
}
