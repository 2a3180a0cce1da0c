package directory

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEscapedFiltersMeanTheirValue(t *testing.T) {
	assert.Equal(t, `(&(uid=a\2a\28\29\5cb)(|(cn=x)(cn=y)))`, And(Equal("uid", `a*()\b`), Or(Equal("cn", "x"), Equal("cn", "y"))))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		filter := Equal("uid", value)
		packet, err := ldap.CompileFilter(filter)
		require.NoError(t, err)
		assert.Equal(t, "Equality Match", ldap.FilterMap[uint64(packet.Tag)], "no value makes it another filter")
		assert.Equal(t, value, packet.Children[1].Data.String())
	})
}

func TestEscapedDNsMeanTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(1, 40, -1).Draw(t, "value")
		dn := Below(RDN("cn", value), "ou=people,dc=example")
		parsed, err := ldap.ParseDN(dn)
		require.NoError(t, err, dn)
		require.Len(t, parsed.RDNs, 3)
		assert.Equal(t, value, parsed.RDNs[0].Attributes[0].Value)

		rdn, parent, err := Split(dn)
		require.NoError(t, err)
		assert.Equal(t, RDN("cn", value), rdn)
		assert.Equal(t, "ou=people,dc=example", parent)
		assert.True(t, IsBelow(dn, "OU=People, DC=example"))
		assert.False(t, IsBelow(dn, "ou=groups,dc=example"))
	})
}

func TestSameDN(t *testing.T) {
	assert.True(t, SameDN("uid=zoë,ou=people", "UID=ZOË, OU=People"))
	assert.True(t, SameDN(`cn=a\2cb,dc=x`, `cn=a\,b,dc=x`))
	assert.False(t, SameDN("uid=a,ou=people", "uid=b,ou=people"))
	assert.Equal(t, Canonical(`cn=a\2cB,dc=x`), Canonical(`CN=A\,b, DC=X`))
	assert.NotEqual(t, Canonical("cn=a,dc=x"), Canonical("cn=b,dc=x"))
	assert.True(t, SameDN("no DN", "no DN"))
	_, _, err := Split("no DN")
	assert.Error(t, err)
}

func TestValues(t *testing.T) {
	for name, test := range map[string]struct {
		value any
		want  []string
	}{
		"text":   {"x", []string{"x"}},
		"empty":  {"", nil},
		"none":   {nil, nil},
		"texts":  {[]string{"x", "", "y"}, []string{"x", "y"}},
		"yes":    {true, []string{"TRUE"}},
		"no":     {false, []string{"FALSE"}},
		"number": {int64(-7), []string{"-7"}},
	} {
		got, err := Values(test.value)
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
	_, err := Values(1.5)
	assert.ErrorContains(t, err, "float64")
}

func TestAttributeNamesAreTakenInAnyCase(t *testing.T) {
	e := newEntry(ldap.NewEntry("uid=a", map[string][]string{"employeeNumber": {"7"}, "member": {"x", "y"}}))
	assert.Equal(t, "7", e.Text("EMPLOYEENUMBER"))
	assert.Equal(t, []string{"x", "y"}, e.Texts("Member"))
	assert.Empty(t, e.Text("mail"))
	assert.ElementsMatch(t, []string{"employeeNumber", "member"}, e.Names())
}

func TestRename(t *testing.T) {
	for _, test := range []struct{ rdn, attribute, value, want string }{
		{"uid=anna", "UID", "a,b", `uid=a\,b`},
		{"cn=Anna+uid=anna", "uid", "ann", "cn=Anna+uid=ann"},
	} {
		got, ok := Rename(test.rdn, test.attribute, test.value)
		assert.True(t, ok, test.rdn)
		assert.Equal(t, test.want, got)
	}
	for _, same := range [][2]string{{"uid", "anna"}, {"cn", "Anna"}} {
		got, ok := Rename("uid=anna", same[0], same[1])
		assert.False(t, ok)
		assert.Equal(t, "uid=anna", got)
	}
}
