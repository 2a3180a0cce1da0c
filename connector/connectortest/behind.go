package connectortest

import (
	"testing"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/vendortest"
)

// Behind returns the faults of an app that stands behind a door. accepts has the app accept the
// connector's credentials, or refuse them.
func Behind(door *vendortest.Door, accepts func(bool)) Faults {
	set := func(f vendortest.Faults) func(*testing.T) { return func(*testing.T) { door.SetFaults(f) } }
	refuse := func(asDate bool) func(*testing.T, connector.ErrorKind, time.Duration) {
		return func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
			door.SetFaults(vendortest.Faults{
				Down: kind == connector.KindUnavailable, Limited: kind == connector.KindRateLimited, Wait: after, AsDate: asDate,
			})
		}
	}
	return Faults{
		Heal: func(*testing.T) {
			door.SetFaults(vendortest.Faults{})
			accepts(true)
		},
		FailAfterApply: set(vendortest.Faults{FailAfterApply: 1}),
		Unauthorize:    func(*testing.T) { accepts(false) },
		Refuse:         refuse(false),
		RefuseUntil:    refuse(true),
		Stray:          set(vendortest.Faults{Proxy: true}),
		Stall:          set(vendortest.Faults{Stall: true}),
		Drop:           func(_ *testing.T, names ...string) { door.SetFaults(vendortest.Faults{Forget: names}) },
	}
}
