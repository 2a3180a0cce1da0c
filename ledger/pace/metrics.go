package pace

import "github.com/prometheus/client_golang/prometheus"

// Metrics say how long calls wait for their turns, and steps for their places, by app.
type Metrics struct {
	waited, placed *prometheus.HistogramVec
	queued         *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	buckets := []float64{.005, .05, .1, .5, 1, 5, 10, 30, 60, 300}
	m := &Metrics{
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_app_pace_seconds",
			Help:    "Time that calls to an app waited because of its rate, or because it asked for a pause, including calls that gave up.",
			Buckets: buckets,
		}, []string{"app"}),
		placed: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_app_place_seconds",
			Help:    "Time that steps waited because as many as atOnce allows called the app, including steps that gave up and are tried again.",
			Buckets: buckets,
		}, []string{"app"}),
		queued: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tenure_app_waiting_steps",
			Help: "Steps that wait in this worker because as many as atOnce allows call the app.",
		}, []string{"app"}),
	}
	reg.MustRegister(m.waited, m.placed, m.queued)
	return m
}
