package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/workflows"
)

func counter(t *testing.T, v *prometheus.CounterVec, labels ...string) float64 {
	t.Helper()
	return read(t, v.WithLabelValues(labels...)).GetCounter().GetValue()
}

func read(t *testing.T, m prometheus.Metric) *dto.Metric {
	t.Helper()
	var out dto.Metric
	require.NoError(t, m.Write(&out))
	return &out
}

// collected returns the values of a registry's counters and gauges, and the counts of its
// histograms, by name and label values.
func collected(t *testing.T, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// value returns the value of one of a consumer's metrics. name holds the metric's name,
// and the values of its labels.
func (r *rig) value(c *Consumer, name string) float64 {
	r.t.Helper()
	return collected(r.t, r.metrics[c])[name]
}

func TestMetricsTellOfAnOutage(t *testing.T) {
	r := newRig(t, 1)
	var up atomic.Bool
	r.nudger.gate = func(context.Context, workflows.Nudge) error {
		if !up.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
	reg := prometheus.NewRegistry()
	r.publish(notes(1, "1", "2", "3")...)
	r.publish(broker.Message{Key: "4", Value: []byte("no event")})
	r.publish(notes(1, "1")...) // a duplicate, which waits for the first one
	r.run(func(o *Options) { o.Metrics = reg })
	value := func(name string) float64 { return collected(t, reg)[name] }
	partition := " 0 " + r.events

	r.eventually(func() bool { return value("tenure_ingest_waiting temporal") == 3 }, "three wait")
	assert.Zero(t, value("tenure_ingest_dependency_up temporal"))
	assert.EqualValues(t, 1, value("tenure_ingest_dependency_up ledger"))
	r.eventually(func() bool { return value("tenure_ingest_lag"+partition) == 5 }, "the lag of a group that never committed")
	r.eventually(func() bool { return value("tenure_ingest_oldest_seconds"+partition) > 0.1 }, "the first of them gets older")
	assert.Greater(t, value("tenure_ingest_outage_seconds_total temporal"), 0.0, "while it lasts")
	assert.Zero(t, value("tenure_ingest_event_to_workflow_seconds "+r.events))

	up.Store(true)
	r.awaitCommitted(0, 5)
	r.eventually(func() bool {
		return value("tenure_ingest_lag"+partition) == 0 && value("tenure_ingest_oldest_seconds"+partition) == 0
	}, "nothing left")
	v := collected(t, reg)
	assert.Zero(t, v["tenure_ingest_waiting temporal"])
	assert.EqualValues(t, 1, v["tenure_ingest_dependency_up temporal"])
	assert.Equal(t, v["tenure_ingest_outage_seconds_total temporal"], value("tenure_ingest_outage_seconds_total temporal"), "it is over")
	assert.EqualValues(t, 3, v["tenure_ingest_event_to_workflow_seconds "+r.events])
	assert.EqualValues(t, 3, v["tenure_ingest_records_total delivered "+r.events])
	assert.EqualValues(t, 1, v["tenure_ingest_records_total duplicate "+r.events])
	assert.EqualValues(t, 1, v["tenure_ingest_records_total dead_letter "+r.events])
	assert.EqualValues(t, 1, v["tenure_ingest_dead_letters_total other "+r.events], "a reason that nobody listed")
	assert.GreaterOrEqual(t, v["tenure_ingest_commits_total ok"], 1.0)
	assert.EqualValues(t, 1, v["tenure_ingest_rebalances_total"])
	assert.EqualValues(t, 1, v["tenure_ingest_member"])
}

// A topic to which producers write in transactions has markers in it, which kafka-go
// shows as records.
func TestMarkersOfTransactionsAreNoEvents(t *testing.T) {
	r := newRig(t, 1)
	producer, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID("hr"), kgo.DefaultProduceTopic(r.events))
	require.NoError(t, err)
	defer producer.Close()
	require.NoError(t, producer.BeginTransaction())
	m := note{ID: "1-1", Person: "1"}.message()
	require.NoError(t, producer.ProduceSync(bounded(t), &kgo.Record{Key: []byte(m.Key), Value: m.Value}).FirstErr())
	require.NoError(t, producer.EndTransaction(bounded(t), kgo.TryCommit))
	r.eventually(func() bool { return r.ends(r.events)[0] == 2 }, "a record and a marker")

	c, _ := r.run()
	r.awaitCommitted(0, 2)
	r.eventually(func() bool { return r.value(c, "tenure_ingest_lag 0 "+r.events) == 0 }, "no lag")
	assert.Len(t, r.nudger.nudges(""), 1)
	assert.Zero(t, r.letterCount(), "a marker is no dead letter")
	assert.Zero(t, r.logged("transaction was aborted"))

	// kafka-go cannot leave out the records of an aborted transaction. The consumer can
	// only log that there are some.
	require.NoError(t, producer.BeginTransaction())
	m = note{ID: "1-2", Person: "1"}.message()
	require.NoError(t, producer.ProduceSync(bounded(t), &kgo.Record{Key: []byte(m.Key), Value: m.Value}).FirstErr())
	require.NoError(t, producer.EndTransaction(bounded(t), kgo.TryAbort))
	r.awaitCommitted(0, 4)
	assert.Len(t, r.nudger.nudges(""), 2)
	assert.Equal(t, 1, r.logged("transaction was aborted"))
}
