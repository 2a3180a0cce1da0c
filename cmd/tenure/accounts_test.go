package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// newcomers adds three people who have no account that Tenure knows of. In the chat, one
// of them has an account, one has two, and the third person has left.
func (s *site) newcomers() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	var received []ledger.Received
	for _, id := range []string{"10004", "10005", "10006"} {
		received = append(received, ledger.Received{At: at("2026-01-02 09:00:00"), Event: hr.Event{
			EventKey: hr.EventKey{Source: "workday", ID: "h-" + id}, Type: hr.EventHired, PersonID: id,
			Recorded: at("2026-01-02 09:00:00"), Effective: date("2026-01-05"),
			Profile: profile("Given", "Family", "Clerk", "Sales", "2026-01-05"),
		}})
	}
	received = append(received, ledger.Received{At: at("2026-02-02 09:00:00"), Event: hr.Event{
		EventKey: hr.EventKey{Source: "workday", ID: "t-10006"}, Type: hr.EventTerminated, PersonID: "10006",
		Recorded: at("2026-02-02 09:00:00"), Effective: date("2026-02-02"), Termination: &hr.Termination{LastDay: date("2026-02-02")},
	}})
	_, err := l.Record(s.t.Context(), received)
	require.NoError(s.t, err)
	chat := memory.Shared("chat")
	chat.Reset()
	chat.Put(connector.Account{Username: "newcomer", ExternalID: "10004", Active: true, LastUsedAt: at("2026-02-01 09:00:00")})
	chat.Put(connector.Account{Username: "twice", ExternalID: "10005", Active: true})
	chat.Put(connector.Account{Username: "twice2", ExternalID: "10005", Active: true})
	chat.Put(connector.Account{Username: "gone", ExternalID: "10006", Active: true})
	chat.Put(connector.Account{Username: "backup", Active: true})
}

func TestAdopt(t *testing.T) {
	s := newSite(t)
	s.newcomers()
	f := &frontend{}
	f.serve(t)
	chat := memory.Shared("chat")

	got := s.run("app", "accounts", "chat")
	require.Zero(t, got.code, got.err)
	golden(t, "app-strangers", got.stdout)

	got = s.run("app", "adopt", "chat")
	require.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.err, "1 account would be linked; nothing was done: --apply does it")
	golden(t, "app-adopt", got.stdout)
	assert.Zero(t, chat.Calls(connector.OpAdopt), "a dry run changes nothing")
	assert.Empty(t, s.linksIn("chat"))

	got = s.run("app", "adopt", "chat", "--apply", "--person", "10005", "--operator", "kim")
	require.Zero(t, got.code, got.err)
	assert.Empty(t, s.linksIn("chat"), "a disputed account is never linked")

	got = s.run("app", "adopt", "chat", "--apply", "--operator", "kim")
	require.Zero(t, got.code, got.err)
	golden(t, "app-adopted", got.stdout)
	assert.Equal(t, []string{"person:10004"}, f.nudged)
	links := s.linksIn("chat")
	require.Len(t, links, 1)
	assert.Equal(t, "10004", links[0].PersonID)
	assert.Equal(t, ledger.LinkActive, links[0].State)
	assert.True(t, links[0].Adopted)

	l := s.ledger()
	rows, err := l.Audit(t.Context(), "10004", 0, 10)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Len(t, rows, 1)
	assert.Equal(t, "adopted", rows[0].Action)
	assert.Equal(t, "kim", rows[0].Actor)
	assert.Equal(t, "matches by external_id", rows[0].Cause)

	got = s.run("app", "adopt", "chat", "--apply")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "no account to link", "once is enough")
	assert.Len(t, f.nudged, 1)
}

// If no role gives somebody access, linking their account would only have it disabled.
func TestAdoptLeavesAloneWhatPolicyDoesNotWant(t *testing.T) {
	s := newSite(t)
	s.newcomers()
	s.write("tenure.yaml", `kafka: {brokers: [127.0.0.1:1]}
ledger: {url: "sqlite:tenure.db"}
apps: {chat: {connector: memory}}
roles: [{name: research, when: "person.department == 'Research'", grants: [{app: chat}]}]
`)
	got := s.run("app", "adopt", "chat", "--apply")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "left alone: no role gives this person access")
	assert.Empty(t, s.linksIn("chat"))
}

func TestAdoptSaysWhatFailed(t *testing.T) {
	s := newSite(t)
	s.newcomers()
	memory.Shared("chat").SetFaults(memory.Faults{Kind: connector.KindForbidden})
	got := s.run("app", "adopt", "chat", "--apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "forbidden")
}

func (s *site) linksIn(app string) []ledger.Link {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	links, err := l.Links(s.t.Context(), ledger.LinkFilter{App: app})
	require.NoError(s.t, err)
	return links
}

// strangers adds accounts of chat that match by their username only.
func (s *site) strangers() (accountID string) {
	s.newcomers()
	chat := memory.Shared("chat")
	chat.Reset()
	return chat.Put(connector.Account{Username: "Old-Login", Active: true, Entitlements: []string{"super-admins"}})
}

func TestAdoptByAFileOfPairs(t *testing.T) {
	s := newSite(t)
	id := s.strangers()
	f := &frontend{}
	f.serve(t)
	chat := memory.Shared("chat")
	for _, wrong := range []struct{ file, says string }{
		{"10004,nobody\n", "line 1: the app shows no such account"},
		{"person,account\n99,old-login\n", "line 2: nobody of that ID"},
		{"10004,old-login\n10005,old-login\n", "line 2: the account is in line 1 already"},
		{"10004\n", "each line wants a person, an account"},
		{"10004,old-login,editors\n", "line 1: the app itself shows which entitlements the account has"},
	} {
		s.write("pairs.csv", wrong.file)
		got := s.run("app", "adopt", "chat", "--map", filepath.Join(s.dir, "pairs.csv"), "--apply")
		assert.Equal(t, service.ExitFailed, got.code)
		assert.Contains(t, got.err, wrong.says)
		assert.Empty(t, s.linksIn("chat"))
	}
	s.write("pairs.csv", "\xef\xbb\xbfperson,account\n10004, old-login\n")
	got := s.run("app", "adopt", "chat", "--map", filepath.Join(s.dir, "pairs.csv"), "--apply", "--take", "--operator", "kim")
	require.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "super-admins", "what it has beyond policy is shown")
	account, _ := chat.Account(id)
	assert.Equal(t, "10004", account.ExternalID)
	assert.NotContains(t, account.Entitlements, "super-admins", "and taken")
	assert.Equal(t, 1, chat.Calls(connector.OpResetCredentials))
	assert.Equal(t, 1, chat.Calls(connector.OpRevokeSessions))

	got = s.run("app", "adopt", "chat", "--map", filepath.Join(s.dir, "pairs.csv"), "--apply")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "no account to link", "once is enough")
}

// Where only humans see the accounts, a file says who has one already. Nobody is asked to
// hand it out again.
func TestAdoptWhatOnlyHumansSee(t *testing.T) {
	s := newSite(t)
	s.newcomers()
	s.write("tenure.yaml", strings.NewReplacer(
		"apps:\n", "apps:\n  keys:\n    connector: manual\n    attributes: {colour: \"person.username + '/' + person.department\"}\n    protected: [master]\n    settings: {assignee: facilities}\n",
		"[{app: chat}", "[{app: keys, entitlements: [main door, cellar]}, {app: chat}",
	).Replace(configuration)+"person: {username: \"'u' + person.id\"}\n")
	f := &frontend{}
	f.serve(t)
	file := filepath.Join(s.dir, "badges.csv")
	adopt := func(csv string, more ...string) result {
		s.write("badges.csv", csv)
		return s.run(append([]string{"app", "adopt", "keys", "--map", file}, more...)...)
	}
	toDo := func() string {
		got := s.run("plan", "--person", "10004")
		require.Zero(t, got.code, got.err)
		return got.stdout
	}
	require.Contains(t, toDo(), "keys")

	for csv, says := range map[string]string{
		"10004,B-17\n10005,b-17\n": "line 2: the account is in line 1 already",
		"10004,B-17\n10004,B-18\n": "line 2: the person is in line 1 already",
		"99,B-17\n":                "line 1: nobody of that ID",
		"10004,\n":                 "line 1: it names no account",
		"10004,master\n":           "line 1: the account is protected",
	} {
		got := adopt(csv, "--apply")
		assert.Equal(t, service.ExitFailed, got.code, csv)
		assert.Contains(t, got.err, says)
	}
	got := s.run("app", "adopt", "keys")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "--map FILE")
	got = s.run("app", "accounts", "keys")
	assert.Contains(t, got.err, "tenure app adopt keys --map FILE")
	s.write("badges.csv", "10004,B-17\n")
	assert.Contains(t, s.run("app", "adopt", "chat", "--map", file).err, "the app shows no such account", "elsewhere the app is asked")

	const badges = "person,account,entitlements\n10004,B-17,main door;cellar\n10005,B-18,main door; roof\n10006,B-19,\n"
	got = adopt(badges)
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.err, "2 accounts would be linked")
	assert.Regexp(t, `10005 +B-18 +main door; roof +roof +cellar +would be linked`, got.stdout)
	assert.Regexp(t, `10006 .*left alone: no role gives this person access`, got.stdout)
	assert.Empty(t, s.linksIn("keys"), "a rehearsal changes nothing")

	got = adopt(badges, "--apply", "--operator", "kim", "--take")
	require.Zero(t, got.code, got.err)
	assert.Equal(t, []string{"person:10004", "person:10005"}, f.nudged, "their runs withdraw the tasks")
	links := s.linksIn("keys")
	require.Len(t, links, 2)
	assert.Equal(t, []any{"B-17", ledger.LinkActive, true}, []any{links[0].AccountID, links[0].State, links[0].Adopted})
	assert.Equal(t, []string{"cellar", "main door"}, links[0].Entitlements)
	assert.Equal(t, []string{"main door", "roof"}, links[1].Entitlements, "a human is asked for the cellar, and to take the roof")
	assert.NotContains(t, toDo(), "keys", "nobody is asked for anything")

	got = adopt("10004,B-17\n10005,b-18\n", "--apply")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "no account to link", "once is enough")
	got = adopt("10005,B-17\n", "--apply")
	assert.Contains(t, got.err, "the account is linked to 10004 already")
}

func TestUnlink(t *testing.T) {
	s := newSite(t)
	s.strangers()
	f := &frontend{}
	f.serve(t)
	l := s.ledger()
	require.NoError(t, l.NoteCreation(t.Context(), "10004", "chat", ledger.Creation{At: at("2026-01-03 09:00:00"), Username: "gfamily", State: ledger.CreationAcknowledged}))
	require.NoError(t, l.Close())
	unlink := []string{"app", "unlink", "chat", "--person", "10004", "--reason", "not there", "--operator", "kim"}
	assert.Equal(t, service.ExitUsage, s.run("app", "unlink", "chat", "--person", "10004", "--apply").code)

	got := s.run(unlink...)
	require.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Equal(t, ledger.LinkPlanned, s.linksIn("chat")[0].State, "a dry run changes nothing")

	chat := memory.Shared("chat")
	chat.Put(connector.Account{Username: "gfamily", ExternalID: "10004", Active: true})
	got = s.run(append(unlink, "--apply")...)
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "the account is there")
	chat.Reset()

	got = s.run(append(unlink, "--apply")...)
	require.Zero(t, got.code, got.err)
	link := s.linksIn("chat")[0]
	assert.Equal(t, ledger.LinkDeleted, link.State)
	assert.Zero(t, link.ProvenAt, "a word is no proof")
	assert.False(t, link.Creating.Pending())
	assert.Equal(t, []string{"person:10004"}, f.nudged)
	l = s.ledger()
	rows, err := l.Audit(t.Context(), "10004", 0, 10)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Equal(t, "unlinked", rows[len(rows)-1].Action)
	assert.Equal(t, "not there", rows[len(rows)-1].Cause)
}
