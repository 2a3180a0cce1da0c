package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/service"
)

func TestConfigCheckConnect(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "hr.events", "hr.events.dlq"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	broker := cluster.ListenAddrs()[0]
	s.write("tenure.yaml", "kafka: {brokers: [\""+broker+"\"], topics: [{name: hr.events}, {name: no.such}]}\nledger: {url: \"sqlite:ledger.db\"}\n")

	r := s.run("config", "check", "--connect", "--timeout", "10s", "-o", "json")
	assert.Equal(t, service.ExitFailed, r.code)
	assert.Equal(t, "configuration: tenure.yaml\ntenure: not reached: Temporal\n", r.err)
	var v struct{ Systems []checkup.Report }
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &v), r.stdout)
	require.Len(t, v.Systems, 3)
	kafka, temporal, ledger := v.Systems[0], v.Systems[1], v.Systems[2]
	assert.True(t, kafka.Reached)
	assert.Equal(t, "User:ANONYMOUS (nobody signs in)", kafka.Identity)
	assert.Equal(t, 2, kafka.Count(checkup.Missing), "%v", kafka.Findings)
	assert.False(t, temporal.Reached)
	assert.True(t, ledger.Reached)
	assert.Equal(t, 1, ledger.Count(checkup.Note))
	_, err = os.Stat("ledger.db")
	assert.ErrorIs(t, err, os.ErrNotExist, "looking at a ledger makes none")

	r = s.run("config", "check", "--connect")
	assert.Contains(t, r.stdout, "  missing  topic no.such: it does not exist\n           kafka-topics.sh --bootstrap-server "+broker+" --create --topic no.such --partitions 6 --replication-factor 3\n")
	assert.Contains(t, r.stdout, "Temporal at 127.0.0.1:1 as nobody in particular (nobody signs in, and connections are not encrypted): not reached\n")
}

func TestVerdict(t *testing.T) {
	report := func(reached bool, verdicts ...checkup.Verdict) []checkup.Report {
		r := checkup.Report{System: "Kafka", Reached: reached}
		for _, v := range verdicts {
			r.Add("", v, "", "")
		}
		return []checkup.Report{{System: "ledger", Reached: true}, r}
	}
	assert.NoError(t, verdict(nil))
	assert.NoError(t, verdict(report(true, checkup.OK, checkup.Note)))
	assert.ErrorIs(t, verdict(report(true, checkup.Missing)), errAttention)
	assert.ErrorIs(t, verdict(report(true, checkup.Unknown)), errAttention)
	assert.EqualError(t, verdict(report(false, checkup.Missing)), "not reached: Kafka")
}
