package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/internal/pace"
)

// metrics are the worker's own.
type metrics struct {
	pace  *pace.Metrics
	moved *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		pace: pace.NewMetrics(reg),
		moved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_app_moved_steps_total",
			Help: "Steps that went over the app's own task queue, because as many as may be were under way for it: it is slow, or hangs.",
		}, []string{"app"}),
	}
	reg.MustRegister(m.moved)
	return m
}
