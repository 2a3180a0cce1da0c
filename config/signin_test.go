package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const signInFile = `kafka: {brokers: [localhost:9092]}
ledger: {url: "sqlite:tenure.db"}
apps:
  directory: {connector: memory}
  wiki:
    connector: jit
    settings:
      directory: DIRECTORY
      INNER
  other:
    connector: jit
    settings: {directory: directory, assignee: it}
roles:
  - name: everyone
    when: "true"
    grants: [{app: directory, entitlements: [staff]}, {app: wiki ENTITLEMENTS}]
`

func TestAppsWhoseAccountsAppearAtSignIn(t *testing.T) {
	for name, c := range map[string]struct{ directory, inner, entitlements, want string }{
		"right":            {"directory", "assignee: it", "", ""},
		"with an inner":    {"directory", "inner: {connector: memory, settings: {name: wiki}}", "", ""},
		"unknown":          {"directry", "assignee: it", "", `7:5: apps.wiki.settings.directory: there is no app "directry"; did you mean "directory"?`},
		"another such":     {"other", "assignee: it", "", `people cannot sign in by "other": its own accounts appear when they sign in by "directory"`},
		"itself":           {"wiki", "assignee: it", "", `setting "directory" must be another app`},
		"nobody to ask":    {"directory", "due: 1h", "", `setting "assignee" is missing: without inner, a human has to be asked`},
		"inner that is no": {"directory", "inner: {connector: manual}", "", `setting "inner" will not do: its connector must be a kind of app that has an interface`},
		"inner's settings": {"directory", "inner: {connector: memory, settings: {nam: wiki}}", "", `setting "nam" is not known`},
		"granted here":     {"directory", "assignee: it", ", entitlements: [editors]", `entitlements in "wiki" come from what "directory" says at sign-in`},
		"unknown step":     {"directory", "assignee: it\n      secondPerson: [dance]", "", `setting "secondPerson" holds what is no step`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(strings.NewReplacer("DIRECTORY", c.directory, "INNER", c.inner, " ENTITLEMENTS", c.entitlements).Replace(signInFile))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
