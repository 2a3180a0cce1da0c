package ledger

import (
	"context"
	"strings"
	"unicode"
)

// Login identifies the account from which an operator decides something. It is what the
// machine and the database know about them, besides the name that they give.
type Login struct {
	Name string // of the machine's account
	Role string // of the database session; empty if the database has none
	Sudo string // the user who became Name by sudo, as the environment claims
}

// beforeSudo begins the part that comes from the environment, which proves nothing.
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

// SameLogin reports whether two recorded logins have the same account and database role. It
// does not compare the users of sudo, because anybody can set them.
func SameLogin(a, b string) bool {
	a, _, _ = strings.Cut(a, beforeSudo)
	b, _, _ = strings.Cut(b, beforeSudo)
	return a == b
}

// SameOperator reports whether two names may be one operator's. Case and white space make no
// difference.
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

// WithLogin returns a context whose ledger calls record the login with every decision of an
// operator. The ledger adds the role of its database session.
func WithLogin(ctx context.Context, login Login) context.Context {
	return context.WithValue(ctx, loginKey{}, login)
}

// LoginOf returns the text of ctx's login for the record, with the role of the database
// session. It is empty if ctx has no login.
func LoginOf(ctx context.Context, role string) string {
	login, _ := ctx.Value(loginKey{}).(Login)
	login.Role = role
	return login.String()
}
