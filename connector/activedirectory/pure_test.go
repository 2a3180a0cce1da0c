package activedirectory

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/connector"
)

func TestGUIDText(t *testing.T) {
	raw := "\x78\x56\x34\x12\xbc\x9a\xf0\xde\x01\x23\x45\x67\x89\xab\xcd\xef"
	assert.Equal(t, "12345678-9abc-def0-0123-456789abcdef", guidText(raw))
	assert.True(t, isGUID(guidText(raw)))
	for _, none := range []string{"", "x", raw[1:], raw + "x"} {
		assert.Empty(t, guidText(none))
	}
	for _, none := range []string{"", "12345678-9abc-def0-0123-456789abcdeg", "CN=x", guidText(raw) + ">", "{" + guidText(raw) + "}"} {
		assert.False(t, isGUID(none), none)
	}
}

func TestExpiry(t *testing.T) {
	for text, raw := range map[string]string{
		"":                              "0",
		"1970-01-01":                    "116445600000000000",
		"2026-11-30":                    "134405568000000000", // as `samba-tool user setexpiry` and others count
		"2026-11-30T12:00:00Z":          "134405136000000000",
		"2026-11-30T12:00:00.1234567Z":  "134405136001234567",
		"1601-01-01":                    "864000000000",
		"9999-12-31":                    "2650467744000000000",
		"2024-02-29T23:59:59.9999999+0": "",
		"30.11.2026":                    "",
		"2026-11-31":                    "",
		"1600-12-30":                    "",
		"never":                         "",
	} {
		encoded, err := encodeExpiry(text)
		if raw == "" {
			assert.Error(t, err, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, raw, encoded, text)
		assert.Equal(t, text, decodeExpiry(encoded))
	}
	for _, never := range []string{"", "0", "9223372036854775807", "-1", "soon"} {
		assert.Empty(t, decodeExpiry(never), never)
	}
}

func TestExpiryOfAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), 0).UTC()
		encoded, err := encodeExpiry(at.Format(time.RFC3339))
		require.NoError(t, err)
		again, err := encodeExpiry(decodeExpiry(encoded))
		require.NoError(t, err)
		assert.Equal(t, encoded, again)
	})
}

func TestPasswordsSatisfyAnyPolicyAndAreNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		password := newPassword()
		require.False(t, seen[password])
		seen[password] = true
		assert.Len(t, password, 44)
		for name, class := range map[string]func(rune) bool{
			"lower case": unicode.IsLower, "upper case": unicode.IsUpper, "digit": unicode.IsDigit,
			"other": func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) },
		} {
			assert.True(t, strings.ContainsFunc(password, class), "no %s in %q", name, password)
		}
		assert.NotRegexp(t, `\pL{2}`, password, "letters together can be part of a name")
	}
}

func TestPasswordsAreQuotedInUTF16(t *testing.T) {
	assert.Equal(t, "\"\x00a\x00\xe9\x00\x3d\xd8\x8a\xde\"\x00", quoted("aé🚊"))
}

func TestUsernames(t *testing.T) {
	for _, good := range []string{"anna", "a", "anna.smith", "zoë", "d'arcy", "o_b-1$%~!{}()#&^`", strings.Repeat("é", 20)} {
		assert.NoError(t, checkUsername(good), good)
	}
	for _, bad := range []string{"", strings.Repeat("a", 21), "anna.", " anna", "anna ", "a\tb", "a\x00b"} {
		assert.Error(t, checkUsername(bad), bad)
	}
	for _, r := range `"/\[]:|<>+=;?,*@` {
		err := checkUsername("anna" + string(r) + "smith")
		require.Error(t, err, string(r))
		assert.NotContains(t, err.Error(), "anna", "a username is personal")
	}
}

func TestDomainOf(t *testing.T) {
	for dn, want := range map[string][2]string{
		"OU=People,DC=corp,DC=example,DC=com": {"DC=corp,DC=example,DC=com", "corp.example.com"},
		`ou=A\, B,dc=Corp , dc=com`:           {"DC=Corp,DC=com", "Corp.com"},
		"DC=corp":                             {"DC=corp", "corp"},
		"OU=People":                           {"", ""},
		"people":                              {"", ""},
		"":                                    {"", ""},
		"CN=Users,OU=Étage,DC=corp,DC=example,DC=com,OU=above": {"DC=corp,DC=example,DC=com", "corp.example.com"},
	} {
		domain, name := domainOf(dn)
		assert.Equal(t, want, [2]string{domain, name}, dn)
	}
}

func TestWhatTheDomainMakesOfAttributes(t *testing.T) {
	c := &client{shapes: shapesOf([]string{"extensionAttribute1"})}
	account := connector.Account{Username: "zoe", Attributes: map[string]any{
		"title": "CEO", "accountExpires": "2026-11-30", "manager": "CN=Max,OU=People,DC=example,DC=com",
		"proxyAddresses": []string{"SMTP:zoe@example.com", "smtp:z@example.com"}, "extensionAttribute1": "TRUE",
	}}
	dropped, err := connector.Dropped(t.Context(), c, account, map[string]any{
		"title": "CEO", "accountExpires": "2026-12-01T00:00:00Z", "manager": "cn=Max, ou=people, dc=example, dc=com",
		"proxyAddresses": []string{"smtp:z@example.com", "SMTP:zoe@example.com"}, "extensionAttribute1": true, "division": "",
	})
	require.NoError(t, err)
	assert.Empty(t, dropped)

	dropped, err = connector.Dropped(t.Context(), c, account, map[string]any{
		"title": "CFO", "accountExpires": "", "manager": "cn=Maxine,ou=people,dc=example,dc=com", "department": "Board",
		"proxyAddresses": []string{"SMTP:z@example.com", "smtp:zoe@example.com"}, "extensionAttribute1": "",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"accountExpires", "department", "extensionAttribute1", "manager", "proxyAddresses", "title"}, dropped)
}

func TestWhenSomebodyLastLoggedOn(t *testing.T) {
	for raw, want := range map[string]time.Time{
		"134405568000000000":  time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		"0":                   {}, // as for expiry: never
		"9223372036854775807": {},
		"":                    {},
		"yesterday":           {},
	} {
		assert.Equal(t, want, timeOf(raw), raw)
	}
}
