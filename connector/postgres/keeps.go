package postgres

import (
	"context"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// Keeps implements connector.Connector. The server shows the end of a password's
// validity as a time to the second, and a parameter that is a list as one text.
func (c *client) Keeps(_ context.Context, account connector.Account, name string, set any) (bool, error) {
	shown := account.Attribute(name)
	list, isList := set.([]string)
	switch {
	case name == attributeValidUntil && set != "":
		until, err := validUntil(connector.OpRead, set)
		if err != nil {
			return false, err
		}
		return connector.SameValue(until.args[0], shown), nil
	case isList && strings.HasPrefix(name, attributeSet):
		text, _ := shown.(string)
		return connector.SameValue(strings.Join(list, ", "), strings.Join(items(text), ", ")), nil
	}
	return account.Shows(set, shown), nil
}

// items splits the text of a parameter that is a list. The server quotes items that need
// it.
func items(text string) []string {
	var all []string
	var item strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			all = append(all, strings.TrimSpace(item.String()))
			item.Reset()
		default:
			item.WriteRune(r)
		}
	}
	return append(all, strings.TrimSpace(item.String()))
}
