package entra

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

const (
	// settling is how long Graph may show what was before a change. Microsoft names no time;
	// see docs/apps/entra.md.
	settling = 15 * time.Minute
	// recycleBin is how long a deleted user can be restored (learn.microsoft.com/graph/api/
	// directory-deleteditems-restore).
	recycleBin = 30 * 24 * time.Hour
	// mostOnPage is the greatest $top of users and groups. With signInActivity it is 120
	// (learn.microsoft.com/graph/api/user-list).
	mostOnPage           = "999"
	mostOnPageWithSignIn = "120"
)

// client is the connector.
type client struct {
	connector.Base

	api    *rest.Client
	tenant string

	domain         string // follows the username and "@"; empty if usernames have their own
	externalID     string
	employeeNumber string
	usageLocation  string
	syncedFrom     string
	withoutPlans   map[string]string
	asks           bool // humans are asked to hand over data
	ask            func(step string) connector.Ask

	roles, licences, lastSignIn, devices, resets, appRoles bool

	pages  connector.Pages[holdings]
	groups rest.Memo[string, group]
	skus   rest.Memo[string, []sku]
	roleIs rest.Memo[string, []role]
}

// lastUse says what accounts show with the setting lastSignIn. Microsoft names no time after
// which a sign-in is shown, and says that reports can be a day late ("Log latency in Microsoft
// Entra ID").
var lastUse = connector.LastUse{
	By: "a sign-in to Microsoft Entra ID, by somebody or by a client of theirs", Lag: 24 * time.Hour,
	Note: "It needs the setting lastSignIn, the right AuditLog.Read.All and Entra ID P1. Sign-ins before April 2020 are not shown.",
}

// Capabilities implements connector.Connector. A mailbox has to be licensed to be converted to a
// shared one ("Convert a user mailbox to a shared mailbox", Microsoft 365 admin).
func (c *client) Capabilities() connector.Capabilities {
	told := connector.LastUse{Note: "The setting lastSignIn is off: it needs Entra ID P1."}
	if c.lastSignIn {
		told = lastUse
	}
	return connector.Capabilities{
		LastUse:       told,
		HandOverNeeds: []string{licencePrefix},

		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true,
		Delete: true, RecycleBin: recycleBin, Restore: true, Entitlements: true, ListEntitlements: true,
		Sessions: true, ResetCredentials: c.resets, List: true, Page: true, Probe: true, Settling: settling,
	}
}

// Ask implements connector.Connector. A mailbox and its rules are not in Graph, so that a
// human hands over the data.
func (c *client) Ask(step string) (connector.Ask, bool) {
	if step != "HandOver" || !c.asks {
		return connector.Ask{}, false
	}
	return c.ask(step), true
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

// page is a page of a list.
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// each returns the items of a list, from all of its pages. A page without a list is an error
// of KindContradictory.
func each[T any](ctx context.Context, c *client, r rest.Request) iter.Seq2[T, error] {
	return rest.Items(ctx, c.api, r, nextPage[T](r.Op), func(p page[T]) ([]T, error) { return p.items(r.Op) })
}

// nextPage returns a next for rest.Pages.
func nextPage[T any](op string) func(page[T], http.Header) (rest.Request, bool) {
	return func(p page[T], _ http.Header) (rest.Request, bool) {
		return rest.Request{Op: op, Link: p.Next}, p.Next != ""
	}
}

// items returns what is on the page.
func (p page[T]) items(op string) ([]T, error) {
	if p.Value == nil {
		return nil, rest.Contradictory(op, "Microsoft Graph answered with something else than a list: check the url")
	}
	return p.Value, nil
}

// quote returns a text as a literal in a filter (OData 4.01 part 2, section 5.1.1.6.1).
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// ref returns the body that refers to a directory object.
func (c *client) ref(ctx context.Context, op, id string) (map[string]any, error) {
	base, err := c.api.Base(ctx, op)
	if err != nil {
		return nil, err
	}
	return map[string]any{"@odata.id": base.String() + rest.Path("directoryObjects", id)}, nil
}

func (c *client) selected() url.Values {
	names := append(roots(), "id", "userPrincipalName", "accountEnabled", "createdDateTime", synced)
	if c.externalID != defaultExternalID {
		names = append(names, c.externalID)
	}
	if c.licences {
		names = append(names, "assignedLicenses", "licenseAssignmentStates")
	}
	if c.lastSignIn {
		names = append(names, "signInActivity")
	}
	slices.Sort(names)
	return url.Values{"$select": {strings.Join(names, ",")}, "$expand": {"manager($select=id)"}}
}

// user reads a user.
func (c *client) user(ctx context.Context, op, id string, query url.Values) (user, error) {
	var u user
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", id), Query: query}, &u)
	if err == nil && !strings.EqualFold(u.Text("id"), id) { // a path may be a userPrincipalName too
		err = rest.Contradictory(op, "Microsoft Graph answered with another user than was asked for")
	}
	return u, err
}

// brief reads what changes depend on.
func (c *client) brief(ctx context.Context, op, id string, more ...string) (user, error) {
	names := append([]string{"id", "userPrincipalName", "accountEnabled", synced, c.externalID}, more...)
	return c.user(ctx, op, id, url.Values{"$select": {strings.Join(names, ",")}})
}

// account returns a user as an account, without its entitlements.
func (c *client) account(op string, u user) (connector.Account, error) {
	on, shown := u["accountEnabled"].(bool)
	if u.Text("id") == "" || u.Text("userPrincipalName") == "" || !shown {
		return connector.Account{}, rest.Contradictory(op, "Microsoft Graph answered with a user that lacks what was selected")
	}
	return connector.Account{
		ID: u.Text("id"), Username: c.username(u.Text("userPrincipalName")), ExternalID: u.Text(c.externalID), Active: on,
		Attributes: c.decode(u), CreatedAt: u.Time("createdDateTime"), LastUsedAt: lastSignIn(u),
	}, nil
}

// lastSignIn returns when the user last signed in (learn.microsoft.com/graph/api/resources/
// signinactivity). Only one of the three times says that the sign-in succeeded; it is missing
// before December 2023.
func lastSignIn(u user) time.Time {
	raw, _ := u["signInActivity"].(map[string]any)
	activity := user(raw)
	if at := activity.Time("lastSuccessfulSignInDateTime"); !at.IsZero() {
		return at
	}
	at, background := activity.Time("lastSignInDateTime"), activity.Time("lastNonInteractiveSignInDateTime")
	if background.After(at) {
		return background
	}
	return at
}

// principalName returns the userPrincipalName of a username.
func (c *client) principalName(username string) string {
	if c.domain == "" || strings.Contains(username, "@") {
		return username
	}
	return username + "@" + c.domain
}

// username is the reverse of principalName.
func (c *client) username(principalName string) string {
	local, domain, _ := strings.Cut(principalName, "@")
	if c.domain != "" && strings.EqualFold(domain, c.domain) {
		return local
	}
	return principalName
}

// permitted lists what the part of a userPrincipalName before the "@" may hold
// (learn.microsoft.com/graph/api/user-post-users).
const permitted = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.-_!#^~"

// named returns the userPrincipalName of a username that an account is to get, if it can
// have it.
func (c *client) named(op, username string) (string, error) {
	local, domain, _ := strings.Cut(c.principalName(username), "@")
	switch {
	case c.domain != "" && strings.Contains(username, "@"):
		return "", connector.Invalid(op, "the username has an %q: with the setting domain, it must not", "@")
	case domain == "":
		return "", connector.Invalid(op, "the username has no domain: set the setting domain, or map usernames with their domain")
	case local == "" || len(local) > 64 || strings.Trim(local, permitted) != "":
		return "", connector.Invalid(op, "the username cannot be one in Entra ID: before the \"@\" it holds 1 to 64 letters of A to Z, digits and ' . - _ ! # ^ ~")
	}
	return local + "@" + domain, nil
}

// longestEmployeeID is how many characters employeeId holds (learn.microsoft.com/graph/api/
// resources/user).
const longestEmployeeID = 16

// owned returns the external ID for a person, if the account can have it.
func (c *client) owned(op, personID string) (string, error) {
	if c.externalID == defaultExternalID && len([]rune(personID)) > longestEmployeeID {
		return "", connector.Invalid(op, "the person ID is longer than the %d characters that employeeId holds: set externalID to a directory extension", longestEmployeeID)
	}
	return personID, nil
}
