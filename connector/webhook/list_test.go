package webhook

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
)

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	var accounts []account
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask request
		_ = json.NewDecoder(r.Body).Decode(&ask)
		from, _ := strconv.Atoi(ask.Cursor)
		page := answer{Accounts: accounts[from:min(from+200, len(accounts))]}
		if from+200 < len(accounts) {
			page.Cursor = strconv.Itoa(from + 200)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"accounts": page.Accounts, "cursor": page.Cursor})
	}))
	t.Cleanup(server.Close)
	settings := connector.Settings{"url": server.URL, "secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}
	connectortest.ListMany(t, connectortest.Target{
		Open: func(t *testing.T) connector.Connector {
			c, err := Kind.Open(t.Context(), connector.Env{App: "door"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{List: true, Page: true},
	}, func(number int, text string) {
		accounts = append(accounts, account{ID: strconv.Itoa(number + 1), Username: "user", Active: true, Attributes: map[string]any{"title": text}})
	})
}

func TestWhenAnAccountWasLastUsed(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-30T08:15:00+02:00": "2026-11-30T06:15:00Z",
		"1970-01-01T00:00:00Z":      "0001-01-01T00:00:00Z", // how apps write never
		"yesterday":                 "0001-01-01T00:00:00Z",
		"":                          "0001-01-01T00:00:00Z",
	} {
		require.Equal(t, want, account{ID: "1", LastUsedAt: text}.contract().LastUsedAt.Format(time.RFC3339), text)
	}
}
