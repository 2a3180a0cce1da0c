package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/bench/provisioning"
	"github.com/tenurehq/tenure/dev/cli"
)

// Ten people are hired, some move and some leave, in a service that is running already. It is
// measured, compared, spoilt, found to be wrong, and reset: what others have there stays.
func TestProvisioningIsMeasured(t *testing.T) {
	service, err := scimtest.New(scimtest.Options{Name: "target", Token: "t0ken", Groups: []string{"others"}})
	require.NoError(t, err)
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	call := func(method, body string) string {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+scimtest.BasePath+"/Users", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer t0ken")
		request.Header.Set("Content-Type", "application/scim+json")
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	call(http.MethodPost, `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bench"}`)
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("t0ken\n"), 0o600))
	file, out := filepath.Join(dir, "people"), filepath.Join(dir, "report.json")
	run := func(args ...string) (code int, said string) {
		var stdout, stderr bytes.Buffer
		code = cli.Main(append([]string{
			"bench-provision", "--target", server.URL + scimtest.BasePath, "--token-file", token, "--file", file, "--out", out, "--bin", binaries,
		}, args...), &stdout, &stderr)
		return code, stdout.String() + stderr.String()
	}
	code, said := run("--people", "10", "--moves", "4", "--leavers", "3")
	require.Zero(t, code, said)
	assert.Contains(t, said, "The server is as the file says.")
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	var report provisioning.Report
	require.NoError(t, json.Unmarshal(text, &report))
	require.Len(t, report.Phases, 3)
	for i, want := range []int{10, 4, 3} {
		p := report.Phases[i]
		assert.Equal(t, want, p.Changes)
		assert.GreaterOrEqual(t, p.Steps, want)
		assert.Positive(t, p.Wall)
	}
	assert.Equal(t, 10, report.Phases[0].Requests["POST /Users"], "%v", report.Phases[0].Requests)
	assert.GreaterOrEqual(t, report.Phases[2].Requests["PATCH /Users/ID"], 3, "%v", report.Phases[2].Requests)
	for kind, counted := range map[string]string{"PATCH Users": "PATCH /Users/ID", "PATCH Groups": "PATCH /Groups/ID"} {
		sum := 0
		for _, p := range report.Phases {
			sum += p.Requests[counted]
		}
		assert.Equal(t, service.Stats().ByKind[kind], sum, "%s, as the service counted", kind)
	}
	for _, name := range []string{"worker", "starter", provisioning.StackName} {
		assert.Positive(t, report.Processes[name].CPU(), name)
		assert.Positive(t, report.Processes[name].Peak, name)
	}

	code, said = run("--check")
	assert.Zero(t, code, said)
	code, said = run("--check", "--leavers-are", "deleted")
	assert.Equal(t, 1, code)
	assert.Contains(t, said, "not as the file says, in 3 places")
	code, said = run("--people", "10", "--moves", "4", "--leavers", "3")
	assert.Equal(t, 1, code)
	assert.Contains(t, said, "delete what the file makes with --reset")
	code, said = run("--reset")
	assert.Zero(t, code, said)
	assert.Contains(t, said, "deleted 10 accounts")
	code, said = run("--check")
	assert.Equal(t, 1, code)
	assert.Contains(t, said, "in 10 places")
	assert.Regexp(t, `"totalResults": ?1\b`, call(http.MethodGet, ""), "who was there before is there")
}
