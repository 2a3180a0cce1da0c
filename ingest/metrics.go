package ingest

import "github.com/prometheus/client_golang/prometheus"

// The results of a record, as metrics have them.
const (
	resultDelivered  = "delivered"   // in the ledger, and Temporal told
	resultDuplicate  = "duplicate"   // was delivered before
	resultDeadLetter = "dead_letter" // could not be read
)

type metrics struct {
	records  *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	retries  *prometheus.CounterVec
	inFlight *prometheus.GaugeVec
	lag      *prometheus.GaugeVec
	stuck    *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	partition := []string{"topic", "partition"}
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_records_total",
			Help: "Records acknowledged, by what became of them: delivered, duplicate, dead_letter.",
		}, []string{"topic", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_ingest_record_seconds",
			Help:    "From fetching a record to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"topic"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_ingest_retries_total",
			Help: "Failed attempts to reach what ingestion depends on: kafka, ledger, temporal, dead_letters.",
		}, []string{"dependency"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_in_flight",
			Help: "Records fetched and not yet covered by a commit.",
		}, partition),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_lag",
			Help: "Records between what has been acknowledged without a gap and the end of the partition.",
		}, partition),
		stuck: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_ingest_stuck",
			Help: "1 while a partition has records and nothing has been acknowledged for too long.",
		}, partition),
	}
	if reg != nil {
		reg.MustRegister(m.records, m.seconds, m.retries, m.inFlight, m.lag, m.stuck)
	}
	return m
}

// forget drops what is known of a partition that another member may have now.
func (m *metrics) forget(topic, partition string) {
	for _, g := range []*prometheus.GaugeVec{m.inFlight, m.lag, m.stuck} {
		g.DeleteLabelValues(topic, partition)
	}
}
