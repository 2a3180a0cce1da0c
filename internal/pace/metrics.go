package pace

import "github.com/prometheus/client_golang/prometheus"

// Metrics say how long calls wait, by app.
type Metrics struct {
	waited *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "tenure_app_pace_seconds",
		Help:    "How long calls of an app waited for their turn, by its rate or because it asked for a pause; those that gave up included.",
		Buckets: []float64{.005, .05, .1, .5, 1, 5, 10, 30, 60, 300},
	}, []string{"app"})}
	reg.MustRegister(m.waited)
	return m
}
