package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/policy"
)

// checkMapped checks the attributes and entitlements that policy names against what each
// app's kind foresees before anybody has an account there.
func (l *loader) checkMapped(cfg *Config, rules policy.Rules) {
	granted := map[string]bool{}
	foresights := map[string]connector.Foresight{}
	for name, app := range cfg.Apps {
		foresights[name] = l.foresight(name, app)
		l.checkAttributes(name, rules.Apps[name].Attributes, foresights[name])
	}
	for i, role := range rules.Roles {
		for j, grant := range role.Grants {
			granted[grant.App] = true
			l.checkEntitlements(fmt.Sprintf("roles[%d].grants[%d].entitlements", i, j), grant, foresights[grant.App])
		}
	}
	l.checkDuties(rules, foresights)
	for name := range cfg.Apps {
		if !granted[name] && !l.failedWithin(join("apps", name)) && !l.failedWithin("roles") {
			path := join("apps", name)
			l.warn(l.placeAt(path), path, "no role grants it: nobody gets an account there")
		}
	}
}

// checkDuties checks what rules of separation of duties name: entitlements that an app cannot
// have are wrong, and those that no role gives are probably misspelt.
func (l *loader) checkDuties(rules policy.Rules, foresights map[string]connector.Foresight) {
	given := map[string][]string{}
	for _, role := range rules.Roles {
		for _, grant := range role.Grants {
			given[grant.App] = append(given[grant.App], grant.Entitlements...)
		}
	}
	for i, duty := range rules.Duties {
		for side, items := range map[string][]policy.Grant{"one": duty.One, "other": duty.Other} {
			for j, item := range items {
				path := fmt.Sprintf("duties[%d].%s[%d].entitlements", i, side, j)
				l.checkEntitlements(path, item, foresights[item.App])
				for k, name := range item.Entitlements {
					at := fmt.Sprintf("%s[%d]", path, k)
					if _, known := rules.Apps[item.App]; known && !slices.Contains(given[item.App], name) && !l.failed(at) {
						l.warn(l.placeAt(at), at, "no role gives %q in %q: only who was given it otherwise is found%s", name, item.App, nearest.Hint(name, given[item.App]))
					}
				}
			}
		}
	}
}

// foresight returns what the app's kind knows of the app before it is opened; nothing, if
// its settings are wrong.
func (l *loader) foresight(name string, app App) connector.Foresight {
	i := slices.IndexFunc(l.kinds, func(k connector.Kind) bool { return k.Name == app.Connector })
	path := join("apps", name)
	if i < 0 || l.failedWithin(join(path, "settings")) || l.failedWithin(join(path, "connector")) {
		return connector.Foresight{}
	}
	return l.kinds[i].Foresees(settings.Withhold(app.Settings))
}

func (l *loader) checkAttributes(app string, mapped map[string]string, f connector.Foresight) {
	path := join(join("apps", app), "attributes")
	for name := range mapped {
		at := join(path, name)
		if problem := said(f.Attribute, name); problem != "" {
			l.fail(l.placeAt(at), at, "%s", problem)
		} else if doubt := said(f.Doubt, name); doubt != "" {
			l.warn(l.placeAt(at), at, "%s", doubt)
		}
	}
	var missing []string
	for _, name := range f.Required {
		if _, ok := mapped[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		l.warn(l.placeAt(join("apps", app)), path, "the app makes no account without %s: map what is missing", strings.Join(missing, ", "))
	}
}

func (l *loader) checkEntitlements(path string, grant policy.Grant, f connector.Foresight) {
	for i, name := range grant.Entitlements {
		if problem := said(f.Entitlement, name); problem != "" {
			at := fmt.Sprintf("%s[%d]", path, i)
			l.fail(l.placeAt(at), at, "%q in app %q %s", name, grant.App, problem)
		}
	}
}

func said(of func(string) string, name string) string {
	if of == nil {
		return ""
	}
	return of(name)
}

// placeAt returns the place of a field or, if the document does not have it, of the
// nearest mapping around it.
func (l *loader) placeAt(path string) place { return l.locate(&policy.FieldError{Path: path}) }

// warnOfClearText warns of secrets that are written into the file.
func (v value) warnOfClearText(declared []settings.Setting, set map[string]any) {
	for _, s := range declared {
		path := join(v.path, s.Name)
		switch given := set[s.Name].(type) {
		case string:
			if s.Type == settings.TypeSecret && given != "" {
				v.l.warn(v.l.placeAt(path), path, "a secret is written here: refer to it by ${env:NAME} or ${file:PATH}")
			}
		case map[string]any:
			if s.Type == settings.TypeSettings {
				v.warnOfInner(path, given)
			}
		}
	}
}

// warnOfInner is warnOfClearText for an app within an app: {connector: ..., settings: ...}.
func (v value) warnOfInner(path string, inner map[string]any) {
	set, _ := inner["settings"].(map[string]any)
	for _, kind := range v.l.kinds {
		if kind.Name == inner["connector"] {
			value{l: v.l, node: v.node, path: join(path, "settings"), at: v.at}.warnOfClearText(kind.Settings, set)
		}
	}
}
