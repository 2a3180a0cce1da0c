package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/provision"
)

// fussy returns rules with a role that reads a field which not every profile has.
func fussy(t *testing.T) *biography {
	t.Helper()
	rules := testRules()
	rules.Roles[1].When = "int(person.costCenter) >= 4200"
	b := newBiography(t, rules)
	b.limit()
	return b
}

func onSite() *hr.Profile {
	p := profile("Development")
	p.CostCenter = "4200"
	return p
}

// Policy cannot be evaluated for the profile with which somebody is to come back. They are
// cut off anyway, and keep their accounts, disabled, until it can be.
func TestCuttingOffNeedsNoPolicy(t *testing.T) {
	b := fussy(t)
	b.hears(0, hr.Event{Type: hr.EventHired, Profile: onSite()})
	again := profile("Development")
	again.StartDate = hr.DateOf(epoch.Add(60 * day))
	b.hears(5*day, terminated(hr.DateOf(epoch.Add(10*day))))
	b.hears(6*day, hr.Event{Type: hr.EventRehired, Effective: again.StartDate, Profile: again})
	b.on(9*day, func() {
		assert.Equal(t, "on [engineers]", b.state("wiki"), "until the last day")
		assert.Equal(t, provision.CodePolicy, b.inAttention()[""])
	})
	off := map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}
	b.on(11*day, func() { assert.Equal(t, off, b.states()) })
	b.on(50*day, func() { assert.Equal(t, off, b.states(), "kept") })

	mended := *again
	mended.CostCenter = "4200"
	b.hears(59*day, hr.Event{Type: hr.EventUpdated, Effective: again.StartDate, Profile: &mended})
	b.live(62 * day)
	assert.Equal(t, working, b.states())
	assert.Empty(t, b.inAttention())
}

// Somebody goes on leave with a profile for which policy cannot be evaluated.
func TestALeaveNeedsNoPolicy(t *testing.T) {
	b := fussy(t)
	b.hears(0, hr.Event{Type: hr.EventHired, Profile: onSite()})
	b.hears(time.Hour, hr.Event{Type: hr.EventUpdated, Profile: profile("Development")})
	b.hears(2*time.Hour, hr.Event{Type: hr.EventLeaveStarted, Effective: hr.DateOf(epoch)})
	b.live(3 * time.Hour)
	assert.Equal(t, map[string]string{"directory": "off [engineers staff]", "chat": "off []", "wiki": "off [engineers]"}, b.states())
}

// Skipping the question would only hide it.
func TestAPolicyThatFailsCannotBeSkipped(t *testing.T) {
	b := fussy(t)
	b.hears(0, hr.Event{Type: hr.EventHired, Profile: profile("Development")})
	one := b.skips(time.Minute, activities.RepairRequest{Operator: "ops", Reason: "x", Key: provision.CodePolicy})
	all := b.skips(90*time.Second, activities.RepairRequest{Operator: "ops", Reason: "x"})
	again := b.retries(2*time.Minute, activities.RepairRequest{Operator: "ops"})
	b.live(time.Hour)
	assert.ErrorContains(t, one.refused, "cannot be skipped")
	assert.ErrorContains(t, all.refused, "cannot be skipped")
	assert.NoError(t, again.refused)
	assert.Equal(t, map[string]string{"": provision.CodePolicy}, b.inAttention())
}
