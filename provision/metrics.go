package provision

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Metrics counts the outcomes of steps, and measures how long people wait for access and
// how long they keep it. docs/metrics.md lists the metrics; a test of service/worker checks
// the list. A nil *Metrics counts nothing.
type Metrics struct {
	steps       *prometheus.CounterVec
	provision   *prometheus.HistogramVec
	deprovision *prometheus.HistogramVec
	tasks       *prometheus.CounterVec
	approvals   *prometheus.CounterVec
}

// outcomes maps the state in which an attempt leaves a step to its name in metrics.
var outcomes = map[ledger.StepState]string{
	ledger.StepDone:       "done",
	ledger.StepSuperseded: "superseded",
	ledger.StepOpen:       "retry",
	ledger.StepAttention:  "attention",
}

// outcomeWaiting is the outcome of an attempt whose step waits for a human.
const outcomeWaiting = "waiting"

// latencyBuckets reach from a second to a week (in seconds), so that they also hold the
// steps that waited for an app that was down.
var latencyBuckets = []float64{1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600}

// NewMetrics registers the metrics for the apps of these names.
func NewMetrics(reg prometheus.Registerer, apps []string) *Metrics {
	m := &Metrics{
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_steps_total",
			Help: "Attempts at steps, by outcome: done, superseded (no longer wanted), retry (failed, and is tried again), attention (needs an operator), waiting (a human was asked to do it, or the app takes long over it).",
		}, []string{"app", "kind", "outcome"}),
		provision: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_time_to_provision_seconds",
			Help:    "Time from when HR recorded what gives access, or from its effective date if that is later, to the proof that the account is enabled.",
			Buckets: latencyBuckets,
		}, []string{"app"}),
		deprovision: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tenure_time_to_deprovision_seconds",
			Help:    "Time from when HR recorded what ends access, or from its effective date if that is later, to the proof that the account is disabled or gone.",
			Buckets: latencyBuckets,
		}, []string{"app"}),
		tasks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_task_reminders_total",
			Help: "Reminders of tasks that wait for a human, by reason: reminded, overdue.",
		}, []string{"app", "reason"}),
		approvals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tenure_deletion_reminders_total",
			Help: "Messages about deletions that wait for an operator's approval, by reason: asked, reminded.",
		}, []string{"app", "reason"}),
	}
	reg.MustRegister(m.steps, m.provision, m.deprovision, m.tasks, m.approvals)
	for _, app := range apps { // a counter has to exist before its first increment, or its rate misses that
		m.provision.WithLabelValues(app)
		m.deprovision.WithLabelValues(app)
		m.tasks.WithLabelValues(app, taskReminded)
		m.tasks.WithLabelValues(app, taskOverdue)
		m.approvals.WithLabelValues(app, approvalAsked)
		m.approvals.WithLabelValues(app, approvalReminded)
		for _, kind := range plan.Kinds() {
			for _, outcome := range outcomes {
				m.steps.WithLabelValues(app, string(kind), outcome)
			}
		}
	}
	return m
}

// attempted counts one attempt at a step.
func (m *Metrics) attempted(o ledger.Outcome) {
	if m == nil {
		return
	}
	outcome := outcomes[o.State]
	if o.Code == CodeWaiting || o.State == ledger.StepOpen && o.Underway.Call != "" && !o.Underway.LookAt.IsZero() {
		outcome = outcomeWaiting
	}
	m.steps.WithLabelValues(o.App, o.Kind, outcome).Inc()
}

// taskReminder counts a reminder of a task.
func (m *Metrics) taskReminder(app, reason string) {
	if m != nil {
		m.tasks.WithLabelValues(app, reason).Inc()
	}
}

// approvalReminder counts a message about a deletion that waits for an approval.
func (m *Metrics) approvalReminder(app, reason string) {
	if m != nil {
		m.approvals.WithLabelValues(app, reason).Inc()
	}
}

// turned observes how long it took to turn an account on or off.
func (m *Metrics) turned(app string, off bool, took time.Duration) {
	switch {
	case m == nil:
	case off:
		m.deprovision.WithLabelValues(app).Observe(took.Seconds())
	default:
		m.provision.WithLabelValues(app).Observe(took.Seconds())
	}
}
