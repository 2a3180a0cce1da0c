package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// userID returns the ID of the n-th user of an identity store.
func userID(n int) string { return fmt.Sprintf("90677c608a-%08x-0bd4-4fb7-b2ff-10ccffdff447", n) }

// cloud adds an app of AWS's, with people who were cut off at different times.
func (s *site) cloud(links ...ledger.Link) {
	s.t.Helper()
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(s.t, err)
	s.write("tenure.yaml", strings.Replace(string(text), "  chat:\n", "  aws:\n    connector: scim\n    settings: {profile: aws-identity-center, url: 'https://scim.eu-central-1.amazonaws.com/x/scim/v2', token: abc}\n"+
		"    attributes: {name.givenName: person.givenName, name.familyName: person.familyName, displayName: person.givenName, emails: person.email}\n  chat:\n", 1))
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	for _, link := range links {
		link.App = "aws"
		s.link(l, link)
	}
}

// denied returns the users that a policy denies, and checks the rest of it.
func denied(t *testing.T, text string) []string {
	t.Helper()
	var policy denyPolicy
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	assert.Equal(t, "2012-10-17", policy.Version)
	require.Len(t, policy.Statement, 1)
	one := policy.Statement[0]
	assert.Equal(t, []string{"Deny", "*", "*"}, []string{one.Effect, one.Action, one.Resource})
	ids := one.Condition["StringEquals"]["identitystore:userId"]
	assert.NotEmpty(t, ids, "without the condition, everybody would be denied")
	return ids
}

func TestTheDenyPolicyNamesWhoWasCutOffLately(t *testing.T) {
	s := newSite(t)
	s.people()
	now := time.Now()
	s.cloud(
		ledger.Link{PersonID: "10001", AccountID: userID(1), State: ledger.LinkActive},
		ledger.Link{PersonID: "10002", AccountID: userID(2), State: ledger.LinkDisabled, DisabledAt: now.Add(-2 * time.Hour)},
		ledger.Link{PersonID: "10003", AccountID: userID(3), State: ledger.LinkDisabled, DisabledAt: now.Add(-14 * time.Hour)},
	)
	got := s.run("app", "deny", "aws")
	require.Zero(t, got.code, got.err)
	assert.Equal(t, []string{userID(2)}, denied(t, got.stdout))

	got = s.run("app", "deny", "aws", "--within", "24h")
	assert.Equal(t, []string{userID(2), userID(3)}, denied(t, got.stdout))
	got = s.run("app", "deny", "aws", "--within", "1h")
	assert.Equal(t, []string{nobody}, denied(t, got.stdout))
	got = s.run("app", "deny", "aws", "10001")
	assert.Equal(t, []string{userID(1), userID(2)}, denied(t, got.stdout), "somebody who is named, whatever their state")

	got = s.run("app", "deny", "aws", "-o", "yaml")
	require.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "Effect: Deny")

	for _, args := range [][]string{{"aws", "unknown"}, {"chat"}, {"nothing"}} {
		got = s.run(append([]string{"app", "deny"}, args...)...)
		assert.NotZero(t, got.code, args)
		assert.Empty(t, got.stdout, args)
	}
}

// Somebody else may use the account by now, and a deleted account is denied by its old ID.
func TestTheDenyPolicySparesAccountsInUse(t *testing.T) {
	s := newSite(t)
	s.people()
	now := time.Now()
	s.cloud(
		ledger.Link{PersonID: "10001", AccountID: userID(1), State: ledger.LinkActive},
		ledger.Link{PersonID: "10002", State: ledger.LinkDeleted, DeletedAt: now.Add(-time.Hour), Binned: ledger.Binned{AccountID: userID(1), At: now.Add(-time.Hour)}},
		ledger.Link{PersonID: "10003", State: ledger.LinkDeleted, DeletedAt: now.Add(-time.Hour), Binned: ledger.Binned{AccountID: userID(3), At: now.Add(-time.Hour)}},
	)
	got := s.run("app", "deny", "aws")
	require.Zero(t, got.code, got.err)
	assert.Equal(t, []string{userID(3)}, denied(t, got.stdout))
}

func TestTheDenyPolicyIsSafe(t *testing.T) {
	for _, id := range []string{"${identitystore:userId}", "*", "", "90677c608a-*", userID(1) + "\n"} {
		_, err := newDenyPolicy([]string{id})
		assert.Error(t, err, "%q", id)
	}
	var many []string
	for n := range 90 {
		many = append(many, userID(n))
	}
	text, err := newDenyPolicy(many)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(text), maxPolicy+1)
	assert.Len(t, denied(t, string(text)), 90)
	_, err = newDenyPolicy(append(many, many...))
	assert.ErrorContains(t, err, "AWS takes 5120")
}
