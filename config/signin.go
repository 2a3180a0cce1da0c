package config

import (
	"fmt"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/policy"
)

// signIn is an app whose accounts appear when people sign in, with the place of its
// settings.
type signIn struct {
	app       string
	directory string
	settings  value
}

// signsIn takes note of an app whose accounts appear by themselves.
func (v value) signsIn(app string, c connector.Connector) {
	if directory := c.Capabilities().Directory; directory != "" {
		v.l.signIns = append(v.l.signIns, signIn{app, directory, v})
	}
}

// checkSignIns checks what needs all apps and roles: the directory of such an app exists
// and is not such an app itself, and no role grants entitlements that only the directory
// can give.
func (l *loader) checkSignIns(cfg *Config, rules policy.Rules) {
	appears := map[string]string{}
	for _, s := range l.signIns {
		appears[s.app] = s.directory
	}
	for _, s := range l.signIns {
		path := join(s.settings.path, "directory")
		_, there := cfg.Apps[s.directory]
		switch {
		case s.directory == "": // its secret is not looked at
		case !there:
			names := make([]string, 0, len(cfg.Apps))
			for name := range cfg.Apps {
				names = append(names, name)
			}
			l.fail(s.settings.at, path, "there is no app %q%s", s.directory, hint(s.directory, names))
		case appears[s.directory] != "":
			l.fail(s.settings.at, path, "people cannot sign in by %q: its own accounts appear when they sign in by %q", s.directory, appears[s.directory])
		}
	}
	for i, role := range rules.Roles {
		for j, grant := range role.Grants {
			if directory := appears[grant.App]; directory != "" && len(grant.Entitlements) > 0 {
				path := fmt.Sprintf("roles[%d].grants[%d].entitlements", i, j)
				l.fail(l.locate(&policy.FieldError{Path: path}), path,
					"entitlements in %q come from what %q says at sign-in: grant them there, and none here", grant.App, directory)
			}
		}
	}
}
