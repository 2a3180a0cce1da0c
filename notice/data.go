package notice

import (
	"strings"
	"time"
)

// Public is what a text may show that anybody may read. It has no field for a name, an
// address, a reason or a ticket: only IDs, names from the configuration, codes, numbers and
// times.
type Public struct {
	About    string   // what it is about: "r-12"
	Person   string   // ID of the person whom it is about; may be empty
	App      string   // may be empty
	Apps     []string // in which something is done, or is not
	Role     string   // may be empty
	Step     string   // kind of a step: "Disable"
	State    string   // a code of the kind
	Counts   []Count  // by code
	Count    int
	Allowed  int
	At       time.Time // when it takes or took effect, in the recipient's zone
	Until    time.Time // until when something has to be said or done, or is given
	Commands []string  // that show more, or answer
}

// Count is a number of something.
type Count struct {
	What string // a code
	N    int
}

// Private is what a mail may show to somebody who may know.
type Private struct {
	Public
	Who     string // name of the person whom it is about
	AskedBy string // name of the person who asked
	For     string // for how long something is asked: "8h"
	Reason  string // why it was asked
	Ticket  string
	Answer  string // why it was decided so
	Account string // username of the account that a task is about
}

// Recipient is where a notice goes.
type Recipient string

// The kinds of recipients, as prefixes.
const (
	prefixPerson = "person:"
	prefixChat   = "chat:"
	prefixMail   = "mail:"
)

// ToPerson returns the recipient that is the person with an ID.
func ToPerson(id string) Recipient { return Recipient(prefixPerson + id) }

// ToChat returns the recipient that is a chat of notices.chat.
func ToChat(name string) Recipient { return Recipient(prefixChat + name) }

// ToMail returns the recipient that is a mailbox of the configuration.
func ToMail(address string) Recipient { return Recipient(prefixMail + address) }

// Person returns the person's ID, and false if the recipient is no person.
func (r Recipient) Person() (string, bool) { return strings.CutPrefix(string(r), prefixPerson) }

// Chat returns the chat's name, and false if the recipient is no chat.
func (r Recipient) Chat() (string, bool) { return strings.CutPrefix(string(r), prefixChat) }

// Mailbox returns the address, and false if the recipient is no mailbox.
func (r Recipient) Mailbox() (string, bool) { return strings.CutPrefix(string(r), prefixMail) }
