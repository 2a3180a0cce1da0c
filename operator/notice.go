package operator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
)

// Post is what carries messages, and what they say.
type Post struct {
	Texts  *notice.Texts
	Mailer notice.Mailer // nil: no mails are sent
	Chats  map[string]notice.Poster
	Book   notice.Book
	Zone   *time.Location // of whoever has none
}

// NoticeText is what a notice says.
type NoticeText struct {
	Kind string
	Mail notice.Mail // to somebody who may know
	Chat string      // for anybody to read
	// Moot is why it is not sent, and Later until when it waits.
	Moot  string
	Later time.Time
}

// Notice finds a notice by its name (n-12), and refuses a name that is not there.
func (v *Viewer) Notice(ctx context.Context, name string) (ledger.Notice, error) {
	if id, ok := ledger.NoticeID(name); ok {
		found, err := v.Ledger.Notices(ctx, ledger.NoticeFilter{ID: id}, 0, 1)
		if err != nil || len(found) == 1 {
			return append(found, ledger.Notice{})[0], err
		}
	}
	return ledger.Notice{}, refuse("there is no notice "+visible.Line(name), "notice list --all")
}

// ShowNotice returns what a notice would say if it was sent now.
func (v *Viewer) ShowNotice(ctx context.Context, n ledger.Notice, p Post) (NoticeText, error) {
	found, err := notice.Look(ctx, v.Ledger, n, v.Clock.Now())
	if err != nil {
		return NoticeText{}, err
	}
	if found.Moot != "" {
		return NoticeText{Kind: n.Kind, Moot: found.Moot}, nil
	}
	out, err := p.text(notice.Item{Kind: n.Kind, Data: found.Data})
	out.Later = found.Later
	return out, err
}

func (p Post) text(i notice.Item) (out NoticeText, err error) {
	out.Kind = i.Kind
	if out.Mail, err = p.Texts.Mail([]notice.Item{i}); err != nil {
		return out, err
	}
	out.Chat, err = p.Texts.Chat([]notice.Item{i})
	return out, err
}

// PreviewNotice returns what notices of a kind look like. It shows the person, if one is
// named, and invents the rest.
func (v *Viewer) PreviewNotice(ctx context.Context, kind, personID string, p Post) (NoticeText, error) {
	item, err := v.sample(ctx, kind, personID)
	if err != nil {
		return NoticeText{}, err
	}
	return p.text(item)
}

func (v *Viewer) sample(ctx context.Context, kind, personID string) (notice.Item, error) {
	if _, ok := notice.KindOf(kind); !ok {
		return notice.Item{}, refuse(fmt.Sprintf("there is no kind of notice %q%s", kind, nearest.Hint(kind, notice.KindNames())), "notice kinds")
	}
	i := notice.Item{Kind: kind, Data: notice.Sample(kind, "")}
	if personID == "" {
		return i, nil
	}
	person, err := v.Person(ctx, personID)
	if err != nil {
		return i, err
	}
	if i.Data.About == i.Data.Person {
		i.Data.About = personID
	}
	i.Data.Person, i.Data.Who = personID, strings.TrimSpace(person.GivenName+" "+person.FamilyName)
	if person.Username != "" {
		i.Data.Account = person.Username
	}
	return i, nil
}

// SentNotice is a sample that was, or would be, sent.
type SentNotice struct {
	Text    NoticeText
	To      []string // addresses, and names of chats
	Applied bool
}

// SendNotice sends a sample of a kind to somebody: a chat, a group of deciders, an address, a
// person by their ID, or "me", whose username is the name of whoever asks. It is about nobody.
// With apply it is sent at once, whatever the hour and the limit; otherwise SendNotice returns
// what would be sent. Nothing of it is on the record.
func (v *Viewer) SendNotice(ctx context.Context, actor, kind, to string, p Post, apply bool) (SentNotice, error) {
	if err := CheckActor(actor); err != nil {
		return SentNotice{}, err
	}
	item, err := v.sample(ctx, kind, "")
	if err != nil {
		return SentNotice{}, err
	}
	out := SentNotice{}
	if out.Text, err = p.text(item); err != nil {
		return out, err
	}
	out.Text.Mail.Subject = "Sample of " + out.Text.Mail.Subject
	out.Text.Chat = "Sample: " + out.Text.Chat
	recipients, err := v.recipients(ctx, actor, to, p.Book)
	if err != nil {
		return out, err
	}
	for _, recipient := range recipients {
		if name, ok := recipient.Chat(); ok {
			out.To = append(out.To, name)
			if apply {
				err = errors.Join(err, p.Chats[name].Post(ctx, rand.Text(), out.Text.Chat))
			}
			continue
		}
		address, why := v.address(ctx, recipient, p)
		if why != nil {
			return out, why
		}
		out.To = append(out.To, address)
		if apply {
			err = errors.Join(err, p.Mailer.Mail(ctx, address, rand.Text(), out.Text.Mail))
		}
	}
	out.Applied = apply && err == nil
	return out, err
}

// recipients returns whom a name means.
func (v *Viewer) recipients(ctx context.Context, actor, to string, b notice.Book) ([]notice.Recipient, error) {
	if to != "me" {
		if all := b.Recipients(to); len(all) > 0 {
			return all, nil
		}
		return nil, refuse("say who is told", "")
	}
	for s, err := range ledger.AllPeople(ctx, v.Ledger, "") {
		if err != nil {
			return nil, err
		}
		if s.Username != "" && strings.EqualFold(s.Username, actor) {
			return []notice.Recipient{notice.ToPerson(s.PersonID)}, nil
		}
	}
	return nil, refuse("nobody has the username "+visible.Line(actor)+": say your person ID, or an address", "person list")
}

// address returns where somebody gets mail.
func (v *Viewer) address(ctx context.Context, to notice.Recipient, p Post) (string, error) {
	if p.Mailer == nil {
		return "", refuse("no mail is sent: there is no notices.mail", "")
	}
	if address, ok := to.Mailbox(); ok {
		return address, nil
	}
	id, _ := to.Person()
	found, err := notice.Reach(ctx, v.Ledger, id, v.Clock.Now(), p.Zone)
	if err == nil && found.Why != "" {
		err = refuse(fmt.Sprintf("person %s gets no mail: %s", visible.Line(id), found.Why), "")
	}
	return found.Address, err
}

// RetriedNotices lists notices that were, or would be, sent after all.
type RetriedNotices struct {
	Notices []ledger.Notice
	Applied bool
}

// RetryNotices sends notices after all that failed: those that are named, or all. With apply it
// does so; otherwise it returns which.
func (o *Operator) RetryNotices(ctx context.Context, r Request, names []string, apply bool) (RetriedNotices, error) {
	if err := RetryNotice.Check(r); err != nil {
		return RetriedNotices{}, err
	}
	var out RetriedNotices
	for _, name := range names {
		n, err := o.Notice(ctx, name)
		if err != nil {
			return out, err
		}
		if n.State != ledger.NoticeFailed {
			return out, refuse(fmt.Sprintf("%s has not failed: it is %s", n.Name(), n.State), "notice show %s", n.Name())
		}
		out.Notices = append(out.Notices, n)
	}
	if len(names) == 0 {
		all, err := ledger.Collect(ledger.AllNotices(ctx, o.Ledger, ledger.NoticeFilter{States: []ledger.NoticeState{ledger.NoticeFailed}}, 0))
		if err != nil {
			return out, err
		}
		if out.Notices = all; len(all) == 0 {
			return out, refuse("no notice has failed", "notice list")
		}
	}
	if !apply {
		return out, nil
	}
	retry := ledger.NoticeRetry{Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now()}
	for _, n := range out.Notices {
		retry.IDs = append(retry.IDs, n.ID)
	}
	again, err := o.ledger.RetryNotices(ctx, retry)
	slices.SortFunc(again, func(a, b ledger.Notice) int { return int(a.ID - b.ID) })
	return RetriedNotices{Notices: again, Applied: err == nil}, err
}
