package worker

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit/place"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// auditTimeout bounds how long an HTTP endpoint may take to keep a checkpoint.
const auditTimeout = 10 * time.Second

// auditKafka publishes checkpoints and exports to the brokers of the configuration. It connects once a
// place needs it.
type auditKafka struct {
	brokers config.Kafka
	made    *broker.Publisher
}

// publisher returns the publisher, which all places share.
func (k *auditKafka) publisher() (*broker.Publisher, error) {
	if k.made != nil {
		return k.made, nil
	}
	cluster, err := service.Cluster(k.brokers)
	if err != nil {
		return nil, service.UsageError(err)
	}
	k.made = broker.NewPublisher(cluster)
	return k.made, nil
}

// Close ends the connections.
func (k *auditKafka) Close() error {
	if k.made == nil {
		return nil
	}
	return k.made.Close()
}

// newSequencer returns what puts the audit record into its log; nil if this worker has not got
// the key.
func newSequencer(cfg *config.Config, o Options, kafka *auditKafka, failed func(place string)) (*sequencer.Sequencer, error) {
	s := &sequencer.Sequencer{
		Ledger: o.Ledger, Origin: cfg.Audit.Origin, Every: cfg.Audit.Every, Checkpoint: cfg.Audit.Checkpoint,
		Clock: cfg.Clock(), Log: o.Log, Failed: failed,
	}
	if !cfg.Audit.Key.IsZero() {
		key, err := cfg.Audit.Key.Reveal()
		if err == nil {
			s.Signer, err = note.NewSigner(key)
		}
		if err != nil {
			o.Log.Warn("this worker cannot read audit.key: it leaves the audit record's log to workers that can", zap.Error(err))
			return nil, nil
		}
	}
	client := &http.Client{Timeout: auditTimeout}
	for _, p := range cfg.Audit.Publish {
		switch {
		case p.File != "":
			s.Places = append(s.Places, place.File{Path: p.File})
		case p.HTTP != "":
			s.Places = append(s.Places, place.HTTP{URL: p.HTTP, Client: client})
		case p.Witness != "":
			s.Places = append(s.Places, place.Witness{URL: p.Witness, Client: client})
		case p.Kafka != "":
			publisher, err := kafka.publisher()
			if err != nil {
				return nil, err
			}
			s.Places = append(s.Places, place.Kafka{Topic: p.Kafka, Publisher: publisher})
		}
	}
	return s, nil
}

// sequencing starts to put the audit record into its log, and to export it, until ctx ends. The function that it
// returns waits for the end.
func sequencing(ctx context.Context, cfg *config.Config, o Options, m *auditMetrics) (end func() error, err error) {
	kafka := &auditKafka{brokers: cfg.Kafka}
	s, err := newSequencer(cfg, o, kafka, m.failed)
	if err != nil {
		return nil, errors.Join(err, kafka.Close())
	}
	exporters, err := newExporters(cfg, o, kafka, m.exportFailed)
	if err != nil {
		return nil, errors.Join(err, kafka.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	if s != nil {
		running.Go(func() { s.Run(ctx) })
	}
	for _, e := range exporters {
		running.Go(func() { e.Run(ctx) })
	}
	return func() error {
		stop()
		running.Wait()
		return kafka.Close()
	}, nil
}

// The descriptions of the numbers of the audit record's log: every worker exports the same.
var (
	auditLeavesDesc      = prometheus.NewDesc("tenure_audit_leaves", "Rows of the audit record that are in its log.", nil, nil)
	auditUnsequencedDesc = prometheus.NewDesc("tenure_audit_unsequenced_rows", "Rows of the audit record that are newer than the newest one in its log.", nil, nil)
	auditUncoveredDesc   = prometheus.NewDesc("tenure_audit_uncovered_leaves", "Rows in the audit record's log that no checkpoint covers yet.", nil, nil)
	auditAgeDesc         = prometheus.NewDesc("tenure_audit_checkpoint_age_seconds", "Time since the newest checkpoint of the audit record's log, by the product's clock. It grows while nothing happens.", nil, nil)
	auditLagDesc         = prometheus.NewDesc("tenure_audit_unpublished_seconds", "Time since a place of audit.publish has taken a checkpoint, by the product's clock, if there is one that it has not; else 0. Since the worker's start, if it has taken none.", []string{"place"}, nil)
	exportLagDesc        = prometheus.NewDesc("tenure_audit_export_lag_leaves", "Rows in the audit record's log that a place of audit.export has not got.", []string{"place"}, nil)
	exportAgeDesc        = prometheus.NewDesc("tenure_audit_export_age_seconds", "Age of the oldest row that a place of audit.export has not got, by the product's clock; 0 if it has all. Of what a place has got nothing yet, the time since the worker's start.", []string{"place"}, nil)
)

// auditMetrics exports how the audit record's log is doing.
type auditMetrics struct {
	ledger   ledger.LogReader
	clock    clock.Clock
	places   []string
	exports  []string  // names of the places of audit.export
	started  time.Time // by clock
	log      *zap.Logger
	failures *prometheus.CounterVec
	notSent  *prometheus.CounterVec

	mu     sync.Mutex
	at     time.Time
	counts ledger.LogCounts
}

// newAuditMetrics registers the metrics, with the names of all places.
func newAuditMetrics(reg prometheus.Registerer, l ledger.LogReader, c clock.Clock, places, exports []string, log *zap.Logger) *auditMetrics {
	m := &auditMetrics{
		ledger: l, clock: c, places: places, exports: exports, started: c.Now(), log: log,
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_audit_publish_failures_total",
			Help: "Failures to publish a checkpoint of the audit record's log, by place.",
		}, []string{"place"}),
		notSent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_audit_export_failures_total",
			Help: "Failures to send rows of the audit record to a place of audit.export, by place.",
		}, []string{"place"}),
	}
	for _, place := range places {
		m.failures.WithLabelValues(place)
	}
	for _, place := range exports {
		m.notSent.WithLabelValues(place)
	}
	reg.MustRegister(m, m.failures, m.notSent)
	return m
}

func (m *auditMetrics) exportFailed(place string) { m.notSent.WithLabelValues(place).Inc() }

func (m *auditMetrics) failed(place string) { m.failures.WithLabelValues(place).Inc() }

// placesOf lists the names of the places where checkpoints are published.
func placesOf(a config.Audit) (names []string) {
	for _, p := range a.Publish {
		for _, named := range []struct {
			is   bool
			name string
		}{
			{p.File != "", place.File{Path: p.File}.Name()}, {p.HTTP != "", place.HTTP{URL: p.HTTP}.Name()},
			{p.Witness != "", place.Witness{URL: p.Witness}.Name()}, {p.Kafka != "", place.Kafka{Topic: p.Kafka}.Name()},
		} {
			if named.is {
				names = append(names, named.name)
			}
		}
	}
	return names
}

// Describe implements prometheus.Collector.
func (m *auditMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{auditLeavesDesc, auditUnsequencedDesc, auditUncoveredDesc, auditAgeDesc, auditLagDesc, exportLagDesc, exportAgeDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector. While the ledger does not answer it exports no
// numbers.
func (m *auditMetrics) Collect(out chan<- prometheus.Metric) {
	counts, err := m.count()
	if err != nil {
		m.log.Warn("the audit record's log could not be counted, so this scrape lacks its numbers", zap.Error(err))
		return
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	now, covered := m.clock.Now(), int64(0)
	if c := counts.Checkpoint; c != nil {
		covered = c.Size
		gauge(auditAgeDesc, now.Sub(c.At).Seconds())
	}
	gauge(auditLeavesDesc, float64(counts.Size))
	gauge(auditUnsequencedDesc, float64(counts.Unsequenced))
	gauge(auditUncoveredDesc, float64(counts.Size-covered))
	for _, place := range m.places {
		size, since := int64(0), m.started
		for _, p := range counts.Published {
			if p.Place == place {
				size, since = p.Size, p.At
			}
		}
		lag := 0.0
		if size < covered {
			lag = now.Sub(since).Seconds()
		}
		gauge(auditLagDesc, lag, place)
	}
	for _, place := range m.exports {
		of := ledger.Exported{Next: m.started}
		if i := slices.IndexFunc(counts.Exported, func(e ledger.Exported) bool { return e.Place == place }); i >= 0 {
			of = counts.Exported[i]
		}
		lag, age := counts.Size-of.Size, 0.0
		if lag > 0 && !of.Next.IsZero() {
			age = now.Sub(of.Next).Seconds()
		}
		gauge(exportLagDesc, float64(lag), place)
		gauge(exportAgeDesc, max(0, age), place)
	}
}

func (m *auditMetrics) count() (ledger.LogCounts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.at) < censusEvery {
		return m.counts, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), censusTimeout)
	defer cancel()
	counts, err := m.ledger.CountLog(ctx)
	if err != nil {
		return ledger.LogCounts{}, err
	}
	m.counts, m.at = counts, time.Now()
	return counts, nil
}
