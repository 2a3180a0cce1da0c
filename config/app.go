package config

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
)

// appName matches the names that an app may have: its name is part of step keys,
// metrics and search attributes.
var appName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// readApp reads one app, and what policy says about it.
func readApp(name string, v value, defaults policy.Rules, terms reconcile.Terms) (App, policy.AppRules) {
	var (
		app   = App{Reconcile: terms}
		rules policy.AppRules
		kind  *connector.Kind
	)
	if !appName.MatchString(name) {
		v.l.fail(v.at, v.path, "an app's name must be at most 63 letters, digits, dots, dashes and underscores")
	}
	settings := value{l: v.l, node: v.node, path: join(v.path, "settings"), at: v.at} // if there are none
	v.mapping(
		on("connector", func(v value) {
			app.Connector = v.text()
			kind = v.kind(app.Connector)
		}),
		on("settings", func(v value) {
			settings = v
			app.Settings = v.settings()
		}),
		into("rate", &app.Rate),
		into("atOnce", &app.AtOnce),
		on("settling", func(v value) { app.Settling = ptr(v.typed().(time.Duration)) }),
		into("longestOperation", &app.LongestOperation),
		on("licences", func(v value) {
			var ahead time.Duration
			v.mapping(into("warnBelow", &app.Licences), into("ahead", &ahead))
			app.Licences.Ahead = ahead
		}),
		on("attributes", func(v value) {
			rules.Attributes = make(map[string]string)
			v.entries(func(name string, v value) { rules.Attributes[name] = v.typed().(string) })
		}),
		into("ignore", &rules.Ignore),
		into("after", &rules.After),
		on("adopt", func(v value) { rules.Adopt = policy.Adoption(v.choice("adoption")) }),
		into("protected", &rules.Protected),
		into("owner", &rules.Owner),
		on("reconcile", func(v value) { app.Reconcile = readReconcile(v, terms) }),
		on("joiner", func(v value) { rules.Joiner = ptr(readJoiner(v, defaults.Joiner)) }),
		on("mover", func(v value) { rules.Mover = ptr(readMover(v, defaults.Mover)) }),
		on("leaver", func(v value) { rules.Leaver = ptr(readLeaver(v, defaults.Leaver)) }),
	)
	if kind != nil {
		rules.LongestUsername = kind.LongestUsername
		settings.try(*kind, name, app.Settings)
		settings.warnOfClearText(kind.Settings, app.Settings)
	}
	return app, rules
}

// adoptions are the words that adopt takes.
func adoptions() []string {
	var words []string
	for _, a := range policy.Adoptions() {
		words = append(words, string(a))
	}
	return words
}

func ptr[T any](v T) *T { return &v }

// kind finds the kind of connector of that name; nil if there is none.
func (v value) kind(name string) *connector.Kind {
	if name == "" {
		return nil // reported
	}
	names := make([]string, len(v.l.kinds))
	for i, kind := range v.l.kinds {
		if kind.Name == name {
			return &v.l.kinds[i]
		}
		names[i] = kind.Name
	}
	v.failf("there is no connector %q%s", name, hint(name, names))
	return nil
}

// try checks the settings by opening the kind, which makes no call.
func (v value) try(kind connector.Kind, app string, set connector.Settings) {
	if v.l.failedWithin(v.path) {
		return // it would complain of what could not even be read
	}
	opened, err := kind.Open(context.Background(), connector.Env{App: app, NoFiles: !v.needed()}, v.withheld(set))
	if err == nil {
		v.signsIn(app, opened)
		err = opened.Close()
	}
	if err != nil {
		v.l.fail(v.at, v.path, "%s", message(err))
	}
}

// withheld returns the settings to be checked: without their secrets if this program does
// not need them, so that they need not exist.
func (v value) withheld(set map[string]any) map[string]any {
	if v.needed() {
		return set
	}
	return settings.Withhold(set)
}

// message returns the text of a connector's error. Its kind and operation add nothing
// here.
func message(err error) string {
	var connectorError *connector.Error
	if errors.As(err, &connectorError) {
		return connectorError.Message
	}
	return err.Error()
}

// settings reads whatever is there. A text that refers to secrets becomes a
// secret.Secret.
func (v value) settings() map[string]any {
	pairs, ok := v.pairs()
	if !ok {
		return nil
	}
	settings := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		settings[pair.name] = pair.value.free(nil)
	}
	return settings
}

// free reads a value of any form. inside lists the nodes around it, since YAML can refer
// back to them.
func (v value) free(inside []*yaml.Node) any {
	if slices.Contains(inside, v.node) {
		v.failf("is part of itself")
		return nil
	}
	inside = append(inside, v.node)
	switch {
	case v.node.Kind == yaml.MappingNode:
		all := make(map[string]any)
		v.entries(func(name string, v value) { all[name] = v.free(inside) })
		return all
	case v.node.Kind == yaml.SequenceNode:
		all := []any{}
		v.list(func(v value) { all = append(all, v.free(inside)) })
		return all
	case v.node.Tag == "!!str" && strings.Contains(v.node.Value, "${"):
		return v.secretIn(v.node.Value)
	case v.node.Tag == "!!str":
		return v.node.Value
	case v.node.Tag == "!!timestamp":
		return v.node.Value
	default:
		var scalar any
		if err := v.node.Decode(&scalar); err != nil {
			v.failf("cannot be read")
		}
		return scalar
	}
}
