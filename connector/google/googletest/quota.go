package googletest

import (
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Quotas returns what Google allows one user of one project ("Directory API: Limits and
// Quotas", userRateLimitExceeded).
func Quotas() []vendortest.Quota {
	return []vendortest.Quota{{Most: 2400, Per: time.Minute}}
}
