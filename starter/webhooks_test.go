package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/service"
)

const webhookKey = "0123456789abcdef0123456789abcdef"

// webhooks returns the section webhooks of a configuration.
func (s *site) webhooks(listen string) string {
	s.t.Helper()
	s.t.Setenv("TENURE_TEST_WEBHOOK_KEY", webhookKey)
	return `webhooks:
  listen: "` + listen + `"
  endpoints:
    - {path: /hr, topic: hr.events, scheme: hmac, secrets: ["${env:TENURE_TEST_WEBHOOK_KEY}"], rate: 100000/s}
`
}

// intake returns the address at which webhooks are taken.
func (s *site) intake() string {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.logged("taking webhooks") }, patience, tick)
	return s.logs.FilterMessageSnippet("taking webhooks").All()[0].ContextMap()["address"].(string)
}

// committed returns the number of records of hr.events that are committed.
func (s *site) committed() (records int64) {
	group := s.cluster.GroupInfo("tenure")
	if group == nil {
		return 0 // nobody has joined it yet
	}
	for _, commit := range group.Commits["hr.events"] {
		records += commit.Offset
	}
	return records
}

// signed returns a webhook with a valid signature.
func (s *site) signed(path string, body []byte) *http.Request {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.intake()+path, bytes.NewReader(body))
	require.NoError(s.t, err)
	mac := hmac.New(sha256.New, []byte(webhookKey))
	mac.Write(body)
	req.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	req.Header.Set("Content-Type", "application/cloudevents+json")
	return req
}

// post sends a signed webhook, and returns the status of the answer.
func (s *site) post(path string, body []byte) int {
	s.t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.DefaultClient.Do(s.signed(path, body))
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	return resp.StatusCode
}

func hired(t *testing.T, person string) []byte {
	t.Helper()
	day := hr.Date{Year: 2026, Month: 1, Day: 5}
	value, err := cloudevents.Encode(hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "e-" + person}, Type: hr.EventHired, PersonID: person,
		Effective: day, Recorded: day.StartIn(time.UTC),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Georgi", FamilyName: "Facello",
			Location: hr.Location{TimeZone: "Europe/Vienna"}, StartDate: day,
		},
	})
	require.NoError(t, err)
	return value
}

func TestAWebhookReachesLedgerAndTemporal(t *testing.T) {
	f := &frontend{}
	s := newSite(t, f.serve(t, "127.0.0.1:0"))
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, patience, 10*time.Millisecond)
	_, body := s.probe("/readyz")
	assert.JSONEq(t, `{"ledger":"ok","temporal":"ok","kafka":"ok","webhooks":"ok"}`, body)

	require.Equal(t, http.StatusOK, s.post("/hr", hired(t, "10001")))
	require.Equal(t, http.StatusOK, s.post("/hr", hired(t, "10001")), "sent again")
	assert.Equal(t, http.StatusNotFound, s.post("/hr/", hired(t, "10002")))
	require.Eventually(t, func() bool { return len(f.requests()) == 1 }, patience, tick)
	assert.Equal(t, "person:10001", f.requests()[0].GetWorkflowId())
	require.Eventually(t, func() bool { return s.committed() == 2 }, patience, tick)
	require.NoError(t, stop())
	assert.Len(t, f.requests(), 1, "the second is a duplicate")
	assert.False(t, s.logged("something in the record is odd"), "a record without a key would be")

	l, err := sqlite.Open(t.Context(), filepath.Join(s.dir, "tenure.db"))
	require.NoError(t, err)
	defer l.Close()
	person, err := l.Person(t.Context(), "10001")
	require.NoError(t, err)
	assert.Len(t, person.Events, 1)
	assert.Empty(t, s.logs.FilterMessageSnippet("Georgi").All())
}

func TestWebhooksAreTakenWhileTemporalIsWaitedFor(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Equal(t, http.StatusOK, s.post("/hr", hired(t, "10001")))
	code, _ := s.probe("/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	require.Error(t, stop(), "it was cancelled")
}

func TestWebhooksAlone(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	s.only = onlyWebhooks
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Equal(t, http.StatusOK, s.post("/hr", hired(t, "10001")))
	code, body := s.probe("/readyz")
	assert.Equal(t, http.StatusOK, code)
	assert.JSONEq(t, `{"webhooks":"ok"}`, body)
	s.cluster.Close()
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusServiceUnavailable }, patience, 10*time.Millisecond)
	require.NoError(t, stop())
	assert.NoFileExists(t, filepath.Join(s.dir, "tenure.db"))
	assert.False(t, s.logged("waiting for Temporal"))
}

// elsewhere holds parts of a configuration whose secrets and files are on other machines.
const elsewhere = `ledger: {url: "postgres://tenure:${env:NOT_HERE}@db/tenure"}
apps:
  wiki: {connector: scim, settings: {url: https://wiki.example/scim, token: "${file:not-here}"}}
  directory:
    connector: ldap
    settings: {url: ldaps://ldap.example, bindDN: "cn=tenure", password: "${env:NOT_HERE}", ca: not-here.pem, people: "ou=people", groups: "ou=groups"}
`

// kafka returns the beginning of a configuration, with more settings of Kafka.
func (s *site) kafka(more string) string {
	return `kafka: {brokers: ["` + s.cluster.ListenAddrs()[0] + `"]` + more + `}
metrics: {starter: "127.0.0.1:0"}
`
}

// A process that can be reached from outside needs no secrets but its own.
func TestWebhooksAloneNeedNoOtherSecrets(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	s.only = onlyWebhooks
	topics := `, topics: [{name: hr.events}, {name: people, source: bamboohr, settings: {zone: Europe/Vienna, url: https://hr.example, apiKey: "${file:not-here}"}}]`
	stop := s.start(s.kafka(topics) + elsewhere + s.webhooks("127.0.0.1:0"))
	require.Equal(t, http.StatusOK, s.post("/hr", hired(t, "10001")))
	require.NoError(t, stop())
	assert.NoError(t, os.Remove(filepath.Join(s.dir, "tenure.yaml")))
	left, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The error names the secret or file that a part of the process needs and that is
// missing.
func TestEachPartNeedsItsOwnSecrets(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	hooks := strings.Replace(s.webhooks("127.0.0.1:0"), "TENURE_TEST_WEBHOOK_KEY", "NO_KEY", 1)
	for name, c := range map[string]struct {
		only, yaml string
		missing    []string
	}{
		"webhooks": {onlyWebhooks, s.kafka("") + elsewhere + hooks, []string{"webhooks.endpoints[0].secrets[0]"}},
		"consumer": {onlyConsumer, s.kafka("") + elsewhere + hooks, []string{"ledger.url"}},
		"both":     {"", s.kafka("") + elsewhere + hooks, []string{"webhooks.endpoints[0].secrets[0]", "ledger.url"}},
		"Kafka's are shared": {
			onlyWebhooks,
			s.kafka(`, sasl: {mechanism: plain, username: tenure, password: "${env:NO_KEY}"}, tls: {}`) + elsewhere + s.webhooks("127.0.0.1:0"),
			[]string{"kafka.sasl.password"},
		},
	} {
		path := filepath.Join(s.dir, "tenure.yaml")
		require.NoError(t, os.WriteFile(path, []byte(c.yaml), 0o600))
		err := run(t.Context(), &service.Process{ConfigPath: path, Log: s.log, Metrics: prometheus.NewRegistry()}, c.only)
		require.Error(t, err, name)
		for _, missing := range c.missing {
			assert.ErrorContains(t, err, missing, name)
		}
		assert.Equal(t, len(c.missing), strings.Count(err.Error(), "is missing"), "%s: %v", name, err)
	}
}

func TestTheConsumerAlone(t *testing.T) {
	s := newSite(t, (&frontend{}).serve(t, "127.0.0.1:0"))
	s.only = onlyConsumer
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, patience, 10*time.Millisecond)
	_, body := s.probe("/readyz")
	assert.JSONEq(t, `{"ledger":"ok","temporal":"ok","kafka":"ok"}`, body)
	assert.False(t, s.logged("taking webhooks"))
	require.NoError(t, stop())
}
