package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
)

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		login ledger.Login
		want  string
	}{
		{ledger.Login{}, ""},
		{ledger.Login{Role: "tenure", Sudo: "ada"}, ""},
		{ledger.Login{Name: "ada"}, "ada"},
		{ledger.Login{Name: "ada", Role: "ops"}, "ada (role ops)"},
		{ledger.Login{Name: "root", Sudo: "ada"}, "root (sudo by ada)"},
		{ledger.Login{Name: "root", Role: "ops", Sudo: "ada"}, "root (role ops) (sudo by ada)"},
		{ledger.Login{Name: "root (sudo by bob)", Sudo: "ada"}, "root (sudo by ada)"},
	} {
		assert.Equal(t, tt.want, tt.login.String(), "%+v", tt.login)
	}
}

func TestSameLogin(t *testing.T) {
	for _, tt := range []struct {
		a, b ledger.Login
		want bool
	}{
		{ledger.Login{Name: "ada"}, ledger.Login{Name: "ada"}, true},
		{ledger.Login{Name: "ada"}, ledger.Login{Name: "bob"}, false},
		{ledger.Login{Name: "ada", Role: "ada"}, ledger.Login{Name: "ada", Role: "bob"}, false},
		{ledger.Login{Name: "ada", Role: "ops"}, ledger.Login{Name: "bob", Role: "ops"}, false},
		{ledger.Login{Name: "root", Sudo: "ada"}, ledger.Login{Name: "root", Sudo: "bob"}, true},
		{ledger.Login{Name: "root"}, ledger.Login{Name: "root", Sudo: "bob"}, true},
		{ledger.Login{Name: "root"}, ledger.Login{Name: "root", Sudo: "x) (role y"}, true},
	} {
		assert.Equal(t, tt.want, ledger.SameLogin(tt.a.String(), tt.b.String()), "%+v %+v", tt.a, tt.b)
	}
}

func TestSameOperator(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"ada", "ada", true},
		{"ada", " ADA\t", true},
		{"Ada Lovelace", "adalovelace", true},
		{"ada", "a\u200bda", true},
		{"ÄDA", "äda", true},
		{"ada", "bob", false},
	} {
		assert.Equal(t, tt.want, ledger.SameOperator(tt.a, tt.b), "%q %q", tt.a, tt.b)
	}
}

func TestLoginOfAContext(t *testing.T) {
	assert.Empty(t, ledger.LoginOf(t.Context(), "tenure"))
	here := ledger.WithLogin(t.Context(), ledger.Login{Name: "ada"})
	assert.Equal(t, "ada", ledger.LoginOf(here, ""))
	assert.Equal(t, "ada (role ops)", ledger.LoginOf(here, "ops"))
}
