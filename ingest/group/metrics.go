package group

import (
	"github.com/prometheus/client_golang/prometheus"
)

// The results of a commit, as labels of a metric.
const (
	commitOK     = "ok"
	commitFailed = "failed"
)

// metrics holds the metrics of one Member. docs/metrics.md lists them, and a test of
// the starter compares.
type metrics struct {
	commits    *prometheus.CounterVec
	rebalances prometheus.Counter
	rejoins    prometheus.Counter
	member     prometheus.Gauge
	inFlight   *prometheus.GaugeVec
	lag        *prometheus.GaugeVec
	oldest     *prometheus.GaugeVec
	stuck      *prometheus.GaugeVec
	refetches  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, topics []Topic) *metrics {
	partition := []string{"topic", "partition"}
	m := &metrics{
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_commits_total",
			Help: "Commits of a partition's offset, by result: ok, failed (and tried again).",
		}, []string{"result"}),
		rebalances: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tenure_ingest_rebalances_total",
			Help: "Generations of the consumer group in which this member was assigned partitions. Each but the first is a rebalance.",
		}),
		rejoins: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tenure_ingest_rejoins_total",
			Help: "Times this member left the consumer group because it made no progress, and joined again.",
		}),
		member: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenure_ingest_member",
			Help: "1 while this process is a member of the consumer group.",
		}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_in_flight",
			Help: "Records fetched and not yet acknowledged, counted from the first unfinished one.",
		}, partition),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_lag",
			Help: "Records from the last one acknowledged without a gap to the end of the partition.",
		}, partition),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_oldest_seconds",
			Help: "Age of a partition's first unfinished record, by its timestamp in Kafka; 0 if there is none.",
		}, partition),
		stuck: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_stuck",
			Help: "1 while a partition has records and none has been acknowledged for too long.",
		}, partition),
		refetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_fetch_restarts_total",
			Help: "Times fetching was restarted because records existed and none arrived.",
		}, []string{"topic"}),
	}
	// Every series whose labels are known starts at 0, so that the first increase shows.
	for _, t := range topics {
		m.refetches.WithLabelValues(t.Name)
	}
	for _, result := range []string{commitOK, commitFailed} {
		m.commits.WithLabelValues(result)
	}
	if reg != nil {
		reg.MustRegister(m.commits, m.rebalances, m.rejoins, m.member, m.inFlight, m.lag, m.oldest, m.stuck, m.refetches)
	}
	return m
}

// committed counts a commit of a partition's offset.
func (m *metrics) committed(err error) {
	result := commitOK
	if err != nil {
		result = commitFailed
	}
	m.commits.WithLabelValues(result).Inc()
}

// forget drops the series of a partition that another member may have now.
func (m *metrics) forget(topic, partition string) {
	for _, g := range []*prometheus.GaugeVec{m.inFlight, m.lag, m.oldest, m.stuck} {
		g.DeleteLabelValues(topic, partition)
	}
}
