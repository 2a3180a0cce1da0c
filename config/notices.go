package config

import (
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/signature"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/notice/chat"
	smtp "github.com/tenurehq/tenure/notice/mail"
	"github.com/tenurehq/tenure/secret"
)

// Notices says how people are told what concerns them.
type Notices struct {
	Mail      *MailServer // nil: no mails are sent
	Chats     map[string]ChatHook
	Gather    time.Duration
	Hours     notice.Hours
	Days      notice.Days
	Limit     int      // messages an hour
	Templates string   // folder with templates of the operator's own; empty: none
	Security  []string // who is told of what is urgent: see notice.Book
}

// MailServer is a server that mails are sent through.
type MailServer struct {
	Server     string // host:port
	From       string
	Username   secret.Secret // zero: nobody signs in
	Password   secret.Secret
	Encryption smtp.Encryption
}

// ChatHook is an incoming webhook of a chat.
type ChatHook struct {
	URL    secret.Secret
	Kind   chat.Kind
	Secret secret.Secret // of the kind generic
}

var noticeKeys = []settings.Setting{
	{Name: "mail", Type: settings.TypeMapping, Nullable: true,
		Text: "The mail server. Without it, nobody gets mail.",
		Keys: []settings.Setting{
			{Name: "server", Type: settings.TypeAddress, Required: true, Text: "The server's address, host:port: 587 for `starttls`, 465 for `implicit`."},
			{Name: "from", Type: settings.TypeText, Required: true, Text: "The sender's address, such as `tenure@example.com` or `Tenure <tenure@example.com>`."},
			{Name: "username", Type: settings.TypeSecret, Text: "Who signs in. Default: nobody."},
			{Name: "password", Type: settings.TypeCredential, Text: "Their password."},
			{Name: "tls", Type: settings.TypeText, Default: string(smtp.StartTLS), Choices: smtp.Encryptions(),
				Text: "How the connection is encrypted: `starttls`, `implicit`, or `none` for a server on the same machine. Without encryption nothing is sent elsewhere.",
			},
		},
	},
	{Name: "chat", Type: settings.TypeNamed,
		Text: "Incoming webhooks of chats, by a name that `notices.security` and the settings of apps use. They are told IDs, names from this file, numbers and times, and never names of people or reasons.",
		Each: &settings.Setting{Type: settings.TypeMapping,
			Keys: []settings.Setting{
				{Name: "url", Type: settings.TypeCredential, Required: true, Text: "The webhook's URL. Whoever knows it can post, so it is a secret."},
				{Name: "kind", Type: settings.TypeText, Required: true, Choices: chat.Kinds(),
					Text: "What it takes: `slack`, `teams` (a workflow that gets an adaptive card), `mattermost`, or `generic`: JSON with `id` and `text`.",
				},
				{Name: "secret", Type: settings.TypeCredential, Text: "With which `generic` is signed, as Standard Webhooks specify: `whsec_` and 24 to 64 bytes in base64."},
			},
		},
	},
	{Name: "gather", Type: settings.TypePeriod, Default: "30m", Text: "How long what is not urgent is gathered, so that one recipient gets one message."},
	{Name: "hours", Type: settings.TypeText, Default: "08:00-18:00", Text: "When what is not urgent is sent, in the recipient's time zone as HR has it; else in `governance.timeZone`."},
	{Name: "days", Type: settings.TypeText, Default: "Mon-Fri", Text: "On which days of the week what is not urgent is sent: `Mon-Fri`, `Sun-Thu`, `Mon,Wed-Fri`. What is told of somebody who starts on the next day is sent on any day."},
	{Name: "limit", Type: settings.TypeTimes, Default: 200, Text: "The most messages in an hour. The rest waits, and `tenure_notices_held` says so."},
	{Name: "templates", Type: settings.TypeText, Text: "A folder with templates that take the place of Tenure's, file by file (docs/notices.md)."},
	{Name: "security", Type: settings.TypeTexts,
		Text: "Who is told of emergencies, of cut-offs that need attention, and of what the breaker holds: names of `notices.chat` or `deciders`, addresses, or IDs of people. Default: `governance.fallback`.",
	},
}

func readNotices(v value) *Notices {
	n := &Notices{Chats: map[string]ChatHook{}}
	v.mapping(
		on("mail", func(v value) {
			if !isNull(v.node) {
				n.Mail = readMailServer(v)
			}
		}),
		on("chat", func(v value) {
			v.entries(func(name string, v value) { n.Chats[name] = readChat(v) })
		}),
		into("gather", &n.Gather),
		on("hours", func(v value) { n.Hours = scalar(v, notice.ParseHours) }),
		on("days", func(v value) { n.Days = scalar(v, notice.ParseDays) }),
		on("limit", func(v value) {
			if n.Limit = v.typed().(int); n.Limit == 0 && !v.l.failed(v.path) {
				v.failf("must be above 0: without notices, nobody is told anything")
			}
		}),
		on("templates", func(v value) { n.Templates = v.templates() }),
		into("security", &n.Security),
	)
	if n.Mail == nil && len(n.Chats) == 0 && !v.l.failedWithin(v.path) {
		v.l.fail(v.at, v.path, "nobody can be told anything: add notices.mail or notices.chat")
	}
	return n
}

func readMailServer(v value) *MailServer {
	m := &MailServer{}
	v.mapping(
		into("server", &m.Server),
		on("from", func(v value) {
			m.From = v.text()
			if _, err := mail.ParseAddress(m.From); err != nil && !v.l.failed(v.path) {
				v.failf("is no e-mail address, such as tenure@example.com")
			}
		}),
		into("username", &m.Username),
		into("password", &m.Password),
		on("tls", func(v value) { m.Encryption = smtp.Encryption(v.choice("encryption")) }),
	)
	switch {
	case v.l.failedWithin(v.path):
	case m.Username.IsZero() != m.Password.IsZero():
		v.l.fail(v.at, v.path, "whoever signs in has a username and a password")
	case m.Encryption == smtp.None && !onLoopback(m.Server):
		v.l.fail(v.at, join(v.path, "tls"), "none would send mails to %s for everybody on the way to read: use starttls or implicit", m.Server)
	}
	return m
}

func readChat(v value) ChatHook {
	var c ChatHook
	v.mapping(
		on("url", func(v value) {
			c.URL = v.typed().(secret.Secret)
			v.checkSecret(c.URL, hookProblem)
		}),
		on("kind", func(v value) { c.Kind = chat.Kind(v.choice("kind of chat")) }),
		on("secret", func(v value) {
			c.Secret = v.typed().(secret.Secret)
			v.checkSecret(c.Secret, func(text string) string {
				if _, err := signature.Key(text); err != nil {
					return err.Error()
				}
				return ""
			})
		}),
	)
	switch {
	case v.l.failedWithin(v.path):
	case c.Kind == chat.Generic && c.Secret.IsZero():
		v.l.fail(v.at, v.path, "generic is signed: add secret")
	case c.Kind != chat.Generic && !c.Secret.IsZero():
		v.l.fail(v.at, join(v.path, "secret"), "%s is not signed: leave it out, or use generic", c.Kind)
	}
	return c
}

// hookProblem says what is wrong with a webhook's URL, without showing it.
func hookProblem(text string) string {
	address, err := url.Parse(text)
	switch {
	case err != nil || address.Host == "":
		return "is no URL"
	case address.Scheme == "https", address.Scheme == "http" && !remote.Exposed(address.Hostname()):
		return ""
	}
	return "must begin with https://"
}

// checkSecret reports what is wrong with a secret, if it has to be there.
func (v value) checkSecret(s secret.Secret, problem func(text string) string) {
	if !v.needed() || v.l.failed(v.path) {
		return
	}
	text, err := s.Reveal()
	if err != nil {
		return // it was reported when it was read
	}
	if why := problem(text); why != "" {
		v.failf("%s", why)
	}
}

// templates reads the path of a folder with templates, and the templates if somebody needs
// them.
func (v value) templates() string {
	path := v.text()
	if path == "" || v.l.failed(v.path) {
		return ""
	}
	path = v.l.relative(path)
	if v.needed() {
		v.checkTemplates(path)
	}
	return path
}

func (v value) checkTemplates(path string) {
	if _, err := notice.OwnTexts(v.l.folder(path)); err != nil {
		v.failf("%s", err)
	}
}

// Texts returns the texts of notices.
func (n *Notices) Texts() (*notice.Texts, error) {
	if n == nil || n.Templates == "" {
		return notice.LoadTexts(nil)
	}
	return notice.OwnTexts(os.DirFS(n.Templates))
}

// Book returns who is told what; nil if nobody can be told anything.
func (c *Config) Book() *notice.Book {
	n := c.Notices
	if n == nil {
		return nil
	}
	b := &notice.Book{Mail: n.Mail != nil, Security: n.Security, Fallback: c.Policy.Fallback(), Group: c.Policy.Deciders, Owner: c.Policy.AppOwner, Gather: n.Gather}
	for name := range n.Chats {
		b.Chats = append(b.Chats, name)
	}
	slices.Sort(b.Chats)
	return b
}

// Mailer returns what carries mails; nil if there is no mail server.
func (n *Notices) Mailer() notice.Mailer {
	if n == nil || n.Mail == nil {
		return nil
	}
	m := n.Mail
	return smtp.Server{Address: m.Server, From: m.From, Username: m.Username, Password: m.Password, Encryption: m.Encryption}
}

// Posters returns what carries messages to chats, by name.
func (n *Notices) Posters() map[string]notice.Poster {
	posters := map[string]notice.Poster{}
	if n == nil {
		return posters
	}
	var client *http.Client
	for name, c := range n.Chats {
		if client == nil {
			client = chat.NewClient()
		}
		posters[name] = chat.Hook{Name: name, Kind: c.Kind, URL: c.URL, Secret: c.Secret, Client: client}
	}
	return posters
}
