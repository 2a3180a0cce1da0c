package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/notice/chat"
	"github.com/tenurehq/tenure/notice/mail"
	"github.com/tenurehq/tenure/secret"
)

// assertNotices compares the notices of every-key.yaml. Secrets cannot be compared.
func assertNotices(t *testing.T, n *Notices) {
	t.Helper()
	for want, got := range map[string]secret.Secret{
		"tenure-t0ken": n.Mail.Username, "s3cret": n.Mail.Password, "https://chat.example.com/hooks/1": n.Chats["security"].URL,
		"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3": n.Chats["siem"].Secret,
	} {
		assertSecret(t, want, []secret.Secret{got})
	}
	assert.True(t, n.Chats["security"].Secret.IsZero())
	assert.Equal(t, "mail.example.com:587", n.Mail.Server)
	assert.Equal(t, "Tenure <tenure@example.com>", n.Mail.From)
	assert.Equal(t, mail.Implicit, n.Mail.Encryption)
	assert.Equal(t, chat.Slack, n.Chats["security"].Kind)
	assert.Equal(t, chat.Generic, n.Chats["siem"].Kind)
	assert.Equal(t, 20*time.Minute, n.Gather)
	assert.Equal(t, "07:30-19:00", n.Hours.String())
	assert.Equal(t, "Mon,Tue,Wed,Thu,Sun", n.Days.String())
	assert.Equal(t, 50, n.Limit)
	assert.Equal(t, "etc/notices", n.Templates)
	assert.Equal(t, []string{"security", "10001", "security@example.com"}, n.Security)
}

func TestNoticesAreOffUnlessConfigured(t *testing.T) {
	cfg, err := read(base)
	require.NoError(t, err)
	assert.Nil(t, cfg.Notices)
	assert.Nil(t, cfg.Book())
	assert.Nil(t, cfg.Notices.Mailer())
	assert.Empty(t, cfg.Notices.Posters())

	cfg, err = read(base + `notices: {mail: {server: "localhost:25", from: tenure@example.com, tls: none}}`)
	require.NoError(t, err)
	assert.Equal(t, 30*time.Minute, cfg.Notices.Gather)
	assert.Equal(t, "08:00-18:00", cfg.Notices.Hours.String())
	assert.Equal(t, "Mon,Tue,Wed,Thu,Fri", cfg.Notices.Days.String())
	assert.Equal(t, 200, cfg.Notices.Limit)
	assert.True(t, cfg.Book().Mail)
	assert.NotNil(t, cfg.Notices.Mailer())
}

func TestNamesOfNoticesMeanChatsGroupsMailboxesOrPeople(t *testing.T) {
	cfg, err := read(everyKey(t))
	require.NoError(t, err)
	b := cfg.Book()
	for name, want := range map[string][]notice.Recipient{
		"siem":                {notice.ToChat("siem")},
		"security":            {notice.ToChat("security")}, // a group of deciders has that name too: the chat is told
		"it@example.com":      {notice.ToMail("it@example.com")},
		"10004":               {notice.ToPerson("10004")},
		"":                    nil,
		"It <it@example.com>": {notice.ToPerson("It <it@example.com>")},
	} {
		assert.Equal(t, want, b.Recipients(name), name)
	}
}

func TestWhatIsWrongWithNoticesIsSaid(t *testing.T) {
	const server, hook = `server: "mail.example.com:587", from: t@example.com`, `url: "${file:secrets/hook}"`
	for text, want := range map[string]string{
		`{}`:                            "4:1: notices: nobody can be told anything: add notices.mail or notices.chat",
		`{mail: {from: t@example.com}}`: "notices.mail.server: is missing",
		`{mail: {server: "mail.example.com", from: t@example.com}}`:                   "notices.mail.server: ",
		`{mail: {server: "m:25", from: "Tenure"}}`:                                    "notices.mail.from: is no e-mail address",
		`{mail: {server: "m:25", from: "t@example.com\r\nBcc: x@example.com"}}`:       "notices.mail.from: is no e-mail address",
		`{mail: {` + server + `, tls: none}}`:                                         "notices.mail.tls: none would send mails to mail.example.com:587",
		`{mail: {` + server + `, tls: ssl}}`:                                          `there is no encryption "ssl"`,
		`{mail: {` + server + `, username: tenure}}`:                                  "notices.mail: whoever signs in has a username and a password",
		`{mail: {` + server + `, username: tenure, password: geheim}}`:                "notices.mail.password: must not be written here",
		`{mail: {` + server + `, username: tenure, password: "${file:nope}"}}`:        "notices.mail.password: ",
		`{chat: {a: {kind: slack}}}`:                                                  "notices.chat.a.url: is missing",
		`{chat: {a: {` + hook + `}}}`:                                                 "notices.chat.a.kind: is missing",
		`{chat: {a: {` + hook + `, kind: irc}}}`:                                      `there is no kind of chat "irc"`,
		`{chat: {a: {url: "https://chat.example.com/x", kind: slack}}}`:               "notices.chat.a.url: must not be written here",
		`{chat: {a: {url: "${file:secrets/webhook}", kind: slack}}}`:                  "notices.chat.a.url: is no URL",
		`{chat: {a: {` + hook + `, kind: generic}}}`:                                  "notices.chat.a: generic is signed: add secret",
		`{chat: {a: {` + hook + `, kind: generic, secret: "${env:TOKEN}"}}}`:          "notices.chat.a.secret: must be whsec_",
		`{chat: {a: {` + hook + `, kind: slack, secret: "${file:secrets/signing}"}}}`: "notices.chat.a.secret: slack is not signed",
		`{mail: {` + server + `}, hours: "18:00-08:00"}`:                              "notices.hours: ",
		`{mail: {` + server + `}, days: Mon-Fry}`:                                     "notices.days: must be days of the week",
		`{mail: {` + server + `}, limit: 0}`:                                          "notices.limit: must be above 0",
		`{mail: {` + server + `}, gathering: 1h}`:                                     "unknown key; did you mean",
	} {
		_, err := read(base + "notices: " + text + "\n")
		if assert.Error(t, err, text) {
			assert.Contains(t, err.Error(), want, text)
			assert.NotContains(t, err.Error(), "geheim")
			assert.NotContains(t, err.Error(), "hooks/1")
		}
	}
}

func TestTemplatesAreCheckedWithTheConfiguration(t *testing.T) {
	text := base + `notices: {mail: {server: "localhost:25", from: t@example.com, tls: none}, templates: mine}` + "\n"
	_, problems := bare(text, PartNotices)
	require.Len(t, problems, 1)
	assert.Equal(t, "notices.templates", problems[0].Path)
	assert.Equal(t, "the folder cannot be read", problems[0].Text)
	_, problems = bare(text)
	assert.Empty(t, problems)
	was := templates["task.asked.tmpl"].Data
	defer func() { templates["task.asked.tmpl"].Data = was }()
	templates["task.asked.tmpl"].Data = []byte(`{{define "subject"}}{{.Who}}{{end}}{{define "chat"}}{{end}}{{define "mail"}}{{end}}`)
	_, err := read(text)
	require.ErrorContains(t, err, "can't evaluate field Who in type notice.Public")
}
