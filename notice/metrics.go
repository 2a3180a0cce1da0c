package notice

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/ledger"
)

// Metrics counts what a Sender does. A nil one counts nothing.
type Metrics struct {
	ended *prometheus.CounterVec
	holds prometheus.Gauge
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_notices_ended_total", Help: "Notices that this worker has sent, dropped as moot, or given up, by kind and state: sent, moot, failed.",
		}, []string{"kind", "state"}),
		holds: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tenure_notices_held", Help: "1 if this worker sends notices and holds the rest because as many messages were sent as notices.limit allows in an hour, else 0.",
		}),
	}
	reg.MustRegister(m.ended, m.holds)
	for _, k := range kinds {
		for _, state := range []ledger.NoticeState{ledger.NoticeSent, ledger.NoticeMoot, ledger.NoticeFailed} {
			m.ended.WithLabelValues(k.Name, string(state))
		}
	}
	return m
}

func (m *Metrics) held(now bool) {
	if m == nil {
		return
	}
	m.holds.Set(0)
	if now {
		m.holds.Set(1)
	}
}

func (m *Metrics) settled(notices []ledger.Notice, state ledger.NoticeState) {
	if m == nil || state == ledger.NoticeWaiting {
		return
	}
	for _, n := range notices {
		m.ended.WithLabelValues(n.Kind, string(state)).Inc()
	}
}
