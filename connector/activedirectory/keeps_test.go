package activedirectory

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

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
