package oktatest

import (
	"regexp"
	"slices"
	"strings"
)

// filterable lists the properties that filters know; searches know all.
var filterable = []string{"status", "lastUpdated", "id", "profile.login", "profile.email", "profile.firstName", "profile.lastName"}

var condition = regexp.MustCompile(`^\s*([\w.]+)\s+(eq|gt)\s+"((?:[^"\\]|\\.)*)"\s*(?:(or)\s+|$)`)

// parse reads conditions that are joined by "or". Filters compare exactly, searches without
// regard to case, and only lastUpdated knows gt ("List all users" in the reference).
func parse(text string, search bool) (match func(field func(string) (any, bool)) bool, err error) {
	var conditions []func(field func(string) (any, bool)) bool
	for rest := text; rest != ""; {
		found := condition.FindStringSubmatch(rest)
		if found == nil {
			return nil, &failure{400, "E0000031", "Invalid search criteria.", nil}
		}
		name, operator, value := found[1], found[2], unquote(found[3])
		if !search && !slices.Contains(filterable, name) || operator == "gt" && name != "lastUpdated" {
			return nil, &failure{400, "E0000031", "Invalid search criteria.", nil}
		}
		conditions = append(conditions, func(field func(string) (any, bool)) bool {
			has, _ := field(name)
			text, _ := has.(string)
			switch {
			case operator == "gt":
				return text > value
			case search:
				return strings.EqualFold(text, value)
			}
			return text == value
		})
		rest = rest[len(found[0]):]
		if (found[4] == "or") == (rest == "") {
			return nil, &failure{400, "E0000031", "Invalid search criteria.", nil}
		}
	}
	return func(field func(string) (any, bool)) bool {
		for _, holds := range conditions {
			if holds(field) {
				return true
			}
		}
		return false
	}, nil
}

func unquote(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
}
