package ledger

import (
	"context"
	"strings"
	"unicode"
)

// Login is the account from which an operator decides something: what the machine and
// the database know of them, beside the name that they give.
type Login struct {
	Name string // of the machine's account
	Role string // of the database session; empty if the database has none
	Sudo string // who became Name by sudo, as the environment says
}

// beforeSudo begins what the environment adds, which proves nothing.
const beforeSudo = " (sudo by "

// String returns the login as the record has it: "root (role tenure) (sudo by ada)".
func (l Login) String() string {
	if l.Name == "" {
		return ""
	}
	text, _, _ := strings.Cut(l.Name, beforeSudo)
	if l.Role != "" {
		text += " (role " + l.Role + ")"
	}
	if l.Sudo != "" {
		text += beforeSudo + l.Sudo + ")"
	}
	return text
}

// SameLogin reports whether two logins on the record are one: of the same account and
// database role. Who used sudo is not compared: anybody can say that of themselves.
func SameLogin(a, b string) bool {
	a, _, _ = strings.Cut(a, beforeSudo)
	b, _, _ = strings.Cut(b, beforeSudo)
	return a == b
}

// SameOperator reports whether two names may be one operator's: case and white space
// make no difference.
func SameOperator(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }

func bare(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
}

type loginKey struct{}

// WithLogin returns a context in which all that an operator decides has the login on
// the record, with the role of the database session that writes it.
func WithLogin(ctx context.Context, login Login) context.Context {
	return context.WithValue(ctx, loginKey{}, login)
}

// LoginOf returns the login that ctx has for the record, written in a database session
// of this role; empty if no operator is at work.
func LoginOf(ctx context.Context, role string) string {
	login, _ := ctx.Value(loginKey{}).(Login)
	login.Role = role
	return login.String()
}
