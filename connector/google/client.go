package google

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/secret"
)

// client is the connector. Base answers the calls that it does not offer.
type client struct {
	connector.Base

	api       *rest.Client // the Directory and the Data Transfer API
	licensing *rest.Client // the Enterprise License Manager API

	admin, domain, customer, idType, restoreTo string
	groupRoles, roles, aliases                 bool
	licences, handOver                         []string
	places                                     places
	asks                                       bool // a human is asked to route a leaver's mail
	ask                                        func(step string) connector.Ask

	made     rest.Memo[string, string] // addresses of new users, by ID
	pages    connector.Pages[map[string][]string]
	key      secret.Secret
	tokenURL string
	timeout  time.Duration
}

// lastUse says what accounts show. Google writes the Unix epoch for those that never signed in,
// and names no time after which a sign-in is shown ("Users" in the Directory API).
var lastUse = connector.LastUse{By: "a sign-in to Google"}

// Capabilities implements connector.Connector. Google moves data only between users who are
// licensed for the service.
func (c *client) Capabilities() connector.Capabilities {
	can := connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, List: true, Page: true, Probe: true,
		LastUse: lastUse, HandOver: len(c.handOver) > 0, RecycleBin: recycleBin, Restore: true, Settling: settling,
	}
	if can.HandOver && len(c.licences) > 0 {
		can.HandOverNeeds = []string{licencePrefix}
	}
	return can
}

// Ask implements connector.Connector. Google rejects mail to a suspended user, so that
// Gmail's settings of forwarding and delegation would get none. What routes such mail is a default routing rule, which no API sets (knowledge.workspace.google.com,
// "How to route emails sent to a suspended user").
func (c *client) Ask(step string) (connector.Ask, bool) {
	if step != "HandOver" || !c.asks {
		return connector.Ask{}, false
	}
	return c.ask(step), true
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	var admin user
	if _, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: users(c.admin)}, &admin); err != nil {
		return "", err
	}
	file, err := keyFile(c.key)
	if err != nil {
		return "", &connector.Error{Kind: connector.KindUnauthorized, Op: connector.OpCheck, Message: "the key setting " + err.Error()}
	}
	return c.admin + ", by the service account " + file.ClientEmail, nil
}

// The wait of a quota that is used up: Google says to back off exponentially, and sends no
// header (Directory API, "Limits and quotas").
const quotaWait = 10 * time.Second

var vendor = rest.Vendor{
	Name: "Google", Codes: codes,
	Rules: []rest.Rule{
		{Status: 403, Code: "userRateLimitExceeded", Kind: connector.KindRateLimited, Advice: tooMany, Wait: quotaWait},
		{Status: 403, Code: "quotaExceeded", Kind: connector.KindRateLimited, Advice: tooMany, Wait: quotaWait},
		{Status: 403, Code: "rateLimitExceeded", Kind: connector.KindRateLimited, Advice: tooMany, Wait: quotaWait},
		{Status: 429, Kind: connector.KindRateLimited, Advice: tooMany, Wait: quotaWait},
		{Status: 403, Code: "dailyLimitExceeded", Kind: connector.KindRateLimited, Advice: "the day's quota is used up: ask for more in the Google Cloud console", Wait: time.Hour},
		{Status: 403, Code: "accessNotConfigured", Kind: connector.KindForbidden, Advice: "enable the Admin SDK API (and, for licences, the Enterprise License Manager API) in the service account's project"},
		{Status: 403, Code: "insufficientPermissions", Kind: connector.KindForbidden, Advice: "the domain-wide delegation lacks a scope: see tenure app test"},
		{Status: 403, Kind: connector.KindForbidden, Advice: "the administrator of the setting admin lacks a privilege, or the domain is not one of the Workspace account's"},
		{Status: 404, Code: "notFound", Kind: connector.KindNotFound, Advice: "it knows no such account"},
		{Op: connector.OpRestore, Status: 409, Code: "duplicate", Kind: connector.KindExists, Advice: "the address is another account's by now: rename that one first"},
		{Status: 409, Code: "duplicate", Kind: connector.KindExists, Advice: "an account, alias or group has this address"},
		{Status: 412, Code: "limitExceeded", Kind: connector.KindInvalid, Advice: "no licence is left for another user: buy more or delete users"},
		{Status: 412, Kind: connector.KindUnavailable, Advice: "the account is not ready yet: Google has not finished making it"},
	},
}

const tooMany = "too many requests: if it goes on, lower the app's rate"

// licensingVendor differs by its answer to a quota that is used up, a 503, and by its 412,
// which says that a seat is missing or that the user has another licence of the product.
var licensingVendor = rest.Vendor{
	Name: "Google's licence manager", Codes: codes,
	Rules: append([]rest.Rule{
		{Status: 503, Kind: connector.KindRateLimited, Advice: tooMany, Wait: 5 * time.Second},
		{Status: 412, Kind: connector.KindInvalid, Advice: "no seat of the licence is left, or the account has another licence of the product"},
	}, vendor.Rules...),
}

var word = regexp.MustCompile(`^[A-Za-z_]{1,64}$`)

// missing maps Google's messages of what is not there to codes. They hold the name of a
// parameter, never its value.
var missing = map[string]string{
	"Resource Not Found: userKey":   "userKey",
	"Resource Not Found: groupKey":  "groupKey",
	"Resource Not Found: memberKey": "memberKey",
}

// codes returns what is not there, the reasons and the status of an error ("error" in the
// standard form of Google's JSON APIs).
func codes(body []byte) []string {
	var failure struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &failure) != nil {
		return nil
	}
	var found []string
	for _, e := range failure.Error.Errors {
		found = append(found, e.Reason)
	}
	found = append(found, failure.Error.Status, missing[failure.Error.Message])
	return slices.DeleteFunc(found, func(code string) bool { return !word.MatchString(code) })
}

const directory = "/admin/directory/v1"

// users returns the path of a user, and of what is below.
func users(key string, below ...string) string {
	return directory + rest.Path(append([]string{"users", key}, below...)...)
}

// list asks for all pages of a list, whose items are in the member of this name.
func list[T any](ctx context.Context, api *rest.Client, op, path, member string, query url.Values) iter.Seq2[T, error] {
	next := func(p page, _ http.Header) (rest.Request, bool) {
		token := p.next()
		return pageOf(op, path, query, token), token != ""
	}
	return rest.Items(ctx, api, pageOf(op, path, query, ""), next, func(p page) ([]T, error) {
		return itemsOf[T](op, p, member)
	})
}

// page is a page of a list.
type page map[string]json.RawMessage

// next returns the token of the next page; empty if there is none.
func (p page) next() (token string) {
	_ = json.Unmarshal(p["nextPageToken"], &token) // none, if it is no text
	return token
}

// pageOf returns the request for a page of a list.
func pageOf(op, path string, query url.Values, token string) rest.Request {
	query = maps.Clone(query)
	if token != "" {
		query.Set("pageToken", token)
	}
	return rest.Request{Op: op, Path: path, Query: query}
}

// itemsOf reads the items of a page. An empty list of Google's has no items, and says of
// which kind it is; an empty answer of somebody else does not.
func itemsOf[T any](op string, page page, member string) ([]T, error) {
	var items []T
	raw := page[member]
	if len(raw) == 0 && len(page["kind"]) > 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if decoder.Decode(&items) != nil {
		return nil, rest.Contradictory(op, "Google answered with something else than a list: check the url settings")
	}
	return items, nil
}
