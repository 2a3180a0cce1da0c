package receiver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/receiver/scheme"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, endpoints []Endpoint) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_webhook_requests_total",
			Help: "Webhooks by endpoint (empty if no endpoint has the path) and outcome: " +
				"accepted (the broker has it), unauthorized, unavailable (the broker is lost), throttled, busy, slow, too_large, wrong_type, wrong_method, empty, broken, unknown_path.",
		}, []string{"endpoint", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_webhook_request_seconds",
			Help:    "Time from a webhook's headers to its answer, for accepted webhooks.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"endpoint"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_webhook_unauthorized_total",
			Help: "Webhooks whose signature was refused, by reason: " +
				"missing, malformed, wrong, stale (signed rightly, but too long ago: a replay, or a wrong clock).",
		}, []string{"endpoint", "reason"}),
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.seconds, m.refused)
	}
	for _, e := range endpoints { // so that every series exists before its first request, and rates have a start
		m.seconds.WithLabelValues(e.Path)
		for _, why := range []scheme.Refusal{scheme.Missing, scheme.Malformed, scheme.Wrong, scheme.Stale} {
			m.refused.WithLabelValues(e.Path, string(why))
		}
		for _, o := range outcomes {
			m.requests.WithLabelValues(e.Path, o.name)
		}
	}
	return m
}
