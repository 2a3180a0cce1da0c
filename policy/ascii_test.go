package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/policy"
)

func TestASCII(t *testing.T) {
	tests := []struct{ given, want string }{
		{"Ada Lovelace", "Ada Lovelace"},
		{"José Müller", "Jose Muller"},
		{"Łukasz Gößling", "Lukasz Gossling"},
		{"Ærøskøbing", "Aeroskobing"},
		{"Þór Guðmundsson", "Thor Gudmundsson"},
		{"İrem Yıldız", "Irem Yildiz"},
		{"Nguyễn Thị Ánh", "Nguyen Thi Anh"},
		{"Škvorecký Dvořák", "Skvorecky Dvorak"},
		{"Щербаков Юрий", "Shcherbakov Iurii"},
		{"Παπαδάκης", "Papadakis"},
		{"O’Brien – d‘Arc", "O'Brien - d'Arc"},
		{"ﬁancé ①", "fiance 1"},
		{"e\u0301", "e"},
		{"李小龍", ""},
		{"a\u00a0b", "a b"},
		{"\x7f", "\x7f"},
		{"\xff", ""},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, policy.ASCII(test.given), test.given)
	}
}

func TestASCIIGivesASCII(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := policy.ASCII(rapid.String().Draw(t, "text"))
		for i := range len(out) {
			if out[i] > 0x7f {
				t.Fatalf("%q is not ASCII", out)
			}
		}
		if policy.ASCII(out) != out {
			t.Fatalf("%q changes when it is written in ASCII again", out)
		}
	})
}
