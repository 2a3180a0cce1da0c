package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// left disables and strips Bezalel's accounts: in the wiki longer ago than accounts are
// kept, and in chat an hour ago.
func (s *site) left() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	long, lately := at("2026-02-28 23:00:01"), time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	s.link(l, ledger.Link{PersonID: "10002", App: "wiki", AccountID: "2", Username: "bsimmel", State: ledger.LinkDisabled, CreatedAt: at("2026-01-05 00:00:15"), DisabledAt: long, StrippedAt: long, ProvenAt: long})
	s.link(l, ledger.Link{PersonID: "10002", App: "chat", AccountID: "3", Username: "bsimmel", State: ledger.LinkDisabled, CreatedAt: at("2026-01-05 00:00:13"), DisabledAt: lately, StrippedAt: lately, ProvenAt: lately})
}

// refuses checks that a command is refused with an exit code, and says why.
func (s *site) refuses(code int, want string, args ...string) {
	s.t.Helper()
	got := s.run(args...)
	assert.Equal(s.t, code, got.code, args)
	assert.Contains(s.t, got.err, want, args)
}

func TestAHoldIsPlacedListedAndReleased(t *testing.T) {
	s := newSite(t)
	s.people()
	s.left()
	f := &frontend{}
	f.serve(t)
	assert.Equal(t, "nobody is held\n", s.run("hold", "list").stdout)
	for _, wrong := range []struct {
		code int
		want string
		args []string
	}{
		{service.ExitUsage, "say why with --reason", []string{"place", "10002", "--until", "90d"}},
		{service.ExitUsage, "say with --until when the hold ends", []string{"place", "10002", "--reason", "x"}},
		{service.ExitUsage, "--until 2020-01-01 is over", []string{"place", "10002", "--until", "2020-01-01", "--reason", "x"}},
		{service.ExitUsage, `--until wants a day`, []string{"place", "10002", "--until", "soon", "--reason", "x"}},
		{service.ExitFailed, `the ledger knows no person "4711"`, []string{"place", "4711", "--until", "90d", "--reason", "x"}},
		{service.ExitFailed, "person 10002 is not held", []string{"release", "10002", "--reason", "x"}},
		{service.ExitFailed, "there is no hold h-9", []string{"release", "h-9", "--reason", "x"}},
		{service.ExitUsage, "say why with --reason", []string{"release", "h-1"}},
	} {
		s.refuses(wrong.code, wrong.want, append([]string{"hold"}, wrong.args...)...)
	}
	assert.Empty(t, f.nudged)

	placed := s.run("hold", "place", "10002", "--until", "2099-12-31", "--reason", "matter 42", "--operator", "ada")
	assert.Equal(t, service.ExitDone, placed.code, placed.err)
	assert.Equal(t, "h-1: nothing of 10002 is deleted until 2100-01-01 00:00:00Z (chat, wiki)\n", placed.stdout, "the last day belongs to it")
	assert.Equal(t, service.ExitDone, s.run("hold", "place", "10002", "--until", "1d", "--reason", "matter 43", "--operator", "ada").code)
	assert.Equal(t, []string{"person:10002", "person:10002"}, f.nudged)
	p, rows := s.read("10002")
	assert.Equal(t, []string{"hold_placed", "ada", "matter 43"}, []string{rows[len(rows)-1].Action, rows[len(rows)-1].Actor, rows[len(rows)-1].Cause})
	assert.Equal(t, ledger.DueDecision, p.DueWhat)

	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.run("hold", "list", "-o", "json").stdout), &list))
	require.Len(t, list, 2)
	assert.Equal(t, []any{"h-1", "10002", "Bezalel Simmel", "in force", "2100-01-01T00:00:00Z", "ada", "matter 42"},
		[]any{list[0]["hold"], list[0]["person"], list[0]["name"], list[0]["state"], list[0]["until"], list[0]["operator"], list[0]["reason"]})
	show := s.run("person", "show", "10002").stdout
	assert.Contains(t, show, "nothing is deleted until 2100-01-01 00:00:00Z")
	assert.Contains(t, show, "matter 43")

	released := s.run("hold", "release", "h-2", "--reason", "settled", "--operator", "bob")
	assert.Equal(t, service.ExitDone, released.code, released.err)
	assert.Equal(t, "h-2 of 10002 is released\n", released.stdout)
	assert.Contains(t, released.err, "10002 is still held by h-1, until 2100-01-01 00:00:00Z")
	s.refuses(service.ExitFailed, "h-2 of 10002 was released before, by bob at", "hold", "release", "h-2", "--reason", "x", "--operator", "eve")
	assert.Equal(t, "h-1 of 10002 is released\n", s.run("hold", "release", "10002", "--reason", "settled", "--apply").stdout)
	assert.Equal(t, "nobody is held\n", s.run("hold", "list").stdout)
	assert.Equal(t, 2, strings.Count(s.run("hold", "list", "--all", "--person", "10002").stdout, "released"))
}

// A deletion that has begun may be done already: the operator who places a hold has to
// know.
func TestAHoldThatComesTooLateSaysSo(t *testing.T) {
	s := newSite(t)
	s.people()
	s.left()
	l := s.ledger()
	now := time.Now()
	_, err := l.BeginStep(t.Context(), ledger.Attempt{PersonID: "10002", App: "wiki", Key: "wiki/Delete/1", Kind: "Delete", At: now, Deadline: now.Add(time.Hour)})
	require.NoError(t, err)
	s.link(l, ledger.Link{PersonID: "10002", App: "chat", AccountID: "4", State: ledger.LinkDeleted, CreatedAt: at("2026-01-05 00:00:14")})
	require.NoError(t, l.Close())
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	got := s.run("hold", "place", "10002", "--until", "90d", "--reason", "matter 42")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "deleted before: chat\n")
	assert.Contains(t, got.err, "a deletion had begun in wiki, and may be done all the same")
	assert.Contains(t, got.err, "could not be told, and will be by the sweeper", "Temporal is not needed")
	p, _ := s.read("10002")
	assert.Len(t, p.Holds, 1)
}

// In an app that destroys disabled accounts, a hold does not claim to keep an account
// that is disabled already.
func TestAHoldKeepsNothingOfWhatIsDestroyedByTurningItOff(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", strings.Replace(configuration, "  chat:\n    connector: memory\n",
		"  chat:\n    connector: scim\n    settings: {url: 'https://127.0.0.1:1/scim/v2', token: x, profile: github-org}\n", 1))
	s.people()
	s.left()
	l := s.ledger()
	now := time.Now()
	_, err := l.BeginStep(t.Context(), ledger.Attempt{PersonID: "10002", App: "wiki", Key: "wiki/Disable/1", Kind: "Disable", At: now, Deadline: now.Add(time.Hour), Destroys: true})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	(&frontend{}).serve(t)
	got := s.run("hold", "place", "10002", "--until", "2099-12-31", "--reason", "matter 42")
	assert.Equal(t, "h-1: nothing of 10002 is deleted until 2100-01-01 00:00:00Z (wiki)\n", got.stdout)
	assert.Contains(t, got.err, "turned off before, which there is as good as deleting: chat\n")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "a deletion had begun in wiki, and may be done all the same")
}

func TestDeletionsAreListedAndApproved(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", strings.Replace(configuration, "    rate: 10/s\n", "    rate: 10/s\n    leaver: {approval: required}\n", 1))
	s.people()
	assert.Equal(t, "nothing is to be deleted\n", s.run("deletion", "list").stdout)
	s.left()
	f := &frontend{}
	f.serve(t)
	rows := func(args ...string) map[string][]string {
		var list []struct{ Person, App, WaitsFor, Approval, Why, Name string }
		require.NoError(t, json.Unmarshal([]byte(s.run(append([]string{"deletion", "list", "-o", "json"}, args...)...).stdout), &list))
		byApp := map[string][]string{}
		for _, d := range list {
			byApp[d.App] = []string{d.Person, d.Name, d.WaitsFor, d.Approval, d.Why}
		}
		return byApp
	}
	assert.Equal(t, map[string][]string{
		"wiki": {"10002", "Bezalel Simmel", "approval", "needed", "access ended"},
		"chat": {"10002", "Bezalel Simmel", "retention", "", "access ended"},
	}, rows())
	assert.Equal(t, service.ExitAttention, s.run("deletion", "list").code, "somebody is waited for")
	assert.Len(t, rows("--waits", "retention"), 1)
	assert.Empty(t, rows("--person", "10001"))
	s.refuses(service.ExitUsage, "--app mail: there is chat, wiki", "deletion", "list", "--app", "mail")
	s.refuses(service.ExitUsage, `the ledger knows no person "1004"`, "deletion", "list", "--person", "1004")
	s.refuses(service.ExitUsage, "--waits luck: there is hold, retention, approval, nothing", "deletion", "list", "--waits", "luck")

	s.refuses(service.ExitUsage, "say why with --reason", "deletion", "approve", "10002", "--apply")
	s.refuses(service.ExitAttention, "1 deletion would be approved; nothing was done: --apply does it", "deletion", "approve", "10002")
	s.refuses(service.ExitFailed, "no deletion of 10002 needs an approval", "deletion", "approve", "10002", "--app", "chat", "--reason", "x")
	s.refuses(service.ExitFailed, "no deletion of 10001 needs an approval", "deletion", "approve", "10001", "--reason", "x")
	assert.Empty(t, f.nudged)

	require.Equal(t, service.ExitDone, s.run("hold", "place", "10002", "--until", "2099-12-31", "--reason", "matter 42").code)
	assert.Equal(t, "hold", rows()["wiki"][2])
	early := s.run("deletion", "approve", "10002", "--reason", "ticket 42", "--operator", "ada", "--apply")
	assert.Equal(t, service.ExitDone, early.code, early.err)
	assert.Equal(t, "the deletion of 10002 in wiki is approved: it is deleted when its hold ends, at 2100-01-01 00:00:00Z\n", early.stdout)
	s.refuses(service.ExitAttention, "wiki of 10002 would be deleted for good, now;", "hold", "release", "10002", "--reason", "settled")
	require.Equal(t, service.ExitDone, s.run("hold", "release", "10002", "--reason", "settled", "--apply").code)
	assert.Equal(t, []string{"10002", "Bezalel Simmel", "nothing", "given", "access ended"}, rows()["wiki"])
	assert.Equal(t, service.ExitDone, s.run("deletion", "list").code)
	assert.Len(t, f.nudged, 3)
	p, _ := s.read("10002")
	require.Len(t, p.Approvals, 1)
	assert.Equal(t, []string{"ada", "ticket 42"}, []string{p.Approvals[0].Operator, p.Approvals[0].Reason})
	s.refuses(service.ExitFailed, "no deletion of 10002 needs an approval", "deletion", "approve", "10002", "--reason", "x")
}

func TestRetentionIsSetAndReset(t *testing.T) {
	s := newSite(t)
	s.people()
	s.left()
	f := &frontend{}
	f.serve(t)
	waits := func() (apps string) {
		var list []struct{ App, WaitsFor string }
		require.NoError(t, json.Unmarshal([]byte(s.run("deletion", "list", "-o", "json").stdout), &list))
		for _, d := range list {
			apps += d.App + " " + d.WaitsFor + ";"
		}
		return apps
	}
	require.Equal(t, "wiki nothing;chat retention;", waits())
	for _, wrong := range []struct {
		code int
		want string
		args []string
	}{
		{service.ExitUsage, "say why with --reason", []string{"set", "10002", "--for", "7d"}},
		{service.ExitUsage, "say how long: either --until or --for", []string{"set", "10002", "--reason", "x"}},
		{service.ExitUsage, "say how long: either --until or --for", []string{"set", "10002", "--reason", "x", "--for", "7d", "--until", "7d"}},
		{service.ExitUsage, "--for must be a duration", []string{"set", "10002", "--reason", "x", "--for", "long"}},
		{service.ExitUsage, "mail", []string{"set", "10002", "--reason", "x", "--for", "7d", "--app", "mail"}},
		{service.ExitAttention, "chat of 10002 would be deleted for good, now; nothing was done: --apply does it", []string{"set", "10002", "--reason", "x", "--for", "0d"}},
		{service.ExitFailed, "no such retention is set", []string{"reset", "10002", "--reason", "x"}},
	} {
		s.refuses(wrong.code, wrong.want, append([]string{"retention"}, wrong.args...)...)
	}
	assert.Empty(t, f.nudged)

	longer := s.run("retention", "set", "10002", "--until", "2099-12-31", "--reason", "ticket 42", "--operator", "ada")
	assert.Equal(t, service.ExitDone, longer.code, longer.err)
	assert.Equal(t, "accounts of 10002 (all) are kept until 2100-01-01 00:00:00Z\n", longer.stdout)
	assert.Equal(t, "chat retention;wiki retention;", waits())
	shorter := s.run("retention", "set", "10002", "--app", "chat", "--for", "30m", "--reason", "ticket 43", "--apply")
	assert.Equal(t, "accounts of 10002 (chat) are kept for 30m0s\n", shorter.stdout)
	assert.Equal(t, "chat nothing;wiki retention;", waits())
	show := s.run("person", "show", "10002").stdout
	assert.Contains(t, show, "until 2100-01-01 00:00:00Z")
	assert.Contains(t, show, "for 30m0s")

	s.refuses(service.ExitAttention, "wiki of 10002 would be deleted for good, now;", "retention", "reset", "10002", "--reason", "x")
	reset := s.run("retention", "reset", "10002", "--reason", "x", "--yes")
	assert.Equal(t, "accounts of 10002 (all) are no longer kept until 2100-01-01 00:00:00Z, but as the configuration says\n", reset.stdout)
	assert.Equal(t, "chat nothing;wiki nothing;", waits())
	assert.Len(t, f.nudged, 3)
	p, _ := s.read("10002")
	assert.Len(t, p.Retentions, 1)
}

func TestDurationsAreShownAsTheyAreWritten(t *testing.T) {
	for want, d := range map[string]time.Duration{"0d": 0, "60d": 60 * 24 * time.Hour, "12h0m0s": 12 * time.Hour, "1d12h0m0s": 36 * time.Hour} {
		assert.Equal(t, want, days(d))
	}
}
