package postgres

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/nearest"
)

func attributeNames() []string {
	return []string{attributeComment, attributeLimit, attributeValidUntil}
}

func foresee(settings *connector.Values) connector.Foresight {
	c := &client{grantable: settings.Texts("grantable")}
	return connector.Foresight{
		Attribute: func(name string) string {
			set, isParameter := strings.CutPrefix(name, attributeSet)
			if slices.Contains(attributeNames(), name) || isParameter && parameter.MatchString(set) {
				return ""
			}
			return "is no attribute of a role: known are comment, connectionLimit, validUntil and set.PARAMETER" + nearest.Hint(name, attributeNames())
		},
		Entitlement: func(name string) string {
			if c.mayGrant(name) {
				return ""
			}
			return "cannot be granted: the setting grantable does not name it"
		},
	}
}
