package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
)

// The results of a record, as labels of a metric.
const (
	resultDelivered  = "delivered"   // in the ledger, and Temporal told
	resultWaiting    = "waiting"     // in the ledger; Temporal is told when it is the person's turn
	resultDuplicate  = "duplicate"   // was delivered before
	resultDeadLetter = "dead_letter" // could not be read
)

// reasonOther is the label of dead letters whose reason is not one of source's: the
// number of labels must not grow with the content of records.
const reasonOther = "other"

// metrics holds the metrics of one Consumer. docs/metrics.md lists them, and a test of
// the starter compares.
type metrics struct {
	records     *prometheus.CounterVec
	deadLetters *prometheus.CounterVec

	urgentLetters *prometheus.CounterVec
	seconds       *prometheus.HistogramVec
	latency       *prometheus.HistogramVec
	retries       *prometheus.CounterVec

	waitingPeople prometheus.Gauge
	oldestWait    prometheus.Gauge
	atWork        prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, topics []Topic) *metrics {
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_records_total",
			Help: "Records finished, by result: delivered (new, and handed to Temporal), waiting (new, and handed to Temporal in its turn), duplicate, dead_letter.",
		}, []string{"topic", "result"}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_dead_letters_total",
			Help: "Records that became dead letters, by reason.",
		}, []string{"topic", "reason"}),
		urgentLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_urgent_dead_letters_total",
			Help: "Dead letters that were to end somebody's access. Each needs an operator at once.",
		}, []string{"topic"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_ingest_record_seconds",
			Help:    "Time from the start of work on a record to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"topic"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tenure_ingest_event_to_workflow_seconds",
			Help: "Time from a record's timestamp in Kafka until Temporal has accepted its event, without duplicates.",
			// From 5 ms to more than a day: what waits for an outage belongs in it too.
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 13),
		}, []string{"topic"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_retries_total",
			Help: "Failed attempts to reach a dependency: kafka, ledger, temporal, dead_letters.",
		}, []string{"dependency"}),
		waitingPeople: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenure_ingest_turn_people",
			Help: "People of whom something is recorded and who wait for their turn (kafka.readAhead).",
		}),
		oldestWait: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenure_ingest_turn_oldest_seconds",
			Help: "Time since the event was received that has waited longest for its turn; 0 if none does.",
		}),
		atWork: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenure_ingest_turn_at_work",
			Help: "People who were told of an event in the last five minutes and whose work is not done, as last seen while others waited; 0 where another starter gives people their turn.",
		}),
	}
	m.begin(topics)
	if reg != nil {
		reg.MustRegister(m.records, m.deadLetters, m.urgentLetters, m.seconds, m.latency, m.retries, m.waitingPeople, m.oldestWait, m.atWork)
	}
	return m
}

// begin starts every series whose labels are known at 0, so that the first increase
// shows.
func (m *metrics) begin(topics []Topic) {
	for _, t := range topics {
		for _, result := range []string{resultDelivered, resultWaiting, resultDuplicate, resultDeadLetter} {
			m.records.WithLabelValues(t.Name, result)
		}
		for _, reason := range append([]string{deadletter.ReasonInternal, deadletter.ReasonBatch, reasonOther}, source.Reasons...) {
			m.deadLetters.WithLabelValues(t.Name, reason)
		}
		m.urgentLetters.WithLabelValues(t.Name)
		m.seconds.WithLabelValues(t.Name)
		m.latency.WithLabelValues(t.Name)
	}
}

// backlog notes how many people wait for their turn.
func (m *metrics) backlog(b ledger.Backlog, now time.Time) {
	m.waitingPeople.Set(float64(b.People))
	oldest := 0.0
	if !b.Oldest.IsZero() {
		oldest = max(0, now.Sub(b.Oldest).Seconds())
	}
	m.oldestWait.Set(oldest)
}

// deadLetter counts a dead letter.
func (m *metrics) deadLetter(topic, reason string) {
	if !knownReasons[reason] {
		reason = reasonOther
	}
	m.deadLetters.WithLabelValues(topic, reason).Inc()
}

var knownReasons = func() map[string]bool {
	known := map[string]bool{deadletter.ReasonInternal: true, deadletter.ReasonBatch: true}
	for _, reason := range source.Reasons {
		known[reason] = true
	}
	return known
}()

// accepted notes that Temporal has accepted an event of a record with that timestamp.
// A producer's clock that is ahead makes no negative latency.
func (m *metrics) accepted(topic string, timestamp time.Time) {
	m.latency.WithLabelValues(topic).Observe(max(0, time.Since(timestamp).Seconds()))
}

// outages collects the metrics of dependencies at the time of asking, so that an
// outage that is under way counts.
type outages []*dependency

var (
	upDesc = prometheus.NewDesc("tenure_ingest_dependency_up",
		"0 while something waits for a failed dependency, else 1: kafka, ledger, temporal, dead_letters.", []string{"dependency"}, nil)
	outageDesc = prometheus.NewDesc("tenure_ingest_outage_seconds_total",
		"Time during which something waited for a failed dependency: kafka, ledger, temporal, dead_letters.", []string{"dependency"}, nil)
	waitingDesc = prometheus.NewDesc("tenure_ingest_waiting",
		"Records that wait for a failed dependency: kafka (here the member itself waits), ledger, temporal, dead_letters.",
		[]string{"dependency"}, nil)
)

// Describe implements prometheus.Collector.
func (o outages) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upDesc, outageDesc, waitingDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (o outages) Collect(out chan<- prometheus.Metric) {
	for _, d := range o {
		s := d.state()
		up := 1.0
		if s.waiting > 0 {
			up = 0
		}
		out <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up, d.label)
		out <- prometheus.MustNewConstMetric(outageDesc, prometheus.CounterValue, s.waited.Seconds(), d.label)
		out <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(s.waiting), d.label)
	}
}
