package workflows_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/provision"
)

// The metrics show an hour for the app that was down for an hour, and for no other app. A
// change that was known long before its date counts from that date.
func TestTimeToProvisionAndDeprovisionEndWithTheProof(t *testing.T) {
	b := newBiography(t, testRules())
	reg := prometheus.NewRegistry()
	b.acts.Metrics = provision.NewMetrics(reg, b.acts.Policy.Apps())
	first := hr.Date{Year: 2026, Month: 12, Day: 1}
	event := hired("Development")
	event.Profile.StartDate, event.Effective = first, first
	b.hears(0, event)
	b.on(40*day, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: "unavailable"}) })
	b.hears(41*day, terminated(hr.DateOf(epoch.Add(40*day))))
	b.on(41*day+time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{}) })
	b.live(90 * day)

	for _, app := range b.acts.Policy.Apps() {
		count, took := histogram(t, reg, "tenure_time_to_provision_seconds", app)
		assert.Equal(t, uint64(1), count, app)
		assert.Less(t, took, 60.0, "from the first day, not from when it was known: %s", app)
		count, took = histogram(t, reg, "tenure_time_to_deprovision_seconds", app)
		assert.Equal(t, uint64(1), count, app)
		if app == "wiki" {
			assert.InDelta(t, 2*3600, took, 3600+60, "down for an hour, and tried again within the next")
			assert.Greater(t, took, 3600.0)
		} else {
			assert.Less(t, took, 60.0, app)
		}
	}
	outcomes := map[string]float64{}
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != "tenure_steps_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 && m.GetLabel()[0].GetValue() == "wiki" {
				outcomes[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[2].GetValue()] = n
			}
		}
	}
	assert.Greater(t, outcomes["Disable retry"], 1.0)
	assert.Equal(t, 1.0, outcomes["Disable attention"], "after a quarter of an hour")
	assert.Equal(t, 1.0, outcomes["Disable done"])
	assert.Equal(t, 1.0, outcomes["Provision done"])
	assert.Equal(t, 1.0, outcomes["Delete done"])
}

// histogram returns the count and the sum of an app's histogram.
func histogram(t *testing.T, reg prometheus.Gatherer, name, app string) (uint64, float64) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == app {
				return m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum()
			}
		}
	}
	return 0, 0
}
