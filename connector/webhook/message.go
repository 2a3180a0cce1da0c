package webhook

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// request is the body of a request: schemas/webhook-request.schema.json.
type request struct {
	Operation    string         `json:"operation"`
	App          string         `json:"app"`
	By           string         `json:"by,omitempty"` // of find
	Value        string         `json:"value,omitempty"`
	AccountID    string         `json:"accountId,omitempty"`
	ToAccountID  string         `json:"toAccountId,omitempty"`
	PersonID     string         `json:"personId,omitempty"`
	Account      *account       `json:"account,omitempty"` // of create
	Attributes   map[string]any `json:"attributes,omitempty"`
	Entitlements []string       `json:"entitlements,omitempty"`
	Cursor       string         `json:"cursor,omitempty"`
}

// answer is the body of an answer: schemas/webhook-answer.schema.json.
type answer struct {
	Error        string        `json:"error"`
	Identity     string        `json:"identity"`
	Account      *account      `json:"account"`
	Accounts     []account     `json:"accounts"`
	Cursor       string        `json:"cursor"`
	Entitlements []entitlement `json:"entitlements"`
	Unknown      []string      `json:"unknown"`
}

// account is an account in a request or an answer.
type account struct {
	ID           string         `json:"id,omitempty"`
	Username     string         `json:"username"`
	PersonID     string         `json:"personId,omitempty"`
	Active       bool           `json:"active"`
	Attributes   map[string]any `json:"attributes,omitempty"`
	Entitlements []string       `json:"entitlements,omitempty"`
	LastUsedAt   string         `json:"lastUsedAt,omitempty"` // RFC 3339
}

type entitlement struct {
	Name  string                    `json:"name"`
	Kind  connector.EntitlementKind `json:"kind"`
	Seats struct {
		Total int `json:"total"`
		Used  int `json:"used"`
	} `json:"seats"`
}

// contract returns a received account as a connector.Account. Numbers were decoded as
// json.Number. It leaves out values that no attribute can have (an object, null).
func (a account) contract() connector.Account {
	attributes := map[string]any{}
	for name, value := range a.Attributes {
		switch value := value.(type) {
		case string, bool:
			attributes[name] = value
		case json.Number:
			if n, err := value.Int64(); err == nil {
				attributes[name] = n
			}
		case []any:
			if texts, ok := texts(value); ok {
				attributes[name] = texts
			}
		}
	}
	var entitlements []string
	if len(a.Entitlements) > 0 {
		entitlements = slices.Sorted(slices.Values(a.Entitlements))
	}
	used, err := time.Parse(time.RFC3339, a.LastUsedAt)
	if err != nil || used.Unix() <= 0 { // services write the epoch for what never was
		used = time.Time{}
	}
	return connector.Account{
		ID: a.ID, Username: a.Username, ExternalID: a.PersonID, Active: a.Active,
		Attributes: attributes, Entitlements: entitlements, LastUsedAt: used.UTC(),
	}
}

func texts(list []any) ([]string, bool) {
	texts := make([]string, len(list))
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	return texts, true
}
