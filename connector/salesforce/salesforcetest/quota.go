package salesforcetest

import (
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Quotas returns what Salesforce allows an org of the Enterprise Edition with so many licences
// ("API Request Limits and Allocations").
func Quotas(licences int) []vendortest.Quota {
	return []vendortest.Quota{{Most: 100_000 + 1000*licences, Per: 24 * time.Hour}}
}
