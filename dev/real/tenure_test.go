//go:build real

package real

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
)

// configuration is the template of tenure.yaml; its verbs are the broker, the
// topic, and the app's URL and token.
const configuration = `
kafka:
  brokers: [%q]
  topics: [{name: %q, source: cloudevents, settings: {types: [worker.*, security.*]}}]
ledger: {url: "sqlite:tenure.db"}
metrics: {worker: "{{.WorkerMetrics}}", starter: "{{.StarterMetrics}}"}
person:
  username: "ascii(lower(person.givenName.substring(0, 1) + person.familyName))"
  email: "person.username + '@example.com'"
apps:
  directory:
    connector: scim
    settings: {url: %q, token: %q, createGroups: true}
    attributes:
      displayName: "person.givenName + ' ' + person.familyName"
      name.givenName: person.givenName
      name.familyName: person.familyName
      title: person.jobTitle
      userType: person.workerType
      timezone: person.location.timeZone
      emails: person.email
      phoneNumbers: person.phone
      employeeNumber: person.employeeNumber
      department: person.department
      manager: manager.account
roles:
  - name: everyone
    when: "true"
    grants: [{app: directory, entitlements: [everyone]}]
  - name: makers
    when: "person.department in ['Development', 'Research']"
    grants: [{app: directory, entitlements: [makers]}]
  - name: sellers
    when: "person.department in ['Sales', 'Marketing']"
    grants: [{app: directory, entitlements: [sellers]}]
  - name: managers
    when: "person.jobTitle.contains('Manager')"
    grants: [{app: directory, entitlements: [managers]}]
leaver: {retain: 1s, delete: true}
breaker: {enabled: false}
sweep: {every: 1s}
`

// startTenure runs worker and starter, built from this checkout, on the embedded Temporal
// server until the test ends. If the test fails, it shows their logs.
func startTenure(t *testing.T, template string) *stack.Stack {
	t.Helper()
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./worker", "./starter")
	build.Dir = filepath.Join("..", "..")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)

	// The stack's own Kafka and demo apps take no part: no configuration names them.
	s, err := stack.Start(t.Context(), stack.Options{
		Template:     template,
		WorkerBinary: filepath.Join(bin, "worker"), StarterBinary: filepath.Join(bin, "starter"),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			showLogs(t, s.Dir())
		}
		s.Close()
	})
	return s
}

// showLogs shows the ends of the logs of worker and starter.
func showLogs(t *testing.T, dir string) {
	const most = 4 << 10
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		if name := filepath.Base(path); name == "worker.log" || name == "starter.log" {
			text, _ := os.ReadFile(path)
			t.Logf("the end of %s:\n%s", name, text[max(0, len(text)-most):])
		}
		return nil
	})
}
