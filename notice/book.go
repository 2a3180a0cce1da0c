package notice

import (
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Book knows, from the configuration, who is told.
type Book struct {
	Mail     bool                       // people and mailboxes can be told
	Chats    []string                   // the names of notices.chat
	Security []string                   // names that are told of what is urgent: see Recipients
	Fallback []string                   // IDs of people who are told what nobody else answers for
	Group    func(name string) []string // IDs of the people of a group of deciders
	Owner    func(app string) []string  // IDs of the people who answer for an app
	Gather   time.Duration              // how long notices that are not urgent are gathered
}

// Recipients returns whom a name of the configuration means: a chat of notices.chat, a group
// of deciders, a mailbox, or else a person by their ID.
func (b Book) Recipients(name string) []Recipient {
	switch address, err := mail.ParseAddress(name); {
	case name == "":
		return nil
	case slices.Contains(b.Chats, name):
		return []Recipient{ToChat(name)}
	case b.Group != nil && len(b.Group(name)) > 0:
		return people(b.Group(name))
	case err == nil && address.Name == "":
		return []Recipient{ToMail(address.Address)}
	}
	return []Recipient{ToPerson(name)}
}

// security returns who is told of what is urgent.
func (b Book) security() []Recipient {
	var all []Recipient
	for _, name := range b.Security {
		all = append(all, b.Recipients(name)...)
	}
	if len(all) == 0 {
		return people(b.Fallback)
	}
	return all
}

// owners returns who answers for an app.
func (b Book) owners(app string) []Recipient {
	if b.Owner != nil {
		if all := people(b.Owner(app)); len(all) > 0 {
			return all
		}
	}
	return b.runners()
}

// runners returns who is told what nobody else answers for.
func (b Book) runners() []Recipient {
	if all := people(b.Fallback); len(all) > 0 {
		return all
	}
	return b.security()
}

func people(ids []string) []Recipient {
	var all []Recipient
	for _, id := range ids {
		if id != "" {
			all = append(all, ToPerson(id))
		}
	}
	return all
}

// news is something that several are told.
type news struct {
	ledger.Notice

	to []Recipient
}

// notices returns one notice for each recipient who can be told.
func (b Book) notices(all ...news) []ledger.Notice {
	var out []ledger.Notice
	for _, n := range all {
		kind, _ := KindOf(n.Kind)
		for _, to := range slices.Compact(slices.Sorted(slices.Values(n.to))) {
			if _, chat := to.Chat(); !chat && !b.Mail {
				continue
			}
			one := n.Notice
			one.To, one.Urgent = string(to), n.Urgent || kind.Urgent
			if one.SendAt.IsZero() {
				one.SendAt = one.MadeAt
				if !one.Urgent {
					one.SendAt = one.MadeAt.Add(b.Gather)
				}
			}
			out = append(out, one)
		}
	}
	return out
}

// aboutOf names what a notice is about, in texts for anybody.
func aboutOf(n ledger.Notice) string {
	name, _ := strings.CutPrefix(n.About, aboutPerson)
	name, _ = strings.CutPrefix(name, aboutApp)
	return name
}

// What notices are about that has no name of its own.
const (
	aboutPerson = "person:"
	aboutApp    = "app:"
)
