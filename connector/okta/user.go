package okta

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// user is a user as Okta shows it (schema User of the reference).
type user struct {
	ID            string         `json:"id"`
	Status        status         `json:"status"`
	Transitioning status         `json:"transitioningToStatus"`
	Created       time.Time      `json:"created"`
	LastLogin     *time.Time     `json:"lastLogin"`
	Profile       map[string]any `json:"profile"`
	Credentials   struct {
		Password         *struct{} `json:"password"`
		RecoveryQuestion *struct {
			Question string `json:"question"`
		} `json:"recovery_question"`
		Provider struct {
			Type string `json:"type"`
		} `json:"provider"`
	} `json:"credentials"`
}

func (u user) text(name string) string {
	text, _ := u.Profile[name].(string)
	return text
}

// whole returns the error for an answer that is no user, or another one than was asked for;
// id is empty if that is not known.
func (u user) whole(op, id string) error {
	if u.ID == "" || u.Status == "" || u.text(login) == "" || id != "" && u.ID != id {
		return rest.Contradictory(op, "Okta answered with success, and not with the user that was asked for")
	}
	return nil
}

// login returns the login of an account with a username. A whole login stays as it is.
func (c *client) login(username string) string {
	if strings.Contains(username, "@") {
		return username
	}
	return username + c.suffix
}

// username returns the username of an account with a login. One without the suffix is shown
// whole.
func (c *client) username(login string) string {
	if n := len(login) - len(c.suffix); n > 0 && strings.EqualFold(login[n:], c.suffix) {
		return login[:n]
	}
	return login
}

// account returns the user as an account, without its entitlements.
func (c *client) account(u user) connector.Account {
	account := connector.Account{
		ID: u.ID, Username: c.username(u.text(login)), ExternalID: u.text(c.externalID), Active: u.active(),
		Attributes: map[string]any{}, CreatedAt: u.Created.UTC(),
	}
	if u.LastLogin != nil {
		account.LastUsedAt = u.LastLogin.UTC()
	}
	for name, value := range u.Profile {
		if name == login || name == c.externalID {
			continue
		}
		if value := shown(value); value != nil {
			account.Attributes[name] = value
		}
	}
	return account
}

// shown returns a profile attribute's value as the contract has it; nil if there is none.
func shown(value any) any {
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		if value == "" {
			return nil
		}
		return value
	case bool:
		return value
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		return value.String()
	case []any:
		if len(value) == 0 {
			return nil
		}
		texts := make([]string, len(value))
		for i, item := range value {
			texts[i] = fmt.Sprint(item)
		}
		return texts
	}
	return fmt.Sprint(value)
}

// profile returns attributes as Okta takes them: nothing clears one.
func (c *client) profile(op string, attributes map[string]any) (map[string]any, error) {
	profile := map[string]any{}
	for name, value := range attributes {
		if problem := unmappable(name, c.externalID); problem != "" {
			return nil, connector.Invalid(op, "attribute %q %s", name, problem)
		}
		switch set := value.(type) {
		case string:
			if set == "" {
				value = nil
			}
		case []string:
			if value = slices.Clone(set); len(set) == 0 {
				value = nil
			}
		}
		profile[name] = value
	}
	return profile, nil
}
