package oktatest

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Quotas returns what Okta allows one token in an org of its plan Workforce Identity
// (developer.okta.com/docs/reference/rl-global-mgmt/): half of what the org may have of each
// kind of request, which is the share of a token unless an administrator raises it.
func Quotas() []vendortest.Quota {
	var all []vendortest.Quota
	for kind, perMinute := range map[string]int{"users": 600, "a user": 600, "read a user": 2000, "groups": 500, "others": 1200} {
		all = append(all, vendortest.Quota{Most: perMinute / 2, Per: time.Minute, Cost: func(class string) int {
			if limited(class) == kind {
				return 1
			}
			return 0
		}})
	}
	return all
}

// limited names the limit that a request counts against.
func limited(class string) string {
	method, path, _ := strings.Cut(class, " ")
	switch {
	case path == "/users":
		return "users"
	case path == "/users/{id}" && method == "GET":
		return "read a user"
	case path == "/users/{id}":
		return "a user"
	case path == "/groups":
		return "groups"
	}
	return "others"
}
