package worker

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
)

// metrics holds the worker's own metrics. A test compares them with docs/metrics.md.
type metrics struct {
	pace     *pace.Metrics
	moved    *prometheus.CounterVec
	erasures *prometheus.CounterVec
	steps    *provision.Metrics
}

// newMetrics registers the metrics, with the names of all apps.
func newMetrics(reg prometheus.Registerer, apps []string) *metrics {
	m := &metrics{
		pace:  pace.NewMetrics(reg),
		steps: provision.NewMetrics(reg, apps),
		moved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_app_moved_steps_total",
			Help: "Steps moved to the app's own task queue, because the app is slow or hangs and has as many steps under way as it may have.",
		}, []string{"app"}),
		erasures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_erasures_total",
			Help: "People whose privacy.keep is over, by outcome: erased, refused (see the log), or failed, which is tried again; failed also counts when files could not be scrubbed.",
		}, []string{"outcome"}),
	}
	reg.MustRegister(m.moved, m.erasures)
	for _, outcome := range []string{activities.ErasureDone, activities.ErasureRefused, activities.ErasureFailed} {
		m.erasures.WithLabelValues(outcome)
	}
	for _, app := range apps {
		m.moved.WithLabelValues(app)
	}
	return m
}
