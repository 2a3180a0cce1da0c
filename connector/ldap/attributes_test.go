package ldap

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func TestWhatServersMakeOfAttributes(t *testing.T) {
	c := &client{username: "uid", externalID: "employeeNumber", accountID: "entryUUID", classes: []string{"inetOrgPerson"}}
	account := connector.Account{Username: "zoe", Attributes: map[string]any{
		"sn": "O'Brien", "cn": "zoe", "telephoneNumber": "+49 30 1234", "manager": "uid=max,ou=People,dc=example,dc=com",
		"ou": []string{"Sales", "Board"}, "title": "CEO", "carLicense": "TRUE",
	}}
	for name, set := range map[string]struct {
		attributes map[string]any
		dropped    []string
	}{
		"as they were set":          {map[string]any{"sn": "O'Brien", "title": "CEO", "ou": []string{"Board", "Sales"}}, nil},
		"case and spaces":           {map[string]any{"Title": "ceo", "sn": " o'brien"}, nil},
		"another name":              {map[string]any{"surname": "O'Brien", "organizationalUnitName": []string{"Sales", "Board"}}, nil},
		"a DN of another spelling":  {map[string]any{"manager": "UID=max, OU=people, DC=example,DC=com"}, nil},
		"another DN":                {map[string]any{"manager": "uid=maxine,ou=People,dc=example,dc=com"}, []string{"manager"}},
		"a truth value":             {map[string]any{"carLicense": true}, nil},
		"the username for nothing":  {map[string]any{"cn": ""}, nil},
		"missing, fewer and others": {map[string]any{"description": "x", "ou": []string{"Sales"}, "title": "CFO"}, []string{"description", "ou", "title"}},
		"not cleared":               {map[string]any{"title": "", "description": ""}, []string{"title"}},
	} {
		t.Run(name, func(t *testing.T) {
			dropped, err := connector.Dropped(t.Context(), c, account, set.attributes)
			require.NoError(t, err)
			assert.Equal(t, set.dropped, dropped)
		})
	}
}
