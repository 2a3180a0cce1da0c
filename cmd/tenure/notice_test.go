package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/service"
)

// cannotBeTold makes a notice that could not be sent, and one that waits.
func (s *site) cannotBeTold() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	made := at("2026-03-01 00:00:00")
	require.NoError(s.t, l.Notify(s.t.Context(), []ledger.Notice{
		{Kind: notice.BreakerHeld, About: "c-9", To: "chat:security", MadeAt: made},
		{Kind: notice.RequestAsked, About: "r-9", PersonID: "10001", To: "person:10004", MadeAt: made},
	}))
	lease, _, err := l.TakeLease(s.t.Context(), ledger.LeaseNotices, "worker", time.Minute)
	require.NoError(s.t, err)
	require.NoError(s.t, l.SettleNotices(s.t.Context(), lease, []ledger.Settled{{ID: 1, State: ledger.NoticeFailed, Why: "the chat answered 403", At: made}}))
	require.NoError(s.t, l.DropLease(s.t.Context(), lease))
}

func TestNoticesAreListedAndShown(t *testing.T) {
	s := newSite(t)
	s.people()
	got := s.run("notice", "list")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "nothing waits to be told")
	s.cannotBeTold()
	got = s.run("notice", "list")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "the chat answered 403")
	assert.Contains(t, got.stdout, "person:10004")
	got = s.run("notice", "list", "--state", "waiting", "-o", "json")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	var views []noticeView
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &views))
	require.Len(t, views, 1)
	assert.Equal(t, "n-2", views[0].Notice)
	got = s.run("notice", "show", "n-2")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "now it would not be sent: what it is about is not there")
	s.refuses(service.ExitFailed, "there is no notice n-3", "notice", "show", "n-3")
}

func TestAPreviewShowsTheTemplatesOfTheConfiguration(t *testing.T) {
	s := newSite(t)
	s.people()
	for _, kind := range notice.KindNames() {
		got := s.run("notice", "preview", kind, "--person", "10001")
		assert.Equal(t, service.ExitDone, got.code, got.err)
		assert.Contains(t, got.stdout, "Mail: Tenure: ", kind)
	}
	got := s.run("notice", "preview", notice.RequestAsked, "--person", "10001")
	assert.Contains(t, got.stdout, "Georgi")
	s.refuses(service.ExitFailed, `did you mean "request.asked"?`, "notice", "preview", "request.askd")
}

func TestASampleArrives(t *testing.T) {
	s := newSite(t)
	s.people()
	var posted string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		posted = string(text)
	}))
	defer hook.Close()
	s.write("hook", hook.URL)
	s.write("tenure.yaml", configuration+"notices: {chat: {security: {kind: slack, url: \"${file:hook}\"}}}\n")
	got := s.run("notice", "send", "breaker.held", "--to", "security", "--operator", "olga")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Empty(t, posted)
	got = s.run("notice", "send", "breaker.held", "--to", "security", "--operator", "olga", "--apply")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, posted, "Sample: The breaker holds c-2")
	s.refuses(service.ExitFailed, "there is no notices.mail", "notice", "send", "breaker.held", "--to", "it@example.com", "--operator", "olga")
	s.refuses(service.ExitFailed, "nobody has the username olga", "notice", "send", "breaker.held", "--to", "me", "--operator", "olga")
}
