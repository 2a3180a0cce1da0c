package tenanttest_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
	"github.com/tenurehq/tenure/connector/tenanttest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

const token = "t0ken-that-nobody-may-see"

// org is a stand-in for an org of Okta's, as a company's test tenant would be: it has people
// already.
type org struct {
	*oktatest.Service
	url, folder string
}

func serve(t *testing.T) org {
	t.Helper()
	service := oktatest.New(oktatest.Options{Token: token, Groups: []string{"staff", "engineers"}}, oktatest.Switches{})
	service.AddUser(oktatest.Seed{Login: "somebody@example.com", Profile: map[string]any{"employeeNumber": "7"}})
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return org{service, server.URL, t.TempDir()}
}

// open opens a connector to the org.
func (o org) open(t *testing.T) connector.Connector {
	t.Helper()
	c, err := okta.Kind.Open(t.Context(), connector.Env{App: "tenant"}, connector.Settings{"url": o.url, "token": token})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// logins returns the usernames of all accounts.
func (o org) logins(t *testing.T) (logins []string) {
	t.Helper()
	for account, err := range o.open(t).List(t.Context()) {
		require.NoError(t, err)
		logins = append(logins, account.Username)
	}
	return logins
}

// script returns the script, called for the org with more variables.
func (o org) script(t *testing.T, arguments []string, more ...string) (run *exec.Cmd, output *bytes.Buffer) {
	t.Helper()
	output = &bytes.Buffer{}
	run = exec.CommandContext(t.Context(), "../../scripts/real-tenant", arguments...)
	run.Stdout, run.Stderr = output, output
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	run.Env = append(os.Environ(), append([]string{
		"TENURE_TENANT_FOLDER=" + o.folder, "TENURE_TENANT_URL=" + o.url, "TENURE_TENANT_TOKEN=" + token,
		"TENURE_TENANT_GROUPS=staff,engineers", "TENURE_TENANT_PAUSE=0s", "TENURE_TENANT_CONFIRM=" + o.url,
	}, more...)...)
	return run, output
}

// underWay waits until the suite has made some accounts.
func (o org) underWay(t *testing.T, journal string) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(filepath.Join(o.folder, journal))
		return err == nil && bytes.Count(data, []byte("\n")) > 10
	}, 5*time.Minute, 10*time.Millisecond, "the suite makes accounts")
}

// TestScript runs the script as people would, on a stand-in for Okta.
func TestScript(t *testing.T) {
	t.Run("help teaches", func(t *testing.T) {
		run, output := serve(t).script(t, []string{"--help"})
		require.NoError(t, run.Run(), output.String())
		for _, text := range []string{"TENURE_TENANT_CONFIRM", "TENURE_TENANT_GROUPS", "docs/proving-a-tenant.md", "sweep"} {
			assert.Contains(t, output.String(), text)
		}
	})

	t.Run("nothing without confirmation", func(t *testing.T) {
		for _, confirm := range []string{"", "https://another.okta.com"} {
			o := serve(t)
			run, output := o.script(t, []string{"okta"}, "TENURE_TENANT_CONFIRM="+confirm, "TENURE_TENANT_GROUPS=staff")
			var exit *exec.ExitError
			require.ErrorAs(t, run.Run(), &exit, output.String())
			assert.Equal(t, 2, exit.ExitCode())
			assert.Contains(t, output.String(), "TENURE_TENANT_CONFIRM")
			assert.Contains(t, output.String(), "TENURE_TENANT_GROUPS has to name two")
			assert.NotContains(t, output.String(), token)
			assert.Empty(t, o.Requests())
		}
	})

	t.Run("it passes and leaves nothing", func(t *testing.T) {
		o := serve(t)
		run, output := o.script(t, []string{"okta"})
		require.NoError(t, run.Run(), output.String())
		assert.Contains(t, output.String(), "nothing is left")
		assert.Equal(t, []string{"somebody@example.com"}, o.logins(t))
		assert.NotContains(t, output.String(), token)
		proofs, err := os.ReadFile(filepath.Join(o.folder, "tenant-okta.proofs.jsonl"))
		require.NoError(t, err)
		assert.Contains(t, string(proofs), `"kind":"okta"`)
		assert.Contains(t, string(proofs), `"on":"a tenant of the vendor's, `)
		assert.Contains(t, string(proofs), `"attested":true`)
		assert.Contains(t, string(proofs), `"delete"`)
		assert.NoFileExists(t, filepath.Join(o.folder, "tenant-okta.journal"))
	})

	t.Run("it fails and leaves nothing", func(t *testing.T) {
		o := serve(t)
		o.Door().SetFaults(vendortest.Faults{Forget: []string{"title"}})
		run, output := o.script(t, []string{"okta"})
		require.Error(t, run.Run(), output.String())
		assert.Contains(t, output.String(), "--- FAIL")
		assert.Contains(t, output.String(), "nothing is left")
		assert.Equal(t, []string{"somebody@example.com"}, o.logins(t))
		assert.NoFileExists(t, filepath.Join(o.folder, "tenant-okta.proofs.jsonl"))
	})

	t.Run("Ctrl-C leaves nothing", func(t *testing.T) {
		o := serve(t)
		run, output := o.script(t, []string{"okta"})
		require.NoError(t, run.Start())
		o.underWay(t, "tenant-okta.journal")
		require.NoError(t, syscall.Kill(-run.Process.Pid, syscall.SIGINT))
		require.Error(t, run.Wait(), output.String())
		assert.Equal(t, 130, run.ProcessState.ExitCode(), output.String())
		assert.Contains(t, output.String(), "nothing is left")
		assert.Equal(t, []string{"somebody@example.com"}, o.logins(t))
	})

	t.Run("killed, and swept later", func(t *testing.T) {
		o := serve(t)
		run, _ := o.script(t, []string{"okta"})
		require.NoError(t, run.Start())
		o.underWay(t, "tenant-okta.journal")
		require.Eventually(t, func() bool { // between two tests there may be no account
			o.Door().SetFaults(vendortest.Faults{Stall: true})
			if len(o.Accounts()) > 1 {
				return true
			}
			o.Door().SetFaults(vendortest.Faults{})
			return false
		}, time.Minute, 10*time.Millisecond)
		require.NoError(t, syscall.Kill(-run.Process.Pid, syscall.SIGKILL))
		o.Door().SetFaults(vendortest.Faults{})
		require.Error(t, run.Wait()) // once the suite has closed its output, too: it ends by itself
		assert.FileExists(t, filepath.Join(o.folder, "tenant-okta.journal"))
		assert.Greater(t, len(o.logins(t)), 1)

		sweep, output := o.script(t, []string{"okta", "sweep"})
		require.NoError(t, sweep.Run(), output.String())
		assert.Contains(t, output.String(), "nothing is left")
		assert.Equal(t, []string{"somebody@example.com"}, o.logins(t))
	})
}

// TestSweepKnowsItsOwn: an account is ours by what the app says its username is, and not by
// what a journal says.
func TestSweepKnowsItsOwn(t *testing.T) {
	o := serve(t)
	c := o.open(t)
	journal := filepath.Join(t.TempDir(), "journal")
	_, err := c.Create(t.Context(), connector.Spec{Username: "tenure-test-lost@example.com", Attributes: map[string]any{
		"firstName": "Test", "lastName": "Account", "email": "lost@example.com",
	}})
	require.NoError(t, err)
	somebody, err := c.Find(t.Context(), connector.Keys{Username: "somebody@example.com"})
	require.NoError(t, err)
	require.Len(t, somebody, 1)
	require.NoError(t, os.WriteFile(journal, []byte(strings.Join([]string{
		`{"username":"somebody@example.com"}`,
		`{"username":"tenure-test-x","id":"` + somebody[0].Account.ID + `"}`,
		`{"username":"tenure-test-lo`, // cut off
	}, "\n")), 0o600))

	deleted, err := tenanttest.Sweep(t.Context(), c, journal, 0, time.Minute)
	require.NoError(t, err)
	assert.Equal(t, 1, deleted)
	assert.Equal(t, []string{"somebody@example.com"}, o.logins(t))
	assert.NoFileExists(t, journal)
}

// TestSweepSaysWhatMayBeLeft: without an answer it is not over.
func TestSweepSaysWhatMayBeLeft(t *testing.T) {
	o := serve(t)
	journal := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, os.WriteFile(journal, []byte(`{"username":"tenure-test-a"}`+"\n"), 0o600))
	o.Door().SetFaults(vendortest.Faults{Down: true})
	_, err := tenanttest.Sweep(t.Context(), o.open(t), journal, 0, 300*time.Millisecond)
	require.ErrorContains(t, err, "accounts may be left")
	assert.FileExists(t, journal, "another sweep needs it")
}

// TestFromEnv reads an environment, and says all that is wrong with one.
func TestFromEnv(t *testing.T) {
	env := func(values map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	}
	at, err := tenanttest.FromEnv("entra", env(map[string]string{
		"TENURE_TENANT_TENANT": "test.example.com", "TENURE_TENANT_CONFIRM": "test.example.com", "TENURE_TENANT_CLIENT_ID": "c",
		"TENURE_TENANT_CLIENT_SECRET": "s", "TENURE_TENANT_GROUPS": "staff,engineers", "TENURE_TENANT_ROLES": "true",
		"TENURE_TENANT_TIMEOUT": "10s", "TENURE_TENANT_WITHOUT_PLANS": `{"SPE_E3": "YAMMER"}`, "TENURE_TENANT_LOGIN_URL": "https://login.example.com",
		"TENURE_TENANT_DEVIATIONS": `{"members unchecked": "it does not look"}`,
	}))
	require.NoError(t, err)
	assert.Equal(t, connector.Settings{
		"tenant": "test.example.com", "clientID": "c", "clientSecret": "s", "roles": true, "timeout": "10s",
		"withoutPlans": map[string]any{"SPE_E3": "YAMMER"}, "loginURL": "https://login.example.com",
	}, at.Settings)
	assert.Equal(t, 20*time.Second, at.Pause)
	assert.Len(t, at.Deviations, 2)

	_, err = tenanttest.FromEnv("entra", env(map[string]string{
		"TENURE_TENANT_ROLES": "perhaps", "TENURE_TENANT_PAUSE": "long", "TENURE_TENANT_ATTRIBUTES": "a", "TENURE_TENANT_ALWAYS": "x",
	}))
	for _, name := range []string{"TENANT", "CLIENT_ID", "GROUPS", "ROLES", "PAUSE", "ATTRIBUTES", "ALWAYS"} {
		assert.ErrorContains(t, err, "TENURE_TENANT_"+name+" ")
	}
	for kind, needed := range map[string][]string{
		"zoom":            {"ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET", "DOMAIN"},
		"atlassian":       {"ORG_ID", "TOKEN", "DOMAIN"},
		"activedirectory": {"URL", "BIND_DN", "PASSWORD", "PEOPLE"},
	} {
		values := map[string]string{"TENURE_TENANT_GROUPS": "staff,engineers"}
		for _, name := range needed {
			values["TENURE_TENANT_"+name] = "x"
		}
		_, err := tenanttest.FromEnv(kind, env(values))
		require.ErrorContains(t, err, "TENURE_TENANT_CONFIRM is not set", kind)
		values["TENURE_TENANT_CONFIRM"] = "x"
		at, err := tenanttest.FromEnv(kind, env(values))
		require.NoError(t, err, kind)
		assert.Equal(t, "x", at.Named, kind)
	}
	_, err = tenanttest.FromEnv("github", env(nil))
	assert.ErrorContains(t, err, "invite people")
	_, err = tenanttest.FromEnv("fax", env(nil))
	assert.ErrorContains(t, err, "activedirectory, atlassian, entra, google, okta")
}
