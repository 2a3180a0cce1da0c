// Package notice tells people and channels what concerns them: an outbox, templates, and a
// loop that sends.
//
// [Teller] is a ledger that stores a notice with each fact that somebody has to be told, in
// the fact's own transaction (docs/adr/0052). [Sender] sends what is due, under a lease, and
// without Temporal. Before it sends a notice, it looks at what the notice is about: what has
// become moot is dropped. [Kinds] is the table of all kinds.
//
// There are two types of template data. [Private] is for mail to somebody who may know.
// [Public] is for chats, webhooks and the subjects of mails: it has no field for a name, an
// address, a reason or a ticket, so that no template can show one.
//
// Packages notice/mail and notice/chat carry messages.
package notice
