package zoom

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// The statuses of users ("List users"). A pending user has not accepted the invitation.
const (
	inactive  = "inactive"
	unclaimed = "pending"
)

var statuses = []string{"active", inactive, unclaimed}

// user is a user as Zoom shows it.
type user struct {
	ID        string            `json:"id"`
	Email     string            `json:"email"`
	Status    string            `json:"status"`
	Type      int               `json:"type"`
	RoleID    string            `json:"role_id"`
	Groups    []string          `json:"group_ids"`
	Custom    []customAttribute `json:"custom_attributes"`
	Created   string            `json:"created_at"`
	LastLogin string            `json:"last_login_time"`

	FirstName   string `json:"first_name"`
	LastName    string `json:"last_name"`
	DisplayName string `json:"display_name"`
	Department  string `json:"dept"`
	JobTitle    string `json:"job_title"`
	Company     string `json:"company"`
	Location    string `json:"location"`
	CostCenter  string `json:"cost_center"`
	Manager     string `json:"manager"`
	Language    string `json:"language"`
	TimeZone    string `json:"timezone"`
}

type customAttribute struct {
	Key   string `json:"key"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value"`
}

// attributes lists the fields of a user that policy can map ("Update a user").
var attributes = []string{
	"company", "cost_center", "dept", "display_name", "first_name", "job_title", "language", "last_name", "location", "manager", "timezone",
}

// custom begins the names of custom attributes.
const custom = "custom_attributes."

// unknown returns why policy cannot map an attribute; "" if it can.
func unknown(name string) string {
	if key, ok := strings.CutPrefix(name, custom); ok && key != "" || slices.Contains(attributes, name) {
		return ""
	}
	return "is no field of a Zoom user that can be mapped: known are " + strings.Join(attributes, ", ") + " and custom_attributes.KEY"
}

// waits reports whether the user has not accepted the invitation. Zoom shows some of them
// without a status or an address ("Get a user").
func (u user) waits() bool { return u.Status == unclaimed || u.Status == "" && u.Email == "" }

// whole returns the error for an answer that is no user, or another one than was asked for.
func (u user) whole(op, id string) error {
	if u.ID == "" || u.ID != id || u.Email == "" && !u.waits() {
		return rest.Contradictory(op, "Zoom answered with success, and not with the user that was asked for")
	}
	return nil
}

// value returns the value of a custom attribute.
func (u user) value(key string) string {
	for _, a := range u.Custom {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// username returns the username of an address.
func (c *client) username(email string) string {
	if local, domain, ok := strings.Cut(email, "@"); ok && strings.EqualFold(domain, c.domain) {
		return local
	}
	return email
}

// address returns the address of a username.
func (c *client) address(username string) string {
	if strings.Contains(username, "@") {
		return username
	}
	return username + "@" + c.domain
}

// owner returns the person ID that the user carries.
func (c *client) owner(u user) string {
	if c.person == "" {
		return ""
	}
	return u.value(c.person)
}

// account returns the user as an account, without its entitlements. When a pending user was
// made cannot be told: Zoom shows the time of the call.
func (c *client) account(u user) connector.Account {
	account := connector.Account{
		ID: u.ID, Username: c.username(u.Email), ExternalID: c.owner(u), Active: u.Status != inactive, Attributes: map[string]any{},
	}
	if !u.waits() {
		account.CreatedAt, _ = time.Parse(time.RFC3339, u.Created)
	}
	account.LastUsedAt, _ = time.Parse(time.RFC3339, u.LastLogin)
	for name, value := range map[string]string{
		"company": u.Company, "cost_center": u.CostCenter, "dept": u.Department, "display_name": u.DisplayName, "first_name": u.FirstName,
		"job_title": u.JobTitle, "language": u.Language, "last_name": u.LastName, "location": u.Location, "manager": u.Manager, "timezone": u.TimeZone,
	} {
		if value != "" {
			account.Attributes[name] = value
		}
	}
	for _, a := range u.Custom {
		if a.Key != c.person && a.Value != "" {
			account.Attributes[custom+a.Key] = a.Value
		}
	}
	return account
}

// Keeps implements connector.Connector. Of somebody who has not accepted the invitation, Zoom
// may show nothing.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	if account.Username == "" {
		return false, &connector.Error{
			Kind: connector.KindPending, Op: connector.OpRead, RetryAfter: untilMail,
			Message: "Zoom shows no attributes of somebody who has not accepted the invitation",
		}
	}
	return c.Base.Keeps(ctx, account, name, set)
}

// get reads a user by the ID.
func (c *client) get(ctx context.Context, op, id string) (user, error) {
	var u user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", id)}, &u); err != nil {
		return user{}, err
	}
	return u, u.whole(op, id)
}

// at returns the user with an address; one without an ID if there is none.
func (c *client) at(ctx context.Context, op, email string) (user, error) {
	var u user
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", email)}, &u)
	switch {
	case connector.Is(err, connector.KindNotFound):
		return user{}, nil
	case err != nil:
		return user{}, err
	case u.ID == "" || u.Email == "" && !u.waits():
		return user{}, rest.Contradictory(op, "Zoom answered with success, and not with the user that was asked for")
	case u.Email != "" && !strings.EqualFold(u.Email, email):
		return user{}, nil // an address that the user had before
	case u.Email == "":
		for waiting, err := range c.list(ctx, op, unclaimed) {
			if err != nil {
				return user{}, err
			}
			if strings.EqualFold(waiting.Email, email) {
				waiting.ID = u.ID
				return waiting, nil
			}
		}
		return user{}, rest.Contradictory(op, "Zoom shows a pending user, and not among those who are pending")
	}
	return u, nil
}

func (c *client) read(ctx context.Context, op, id string) (connector.Account, error) {
	u, err := c.get(ctx, op, id)
	if err != nil {
		return connector.Account{}, err
	}
	return c.entitled(ctx, op, u)
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

// Find implements connector.Connector. Zoom has no search for custom attributes, so the person
// ID is looked for in the list.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, op, keys.AccountID))
	}
	if c.person != "" && keys.PersonID != "" {
		var matches []connector.Match
		for u, err := range c.all(ctx, op) {
			if err != nil {
				return nil, err
			}
			if c.owner(u) != keys.PersonID {
				continue
			}
			account, err := c.read(ctx, op, u.ID)
			if err != nil {
				return nil, err
			}
			matches = append(matches, connector.Match{Account: account, By: connector.ByExternalID})
		}
		if len(matches) > 0 {
			return matches, nil
		}
	}
	for _, key := range []struct {
		by    connector.MatchKey
		email string
	}{{connector.ByUsername, keys.Username}, {connector.ByEmail, keys.Email}} {
		if key.email == "" {
			continue
		}
		u, err := c.at(ctx, op, c.address(key.email))
		if err != nil {
			return nil, err
		}
		if owner := c.owner(u); u.ID == "" || owner != "" && keys.PersonID != "" && owner != keys.PersonID {
			continue
		}
		account, err := c.entitled(ctx, op, u)
		if err != nil {
			return nil, err
		}
		return []connector.Match{{Account: account, By: key.by}}, nil
	}
	return nil, nil
}

// all lists users of every status, as lists show them.
func (c *client) all(ctx context.Context, op string) iter.Seq2[user, error] {
	return func(yield func(user, error) bool) {
		seen := map[string]bool{}
		for _, status := range statuses {
			for u, err := range c.list(ctx, op, status) {
				if err == nil {
					u, err = c.shown(ctx, op, u)
				}
				if err == nil && (u.ID == "" || seen[u.ID]) {
					continue // gone meanwhile, or the status has changed
				}
				seen[u.ID] = true
				if !yield(u, err) || err != nil {
					return
				}
			}
		}
	}
}

// ofStatus is the query for the users of one status.
func ofStatus(status string) url.Values {
	return url.Values{"status": {status}, "include_fields": {"custom_attributes"}, "page_size": {pageSize}}
}

// list reads the users of one status.
func (c *client) list(ctx context.Context, op, status string) iter.Seq2[user, error] {
	return pages(ctx, c, op, "/users", ofStatus(status), func(p page) []user { return p.Users })
}

// shown returns a user of a list. Lists show pending users without their IDs ("List users"), so
// those are read by their addresses: one that is gone meanwhile has no ID.
func (c *client) shown(ctx context.Context, op string, u user) (user, error) {
	if u.ID == "" && u.Status == unclaimed {
		found, err := c.at(ctx, op, u.Email)
		if err != nil || found.ID == "" {
			return user{}, err
		}
		u = found
	}
	return u, u.whole(op, u.ID)
}

// List implements connector.Connector. It lists the users of every status, one after the other.
// Lists show fewer attributes than users do.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. A token is good for 15 minutes ("Pagination"): a list that
// goes on later fails, and is begun anew. Whose status changes meanwhile may be listed twice, or
// not at all.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch returns a function that reads a page of the users of one status.
func (c *client) fetch(status string) func(context.Context, string, string, struct{}) (connector.Page, error) {
	return func(ctx context.Context, op, token string, _ struct{}) (connector.Page, error) {
		var shown page
		if _, err := c.api.Do(ctx, pageOf(op, "/users", ofStatus(status), token), &shown); err != nil {
			return connector.Page{}, err
		}
		users, err := itemsOf(op, shown.Users)
		listed := connector.Page{Next: shown.Next, Total: -1}
		for _, u := range users {
			u, err := c.shown(ctx, op, u)
			if err == nil && u.ID == "" {
				continue // gone meanwhile
			}
			var account connector.Account
			if err == nil {
				account, err = c.entitled(ctx, op, u)
			}
			if err != nil {
				return connector.Page{}, err
			}
			listed.Accounts = append(listed.Accounts, account)
		}
		return listed, err
	}
}

// fields returns attributes as Zoom takes them. Custom attributes go together: those that the
// user has besides are sent again, since Zoom may replace them all.
func fields(op string, u user, set map[string]any) (map[string]any, error) {
	body, customs := map[string]any{}, slices.Clone(u.Custom)
	for name, value := range set {
		if problem := unknown(name); problem != "" {
			return nil, connector.Invalid(op, "attribute %q %s", name, problem)
		}
		text, ok := value.(string)
		if !ok && !connector.SameValue(value, nil) {
			return nil, connector.Invalid(op, "attribute %q is no text, and Zoom has texts only", name)
		}
		if key, ok := strings.CutPrefix(name, custom); ok {
			customs = setCustom(customs, key, text)
			body["custom_attributes"] = customs
			continue
		}
		body[name] = text
	}
	return body, nil
}

// setCustom sets one of the custom attributes.
func setCustom(all []customAttribute, key, value string) []customAttribute {
	if i := slices.IndexFunc(all, func(a customAttribute) bool { return a.Key == key }); i >= 0 {
		all[i].Value = value
		return all
	}
	return append(all, customAttribute{Key: key, Value: value})
}

// patch changes fields of a user ("Update a user").
func (c *client) patch(ctx context.Context, op, id string, body map[string]any) error {
	if len(body) == 0 {
		return nil
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPatch, Path: rest.Path("users", id), Body: body}, nil)
	return err
}

// mark sets the person ID.
func (c *client) mark(ctx context.Context, op string, u user, personID string) error {
	return c.patch(ctx, op, u.ID, map[string]any{"custom_attributes": setCustom(slices.Clone(u.Custom), c.person, personID)})
}
