//go:build real

package topology

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

const (
	root      = "../.."
	namespace = "people-and-access"
)

// tenure runs the command line with changes to the environment ("NAME=" takes a
// variable out), and returns what it says and its exit code.
func (t *Topology) tenure(test *testing.T, change []string, args ...string) (string, int) {
	test.Helper()
	command := exec.CommandContext(test.Context(), filepath.Join(root, "bin", "tenure"), append(args, "--config", t.Config("worker-1"))...)
	for _, variable := range t.Env() {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.ContainsFunc(change, func(c string) bool { return strings.HasPrefix(c, name+"=") }) {
			command.Env = append(command.Env, variable)
		}
	}
	for _, c := range change {
		if !strings.HasSuffix(c, "=") {
			command.Env = append(command.Env, c)
		}
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		require.NoError(test, err)
	}
	return said.String(), command.ProcessState.ExitCode()
}

// TestEverybodyProvesWhoTheyAre runs workers, starters and the command line against
// a Temporal server that wants a client certificate and an API key, and a Kafka that
// wants SASL over TLS; and sees who is turned away, and what they are told.
func TestEverybodyProvesWhoTheyAre(t *testing.T) {
	top := start(t, Options{Secure: true, Namespace: namespace, SQLite: true}) // workers and starters are ready: they are let in

	said, code := top.tenure(t, nil, "config", "check", "--connect")
	require.Zero(t, code, said)
	for _, want := range []string{
		"Kafka at", "as User:" + kafkaUser, "Temporal at", "as an API key", "namespace " + namespace, "search attributes",
	} {
		assert.Contains(t, said, want)
	}
	assert.NotContains(t, said, "not reached")
	said, code = top.tenure(t, nil, "run", "list")
	require.Zero(t, code, said)

	somebody := hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Byron", JobTitle: "Engineer", Department: "Sales",
		Location: hr.Location{TimeZone: "Europe/London"}, StartDate: hr.Date{Year: 2024, Month: time.May, Day: 1},
	}
	top.send(t, hr.Event{Type: hr.EventHired, PersonID: "1", Effective: somebody.StartDate, Profile: &somebody})
	top.expect(t, map[string]string{"directory/1": "abyron enabled Engineer [staff]", "wiki/1": "abyron enabled Engineer []"})

	strangers, err := newCertificates(filepath.Join(t.TempDir(), "strangers"))
	require.NoError(t, err)
	stranger, err := strangers.issue("tenure")
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		change []string
		want   []string
	}{
		{"no API key", []string{"TEMPORAL_API_KEY="}, []string{"the credentials give no access to it", "TEMPORAL_API_KEY"}},
		{"an API key that nobody signed", []string{"TEMPORAL_API_KEY=" + top.apiKey[:len(top.apiKey)-8] + "AAAAAAAA"}, []string{"refuses the credentials", "TEMPORAL_API_KEY"}},
		{"no client certificate", []string{"TEMPORAL_TLS_CLIENT_CERT_PATH=", "TEMPORAL_TLS_CLIENT_KEY_PATH="}, []string{"certificate required", "TEMPORAL_TLS_"}},
		{"a stranger's client certificate", []string{
			"TEMPORAL_TLS_CLIENT_CERT_PATH=" + stranger.Certificate, "TEMPORAL_TLS_CLIENT_KEY_PATH=" + stranger.Key,
		}, []string{"unknown certificate authority", "TEMPORAL_TLS_"}},
		{"trust in another authority", []string{"TEMPORAL_TLS_SERVER_CA_CERT_PATH=" + strangers.ca()}, []string{"certificate signed by unknown authority", "TEMPORAL_TLS_"}},
		{"another namespace", []string{"TEMPORAL_NAMESPACE=nowhere"}, []string{"namespace nowhere", "the credentials give no access to it"}},
	} {
		t.Run(c.name, func(test *testing.T) {
			// A client that is cut off may notice that before it has read the reason: then it asks again.
			require.EventuallyWithT(test, func(t *assert.CollectT) {
				said, code := top.tenure(test, c.change, "config", "check", "--connect", "--timeout", "10s")
				assert.Contains(t, []int{1, 3}, code, said)
				for _, want := range c.want {
					assert.Contains(t, said, want)
				}
			}, patience, 200*time.Millisecond)
		})
	}
	t.Run("a wrong password for Kafka", func(t *testing.T) {
		require.NoError(t, os.WriteFile(top.kafkaPasswordFile(), []byte("guessed"), 0o600))
		defer func() { require.NoError(t, os.WriteFile(top.kafkaPasswordFile(), []byte(top.kafkaPassword), 0o600)) }()
		said, code := top.tenure(t, nil, "config", "check", "--connect", "--timeout", "10s")
		assert.Equal(t, 1, code, said)
		assert.Contains(t, said, "not reached: Kafka")
		assert.Contains(t, strings.ToLower(said), "credentials")
	})
}
