package main

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) noticeCommand() *cobra.Command {
	return noun("notice", "What people and chats are told",
		c.noticeListCommand(), c.noticeShowCommand(), c.noticePreviewCommand(), c.noticeSendCommand(), c.noticeRetryCommand())
}

// noticeView describes a notice.
type noticeView struct {
	Notice   string    `json:"notice"`
	Kind     string    `json:"kind"`
	About    string    `json:"about"`
	Person   string    `json:"person,omitempty"`
	App      string    `json:"app,omitempty"`
	To       string    `json:"to"`
	Urgent   bool      `json:"urgent,omitempty"`
	State    string    `json:"state"`
	MadeAt   time.Time `json:"madeAt"`
	SendAt   time.Time `json:"sendAt"`
	Attempts int       `json:"attempts,omitempty"`
	TriedAt  time.Time `json:"triedAt,omitzero"`
	EndedAt  time.Time `json:"endedAt,omitzero"`
	Why      string    `json:"why,omitempty"` // why it is moot, or the last attempt failed
}

func viewNotice(n ledger.Notice) noticeView {
	return noticeView{
		Notice: n.Name(), Kind: n.Kind, About: n.About, Person: n.PersonID, App: n.App, To: n.To, Urgent: n.Urgent, State: string(n.State),
		MadeAt: n.MadeAt, SendAt: n.SendAt, Attempts: n.Attempts, TriedAt: n.TriedAt, EndedAt: n.EndedAt, Why: n.Why,
	}
}

const noticeHeader = "name,kind,about,to,state,at,attempts,why"

func (v noticeView) row() []string {
	at := v.SendAt
	if !v.EndedAt.IsZero() {
		at = v.EndedAt
	}
	return []string{v.Notice, v.Kind, v.About, v.To, v.State, words.Instant(at), strconv.Itoa(v.Attempts), v.Why}
}

func (c *cli) noticeListCommand() *cobra.Command {
	var f ledger.NoticeFilter
	var state string
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what waits to be told, and what could not be",
		Long: `List the notices that wait to be sent, and those that could not be sent for a day, with
the reason. --all also lists those that were sent, and those that became moot before.

Exits with 3 if notices have failed.`,
		Example: `  tenure notice list
  tenure notice list --all --to person:10004`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("state", state, noticeStates()); err != nil {
				return err
			}
			if err := oneOf("kind", f.Kind, notice.KindNames()); err != nil {
				return err
			}
			switch {
			case state != "":
				f.States = []ledger.NoticeState{ledger.NoticeState(state)}
			case !all:
				f.States = []ledger.NoticeState{ledger.NoticeWaiting, ledger.NoticeFailed}
			}
			return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Reader) error {
				if err := recipientFilter(cmd.Context(), l, f.To); err != nil {
					return err
				}
				return c.listNotices(cmd.Context(), l, f)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only those in this `state`: waiting, sent, moot or failed")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "only those of this `kind`")
	cmd.Flags().StringVar(&f.To, "to", "", "only those to this `recipient` (person:10004, chat:security)")
	cmd.Flags().BoolVar(&all, "all", false, "those that were sent, or are moot, too")
	return c.lists(cmd)
}

func noticeStates() []string {
	var all []string
	for _, s := range ledger.NoticeStates() {
		all = append(all, string(s))
	}
	return all
}

func (c *cli) listNotices(ctx context.Context, l ledger.Reader, f ledger.NoticeFilter) error {
	failed := false
	views := viewsOf(ledger.AllNotices(ctx, l, f, 0), every, func(n ledger.Notice) (noticeView, error) {
		failed = failed || n.State == ledger.NoticeFailed
		return viewNotice(n), nil
	})
	_, err := streamed(c, views, listView[noticeView]{header: noticeHeader, row: noticeView.row, none: "nothing waits to be told", whole: true})
	if err != nil || !failed {
		return err
	}
	return errAttention
}

// post returns what carries notices, and what they say.
func post(cfg *config.Config) (operator.Post, error) {
	texts, err := cfg.Notices.Texts()
	p := operator.Post{Texts: texts, Mailer: cfg.Notices.Mailer(), Chats: cfg.Notices.Posters(), Zone: cmp.Or(cfg.Governance.TimeZone, time.UTC)}
	if book := cfg.Book(); book != nil {
		p.Book = *book
	}
	return p, err
}

// noticeTextView shows what a notice says.
type noticeTextView struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Chat    string `json:"chat"`
}

func viewNoticeText(t operator.NoticeText) noticeTextView {
	return noticeTextView{Subject: t.Mail.Subject, Text: t.Mail.Text, Chat: t.Chat}
}

func (p *page) noticeText(v noticeTextView) {
	p.note("\nMail: %s\n", v.Subject)
	for line := range strings.Lines(v.Text) {
		p.note("  %s", strings.TrimRight(line, "\n"))
	}
	p.note("\nChat:\n")
	for line := range strings.Lines(v.Chat) {
		p.note("  %s", strings.TrimRight(line, "\n"))
	}
}

func (c *cli) noticeShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NOTICE",
		Short: "Show one notice, and what it would say now",
		Long: `Show one notice (n-12): where it stands, and what it would say if it was sent now. The mail
may name people; the chat does not.`,
		Example: `  tenure notice show n-12`,
		Args:    exactly("NOTICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, o *operator.Viewer) error {
				n, err := o.Notice(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				carriers, err := post(cfg)
				if err != nil {
					return err
				}
				text, err := o.ShowNotice(cmd.Context(), n, carriers)
				if err != nil {
					return err
				}
				v := struct {
					noticeView
					Now  *noticeTextView `json:"now,omitempty"`  // what it would say
					Moot string          `json:"moot,omitempty"` // why it would not be sent
				}{noticeView: viewNotice(n), Moot: text.Moot}
				if text.Moot == "" {
					now := viewNoticeText(text)
					v.Now = &now
				}
				return c.print(v, func(p *page) {
					p.fields(
						field{"notice", v.Notice}, field{"kind", v.Kind}, field{"about", v.About}, field{"person", v.Person}, field{"app", v.App},
						field{"to", v.To}, field{"state", v.State}, field{"made", words.Instant(v.MadeAt)}, field{"to be sent", words.Instant(v.SendAt)},
						field{"tried", words.Instant(v.TriedAt)}, field{"ended", words.Instant(v.EndedAt)}, field{"why", v.Why},
					)
					if v.Now == nil {
						p.note("now it would not be sent: %s", v.Moot)
						return
					}
					p.noticeText(*v.Now)
				})
			})
		},
	}
	return c.reads(cmd)
}

func (c *cli) noticePreviewCommand() *cobra.Command {
	var personID string
	cmd := &cobra.Command{
		Use:   "preview KIND",
		Short: "Show what a kind of notice looks like",
		Long: `Show what a kind of notice looks like, as mail and in a chat, with the templates of the
configuration (notices.templates). It shows the person that --person names, and invents
the rest. Nothing is sent.`,
		Example: `  tenure notice preview request.asked --person 10004`,
		Args:    exactly("KIND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, o *operator.Viewer) error {
				carriers, err := post(cfg)
				if err != nil {
					return err
				}
				text, err := o.PreviewNotice(cmd.Context(), args[0], personID, carriers)
				if err != nil {
					return err
				}
				v := viewNoticeText(text)
				return c.print(v, func(p *page) { p.noticeText(v) })
			})
		},
	}
	cmd.Flags().StringVar(&personID, "person", "", "whom it is about")
	return c.reads(cmd)
}

func (c *cli) noticeSendCommand() *cobra.Command {
	var a applying
	var actor, to string
	cmd := &cobra.Command{
		Use:   "send KIND",
		Short: "Send a sample of a kind of notice, to see whether it arrives",
		Long: `Send a sample of a kind of notice to somebody: a name of notices.chat or deciders, an
address, the ID of a person, or "me", who is the person whose username is your name
(--operator). It is about nobody, and is sent at once, whatever the hour.

Without --apply the command only shows what would be sent, and where to (exit status 3).`,
		Example: `  tenure notice send request.asked --to me --apply
  tenure notice send breaker.held --to security --apply`,
		Args: exactly("KIND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := onRecord(&actor, "a sample"); err != nil {
				return err
			}
			return c.view(cmd.Context(), func(cfg *config.Config, o *operator.Viewer) error {
				carriers, err := post(cfg)
				if err != nil {
					return err
				}
				sent, err := o.SendNotice(cmd.Context(), actor, args[0], to, carriers, a.does())
				if err != nil {
					return err
				}
				v := struct {
					noticeTextView
					To      []string `json:"to"`
					Applied bool     `json:"applied"`
				}{viewNoticeText(sent.Text), sent.To, sent.Applied}
				if sent.Applied {
					c.say("a sample of %s was sent to %s\n", args[0], strings.Join(sent.To, ", "))
					return c.report(v)
				}
				for line := range strings.Lines("Mail: " + v.Subject + "\n\n" + v.Text + "\nChat: " + v.Chat) {
					c.say("%s\n", strings.TrimRight(line, "\n"))
				}
				return errors.Join(c.report(v), c.onlyShown(a, "that is what %s would get", strings.Join(sent.To, ", ")))
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`whom` it is sent to: a chat, a group of deciders, an address, a person's ID, or me")
	_ = cmd.MarkFlagRequired("to")
	operatorFlag(cmd, &actor)
	a.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) noticeRetryCommand() *cobra.Command {
	var f exceptionFlags
	cmd := &cobra.Command{
		Use:   "retry [NOTICE...]",
		Short: "Send notices after all that could not be sent",
		Long: `Send notices after all that could not be sent for a day: those that are named, or all. What
has become moot meanwhile is not sent. Without --apply the command only shows which (exit
status 3). It is on the record with your name and reason.`,
		Example: `  tenure notice retry --reason "the mail server is back" --apply
  tenure notice retry n-12 n-13 --reason "HR has corrected the addresses" --apply`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				retried, err := o.RetryNotices(cmd.Context(), f.request(), args, f.does())
				if err != nil {
					return err
				}
				views := []noticeView{}
				for _, n := range retried.Notices {
					views = append(views, viewNotice(n))
					c.say("%s %s about %s to %s\n", n.Name(), n.Kind, n.About, n.To)
				}
				v := struct {
					Notices []noticeView `json:"notices"`
					Applied bool         `json:"applied"`
				}{views, retried.Applied}
				if !retried.Applied {
					return errors.Join(c.report(v), c.onlyShown(f.applying, "that is what would be sent after all"))
				}
				return c.report(v)
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}
