package entratest

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Quotas returns what Graph allows one app in one small tenant (learn.microsoft.com/graph/
// throttling-limits, "Identity and access service limits"): resource units and writes.
func Quotas() []vendortest.Quota {
	return []vendortest.Quota{
		{Most: 3500, Per: 10 * time.Second, Cost: units},
		{Most: 3000, Per: 150 * time.Second, Cost: func(class string) int {
			if strings.HasPrefix(class, "GET ") {
				return 0
			}
			return 1
		}},
	}
}

// units returns the resource units of a request. Those of a list of users are one less with
// $select, which the connector always sends.
func units(class string) int {
	switch {
	case strings.HasSuffix(class, "/members"):
		return 3
	case strings.HasSuffix(class, "/memberOf"):
		return 2
	}
	return 1
}
