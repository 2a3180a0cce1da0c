package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/internal/smtptest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// requestable is the stack's configuration with a role that has to be requested.
func requestable(t *testing.T) string {
	t.Helper()
	const next = "\njoiner: {leadTime: 0d}"
	template := withBreaker("{enabled: false}") + "\nsweep: {every: 1s}\n"
	require.Contains(t, template, next)
	return strings.Replace(template, next, `
  - name: wiki-admin
    when: "person.department == 'Development'"
    grants: [{app: wiki, entitlements: [administrators]}]
    request: {most: 8h}
governance: {fallback: ["20003"]}
`+next, 1)
}

// TestWhoDecidesGetsAMailAndWhoAskedToo has the real worker send mails to a real SMTP server.
func TestWhoDecidesGetsAMailAndWhoAskedToo(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	r := startRig(t, stack.Options{Template: requestable(t) + `
notices:
  mail: {server: "` + server.Address + `", from: tenure@example.com, tls: none}
  gather: 0s
  hours: "00:00-24:00"
`})
	person, _ := hiredAndCutOff(0, false)
	boss, _ := hiredAndCutOff(1, false)
	person.Profile.ManagerID = boss.PersonID
	person.Profile.WorkEmail, boss.Profile.WorkEmail = "person@example.com", "boss@example.com"
	person.Recorded, boss.Recorded = time.Now().UTC(), time.Now().UTC()
	r.publish(t, boss, person)
	r.awaitRest(t)
	// Several notices may come in one mail, whose lines are wrapped.
	got := func(to, text string) func() bool {
		return func() bool {
			return slices.ContainsFunc(server.Mails(), func(m smtptest.Mail) bool {
				return m.To == to && strings.Contains(strings.ReplaceAll(m.Data, "=\r\n", ""), text)
			})
		}
	}
	r.does(t, "request", "new", person.PersonID, "wiki-admin", "--for", "1h", "--reason", "INC-1", "--operator", "grace", "--apply")
	require.Eventually(t, got("boss@example.com", "Request r-1 waits for your decision"), rest, 100*time.Millisecond)
	assert.True(t, got("boss@example.com", "Reason: INC-1")())
	r.does(t, "request", "approve", "r-1", "--as", boss.PersonID, "--reason", "agreed", "--operator", "grace", "--apply")
	require.Eventually(t, got("person@example.com", "), is approved."), rest, 100*time.Millisecond)
	require.Eventually(t, got("person@example.com", "as the apps show"), rest, 100*time.Millisecond)
	var ids []string
	for _, m := range server.Mails() {
		_, id, _ := strings.Cut(m.Data, "Message-ID: ")
		id, _, _ = strings.Cut(id, "\r\n")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	assert.Len(t, slices.Compact(ids), len(server.Mails()), "nothing twice")
	assert.Contains(t, r.does(t, "notice", "list", "--all"), "request.asked")
}

// TestAccessIsAskedForApprovedProvenAndEnded goes through the life of a request with the real
// command line, on the embedded stack: it is in the app once it is approved, and no longer than
// that. Its run is ended by hand meanwhile, which nothing depends on.
func TestAccessIsAskedForApprovedProvenAndEnded(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{Template: requestable(t)})
	person, _ := hiredAndCutOff(0, false)
	boss, _ := hiredAndCutOff(1, false)
	person.Profile.ManagerID = boss.PersonID
	person.Recorded, boss.Recorded = time.Now().UTC(), time.Now().UTC()
	r.publish(t, boss, person)
	r.awaitRest(t)
	administrates := func() bool {
		accounts := r.accounts(t)["wiki"][person.PersonID]
		return len(accounts) == 1 && accounts[0].Active && slices.ContainsFunc(accounts[0].Groups, func(g struct {
			Display string `json:"display"`
		}) bool {
			return g.Display == "administrators"
		})
	}
	isIt := func(state string) func() bool {
		query := "WorkflowId = '" + workflows.RequestWorkflowID(1) + "' AND " + state
		return func() bool { return len(r.runs(t, query)) > 0 }
	}

	said := r.does(t, "request", "new", person.PersonID, "wiki-admin", "--for", "40s", "--reason", "INC-1", "--operator", "grace", "--apply")
	assert.Contains(t, said, "manager of "+person.PersonID)
	require.Eventually(t, isIt("TenureStage = 'waiting'"), rest, 100*time.Millisecond)
	assert.False(t, administrates(), "nobody has approved it")
	require.NoError(t, r.temporal.TerminateWorkflow(t.Context(), workflows.RequestWorkflowID(1), "", "a test"))

	said = r.does(t, "request", "approve", "r-1", "--as", boss.PersonID, "--reason", "agreed", "--operator", "grace", "--apply")
	assert.Contains(t, said, "r-1 is approved")
	approved := time.Now()
	require.Eventually(t, administrates, rest, 100*time.Millisecond)
	require.Eventually(t, isIt("ExecutionStatus = 'Completed' AND TenureStage = 'done'"), rest, 100*time.Millisecond, "it ends once the access is proven")
	found, err := r.ledger.Requests(t.Context(), ledger.RequestFilter{ID: 1}, 0, 1)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.WithinRange(t, found[0].ProvenAt, approved.Add(-5*time.Second), approved.Add(40*time.Second))
	assert.Contains(t, r.does(t, "person", "why", person.PersonID, "wiki"), "yes, by x-1 (r-1)")

	require.Eventually(t, func() bool { return !administrates() }, rest, 100*time.Millisecond)
	assert.Greater(t, time.Since(found[0].DecidedAt), 40*time.Second, "not before its time")
	r.awaitRest(t)
	assert.Empty(t, r.attention(t))
	x, err := r.ledger.Exceptions(t.Context(), ledger.ExceptionFilter{ID: found[0].Exception}, 0, 1)
	require.NoError(t, err)
	require.Len(t, x, 1)
	assert.Equal(t, []string{"r-1", "its time is over"}, []string{x[0].Origin, x[0].EndReason})
	assert.Len(t, r.accounts(t)["wiki"][person.PersonID], 1, "the account that other roles give is still there")
}
