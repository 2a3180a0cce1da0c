//go:build real

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

// takeWebhooks runs a starter that takes webhooks only, on a real cluster.
func takeWebhooks(t *testing.T, brokers []string) *site {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	s := &site{t: t, dir: t.TempDir(), logs: logs, log: zap.New(core), metrics: prometheus.NewRegistry(), only: onlyWebhooks}
	quoted := `["` + strings.Join(brokers, `", "`) + `"]`
	s.start("kafka: {brokers: " + quoted + "}\nledger: {url: \"sqlite:tenure.db\"}\nmetrics: {starter: \"127.0.0.1:0\"}\n" + s.webhooks("127.0.0.1:0"))
	require.Eventually(t, func() bool { return s.logged("taking webhooks") }, patience, tick)
	return s
}

// request posts a webhook and returns the request ID of the answer.
func (s *site) request(client *http.Client, body string) (status int, id string, err error) {
	req := s.signed("/hr", []byte(body))
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err
	}
	var answer struct{ Request string }
	err = json.Unmarshal(content, &answer)
	return resp.StatusCode, answer.Request, err
}

// requestsOn returns the IDs of the requests whose records are on a topic.
func requestsOn(t *testing.T, brokers []string, topic string, partitions int) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	found := map[string]int{}
	for id := range partitions {
		var end int64
		require.Eventually(t, func() bool {
			conn, err := kafka.DialLeader(ctx, "tcp", brokers[0], topic, id)
			if err != nil {
				return false
			}
			defer conn.Close()
			end, err = conn.ReadLastOffset()
			return err == nil
		}, time.Minute, 100*time.Millisecond)
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: brokers, Topic: topic, Partition: id, MaxWait: 50 * time.Millisecond, ReadLagInterval: -1})
		for offset := int64(0); offset < end; offset++ {
			m, err := reader.ReadMessage(ctx)
			require.NoError(t, err)
			for _, h := range m.Headers {
				if h.Key == "tenure-webhook-request" {
					found[string(h.Value)]++
				}
			}
		}
		require.NoError(t, reader.Close())
	}
	return found
}

// Whatever happens to brokers, a webhook is acknowledged only if its record is on the
// topic, and the intake recovers without help.
func TestNoWebhookIsAcknowledgedAndLost(t *testing.T) {
	const (
		partitions = 3
		senders    = 8
	)
	cluster := brokertest.Start(t, brokertest.Options{Brokers: 3})
	cluster.CreateTopic("hr.events", partitions, nil)
	s := takeWebhooks(t, cluster.Brokers())
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	t.Cleanup(client.CloseIdleConnections)

	var mu sync.Mutex
	acknowledged := map[string]bool{}
	statuses := map[int]int{}
	var enough atomic.Bool
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for n := 0; !enough.Load(); n++ {
				status, id, err := s.request(client, fmt.Sprintf(`{"subject":"%d","n":%d}`, 10_000+sender, n))
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				statuses[status]++
				if status == http.StatusOK {
					acknowledged[id] = true
				}
				mu.Unlock()
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged)
	}
	refusals := func() int {
		mu.Lock()
		defer mu.Unlock()
		return statuses[http.StatusServiceUnavailable]
	}
	progress := func(since int) {
		t.Helper()
		require.Eventually(t, func() bool { return count() > since+50 }, 2*time.Minute, 10*time.Millisecond, "webhooks are taken")
	}
	progress(0)
	for _, victim := range []int{0, 1} {
		cluster.Kill(victim)
		progress(count()) // two of three brokers are enough, and one is not
		second := (victim + 1) % 3
		cluster.Pause(second)
		before := refusals()
		require.Eventually(t, func() bool { return refusals() > before+5 }, time.Minute, tick)
		cluster.Resume(second)
		progress(count())
		cluster.Restart(victim)
		progress(count())
	}
	enough.Store(true)
	wg.Wait()

	found := requestsOn(t, cluster.Brokers(), "hr.events", partitions)
	lost := 0
	for id := range acknowledged {
		if found[id] == 0 {
			lost++
		}
	}
	assert.Zero(t, lost, "of %d acknowledged", len(acknowledged))
	assert.NotZero(t, statuses[http.StatusServiceUnavailable], "the outages were felt")
	for status := range statuses {
		assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status)
	}
	t.Logf("answers by status: %v; records on the topic: %d", statuses, len(found))
}

// While the broker is gone or stalled, the answer is 503 within the deadline. As soon as
// the broker is back, it is 200.
func TestALostBrokerMeansComeAgain(t *testing.T) {
	cluster := brokertest.Start(t, brokertest.Options{})
	cluster.CreateTopic("hr.events", 1, nil)
	s := takeWebhooks(t, cluster.Brokers())
	client := &http.Client{Timeout: time.Minute}
	t.Cleanup(client.CloseIdleConnections)
	taken := func() bool {
		status, _, err := s.request(client, `{"subject":"10001"}`)
		require.NoError(t, err)
		return status == http.StatusOK
	}
	for name, fault := range map[string]struct{ begin, end func(int) }{
		"killed":  {cluster.Kill, cluster.Restart},
		"stalled": {cluster.Pause, cluster.Resume},
	} {
		t.Run(name, func(t *testing.T) {
			require.Eventually(t, taken, time.Minute, 100*time.Millisecond)
			fault.begin(0)
			began := time.Now()
			require.False(t, taken())
			assert.Less(t, time.Since(began), 12*time.Second, "HR systems do not wait for ever")
			require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusServiceUnavailable }, time.Minute, 100*time.Millisecond)
			fault.end(0)
			require.Eventually(t, taken, time.Minute, 100*time.Millisecond, "without a restart")
			require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, time.Minute, 100*time.Millisecond)
		})
	}
	found := requestsOn(t, cluster.Brokers(), "hr.events", 1)
	assert.NotEmpty(t, found)
}

// The examples of docs/webhooks.md work as they are written.
func TestExamplesOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/webhooks.md")
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, examples, 4)

	s := newSite(t, "127.0.0.1:1")
	s.only = onlyWebhooks
	t.Setenv("KEY", webhookKey)
	const secrets = `secrets: ["${env:KEY}"]}` + "\n"
	s.start(s.yaml("127.0.0.1:0") + `webhooks:
  listen: "127.0.0.1:0"
  endpoints:
    - {path: /bamboohr, topic: hr.events, scheme: bamboohr, ` + secrets + `
    - {path: /rippling, topic: hr.events, scheme: bearer, ` + secrets + `
    - {path: /hr, topic: hr.events, scheme: hmac, ` + secrets + `
    - {path: /standard, topic: hr.events, scheme: standard, ` + secrets)
	require.Eventually(t, func() bool { return s.logged("taking webhooks") }, patience, tick)
	t.Setenv("URL", "http://"+s.logs.FilterMessage("taking webhooks").All()[0].ContextMap()["address"].(string))
	for _, example := range examples {
		answer, err := exec.CommandContext(t.Context(), "bash", "-c", string(example[1])).CombinedOutput()
		require.NoError(t, err, "%s", answer)
		assert.Contains(t, string(answer), `"text":"accepted"`, "%s", example[1])
	}
}
