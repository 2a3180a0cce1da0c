//go:build real

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// amazon runs AWS's own command line against moto, which scripts/test-real starts.
type amazon struct {
	t        *testing.T
	endpoint string
	packages string // of Python
}

func newAmazon(t *testing.T) amazon {
	t.Helper()
	a := amazon{t, os.Getenv("TENURE_REAL_MOTO_URL"), os.Getenv("TENURE_REAL_MOTO_PACKAGES")}
	require.NotEmpty(t, a.endpoint, "TENURE_REAL_MOTO_URL is not set: scripts/test-real sets it")
	return a
}

// tries runs a command, and returns what it answers as text.
func (a amazon) tries(args ...string) (string, error) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), "python3", append([]string{filepath.Join(a.packages, "bin", "aws")}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+a.packages, "AWS_ENDPOINT_URL="+a.endpoint, "AWS_PAGER=", "AWS_CONFIG_FILE=none",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=eu-central-1")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// does runs a command that has to pass, and returns the value that query finds in its answer.
func (a amazon) does(query string, args ...string) string {
	a.t.Helper()
	out, err := a.tries(append(args, "--query", query, "--output", "text")...)
	require.NoError(a.t, err, "aws %s: %s", strings.Join(args[:2], " "), out)
	return out
}

// TestTheDenyPolicyIsTakenByMoto does what docs/apps/aws-identity-center.md says with AWS's own
// command line: the user IDs that moto's identity store gives are denied by a service control
// policy that moto keeps as it was printed, and whose grammar moto's IAM accepts. What the policy
// does is AWS's: moto enforces none.
func TestTheDenyPolicyIsTakenByMoto(t *testing.T) {
	a := newAmazon(t)
	user := func(name string) string {
		return a.does("UserId", "identitystore", "create-user", "--identity-store-id", "d-1234567890",
			"--user-name", name, "--display-name", name, "--name", "GivenName="+name+",FamilyName=x")
	}
	stays, left := user("stays"), user("left")
	s := newSite(t)
	s.people()
	s.cloud(
		ledger.Link{PersonID: "10001", AccountID: stays, State: ledger.LinkActive},
		ledger.Link{PersonID: "10002", AccountID: left, State: ledger.LinkDisabled, DisabledAt: time.Now().Add(-time.Hour)},
	)
	printed := func(args ...string) string {
		got := s.run(append([]string{"app", "deny", "aws"}, args...)...)
		require.Zero(t, got.code, got.err)
		s.write("deny.json", got.stdout)
		return got.stdout
	}

	a.does("Organization.Id", "organizations", "create-organization", "--feature-set", "ALL")
	root := a.does("Roots[0].Id", "organizations", "list-roots")
	a.does("Root.Id", "organizations", "enable-policy-type", "--root-id", root, "--policy-type", "SERVICE_CONTROL_POLICY")
	printed()
	policy := a.does("Policy.PolicySummary.Id", "organizations", "create-policy", "--name", "tenure-leavers", "--description", "x",
		"--type", "SERVICE_CONTROL_POLICY", "--content", "file://deny.json")
	_, err := a.tries("organizations", "attach-policy", "--policy-id", policy, "--target-id", root)
	require.NoError(t, err)
	kept := func() string {
		return a.does("Policy.Content", "organizations", "describe-policy", "--policy-id", policy)
	}
	assert.Equal(t, []string{left}, denied(t, kept()))

	text := printed("10001")
	a.does("Policy.PolicySummary.Id", "organizations", "update-policy", "--policy-id", policy, "--content", "file://deny.json")
	assert.Equal(t, strings.TrimSpace(text), kept(), "it is kept as it was printed")
	assert.ElementsMatch(t, []string{stays, left}, denied(t, kept()))

	// moto's organizations take any text for a policy; its IAM reads the grammar of one.
	grammar := func(name string) (string, error) {
		return a.tries("iam", "create-policy", "--policy-name", name, "--policy-document", "file://deny.json")
	}
	out, err := grammar("two")
	require.NoError(t, err, out)
	many := make([]string, 95) // as many as the document says that a policy can name
	for i := range many {
		many[i] = userID(i)
	}
	most, err := newDenyPolicy(many)
	require.NoError(t, err)
	s.write("deny.json", string(most))
	out, err = grammar("many")
	require.NoError(t, err, out)

	var wrong map[string]any
	require.NoError(t, json.Unmarshal(most, &wrong))
	delete(wrong["Statement"].([]any)[0].(map[string]any), "Resource")
	spoilt, err := json.Marshal(wrong)
	require.NoError(t, err)
	s.write("deny.json", string(spoilt))
	out, err = grammar("wrong")
	require.Error(t, err, "moto reads no grammar, so that the above proves nothing")
	assert.Contains(t, out, "MalformedPolicyDocument")
}
