package google

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// The token endpoint and the hosts, as in the discovery documents of the APIs.
const (
	defaultURL          = "https://admin.googleapis.com"
	defaultLicensingURL = "https://licensing.googleapis.com"
	defaultTokenURL     = "https://oauth2.googleapis.com/token" //nolint:gosec // G101: an address
)

const (
	// settling is our choice: Google gives no figure, and users report minutes
	// (hashicorp/terraform-provider-googleworkspace issues 286, 304 and 387).
	settling = 15 * time.Minute
	// recycleBin is how long a deleted user can be brought back ("Undelete a user" in the
	// Directory API's guide to user accounts).
	recycleBin = 20 * 24 * time.Hour
	// licensingPace is the quota of the Enterprise License Manager API: one request a second
	// (its page "Limits and quotas").
	licensingPace = time.Second
)

const defaultIDType = "organization"

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "google",
	Summary: "Google Workspace, by its Admin SDK",
	About:   about,
	Settings: append([]connector.Setting{
		{Name: "key", Type: connector.TypeSecret, Required: true, Text: "Key of a service account with domain-wide delegation: the JSON file that Google Cloud gives."},
		{Name: "admin", Type: connector.TypeText, Required: true, Text: "Address of the administrator on whose behalf the service account acts."},
		{Name: "domain", Type: connector.TypeText, Required: true, Text: "Domain of new accounts: the username zoe becomes zoe@DOMAIN. An address in another domain is a username as a whole."},
		{Name: "customer", Type: connector.TypeText, Default: "my_customer", Text: "ID of the Workspace account. my_customer is the administrator's own."},
		{Name: "externalID", Type: connector.TypeText, Default: defaultIDType, Text: "Type of the user's externalIds that holds the person ID. The Admin console shows organization as the employee ID; a name of your own makes a custom type."},
		{Name: "groupRoles", Type: connector.TypeBool, Text: "Managers and owners of groups are entitlements of their own (GROUP:MANAGER, GROUP:OWNER). Costs a request for each group of an account that is read."},
		{Name: "roles", Type: connector.TypeBool, Text: "Admin roles are entitlements (role:NAME)."},
		{Name: "licences", Type: connector.TypeTexts, Text: "Licences that are entitlements (licence:PRODUCT/SKU), each as PRODUCT/SKU by Google's IDs. Costs a request a second for each, with every account that is read."},
		{Name: "licensingInterval", Type: connector.TypeDuration, Default: licensingPace, Text: "Least time between two requests about licences. Google allows one a second."},
		{Name: "aliases", Type: connector.TypeBool, Text: "The user's aliases are the attribute aliases."},
		{Name: "handOver", Type: connector.TypeTexts, Default: []string{"drive", "calendar"}, Text: "What is handed over before an account is deleted: any of drive, calendar, lookerStudio."},
		{Name: "restoreTo", Type: connector.TypeText, Default: "/", Text: "Path of the org unit into which deleted accounts are brought back."},
		{Name: "url", Type: connector.TypeText, Default: defaultURL, Text: "Host of the Directory and the Data Transfer API."},
		{Name: "licensingURL", Type: connector.TypeText, Default: defaultLicensingURL, Text: "Host of the Enterprise License Manager API."},
		{Name: "tokenURL", Type: connector.TypeText, Default: defaultTokenURL, Text: "Google's token endpoint; the address in the key file is not used."},
		remote.Plaintext,
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	}, mailSettings()...),
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET users?query=externalId; then GET users/ADDRESS, which must be the primary one; then what read does"},
		{Op: connector.OpRead, Calls: "GET users/ID; GET groups?userKey; with groupRoles GET groups/G/members/ID; with roles GET roleassignments?userKey; with licences GET product/P/sku/S/user/ADDRESS"},
		{Op: connector.OpCheck, Calls: "GET users/ADMIN"},
		{Op: connector.OpProbe, Calls: "POST token for each scope; GET users, groups, tokens, roleassignments, applications and licences, of each the first page"},
		{Op: connector.OpList, Calls: "GET groups; GET groups/G/members; with roles GET roleassignments; with licences GET product/P/sku/S/users; GET users; each by pages"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET groups; with roles GET roles; with licences GET product/P/sku/S/users; each by pages"},
		{Op: connector.OpCreate, Calls: "POST users; with aliases POST users/ID/aliases"},
		{Op: connector.OpAdopt, Calls: "GET users/ID; PUT users/ID"},
		{Op: connector.OpUpdate, Calls: "GET users/ID; PUT users/ID; with aliases POST and DELETE users/ID/aliases"},
		{Op: connector.OpRelabel, Calls: "GET users/ID; PUT users/ID"},
		{Op: connector.OpGrant, Calls: "GET users/ID; POST groups/G/members; POST roleassignments; POST product/P/sku/S/user"},
		{Op: connector.OpRevoke, Calls: "for licences GET users/ID; DELETE groups/G/members/ID; DELETE roleassignments/A; DELETE product/P/sku/S/user/ADDRESS"},
		{Op: connector.OpDisable, Calls: "GET users/ID; POST users/ID/verificationCodes/invalidate; PUT users/ID suspended=true"},
		{Op: connector.OpEnable, Calls: "GET users/ID; PUT users/ID suspended=false"},
		{Op: connector.OpRevokeSessions, Calls: "POST users/ID/signOut; GET and DELETE users/ID/tokens; GET and DELETE users/ID/asps"},
		{Op: connector.OpResetCredentials, Calls: "GET users/ID; PUT users/ID password, recoveryEmail, recoveryPhone; unless suspended POST verificationCodes/invalidate and twoStepVerification/turnOff"},
		{Op: connector.OpHandOver, Calls: "GET users of both; GET transfers; POST transfers; later GET transfers/T"},
		{Op: connector.OpDelete, Calls: "DELETE users/ID"},
		{Op: connector.OpRestore, Calls: "GET users/ID; POST users/ID/undelete"},
	},
	Attributes:      attributeNames(),
	OtherAttributes: "`customSchemas.SCHEMA.FIELD`, for a field with one value of a custom schema.",
	Foresee:         foresee,
	LongestUsername: maxUsername,
	Unreached:       "Google Workspace",
	LastUse:         lastUse,
	Connect:         connect,
}

// mailSettings holds the settings by which a human is asked to route a leaver's mail.
func mailSettings() []connector.Setting {
	all := connector.AskSettings(false)
	for i := range all {
		if all[i].Name == "instructions" {
			all[i].Default = routeMail
		}
	}
	return all
}

const routeMail = "Admin console > Apps > Google Workspace > Gmail > Default routing: for the account's address as single recipient, replace the recipient by whoever gets the data, on recognized and non-recognized addresses. Take the rule away when the person is back."

const about = "[apps/google.md](apps/google.md) says how to set it up, which rights it needs, and what happens to a leaver.\n" +
	"\n" +
	"**Keys.** Accounts are linked by their immutable ID. The person ID is the user's external ID of the type `externalID`, and the username the part of the primary address before `@domain`. An account of which the address is only an alias is no match.\n" +
	"\n" +
	"**Entitlements** are groups by their address (`staff@example.com`; with `groupRoles` also `staff@example.com:MANAGER` and `:OWNER`), `role:NAME` with `roles`, and `licence:PRODUCT/SKU` for those that `licences` names. Only direct memberships count. Google tells how many seats of a licence are used, not how many there are.\n" +
	"\n" +
	"**Disabling** suspends the account: it keeps its data, groups and licences, and is still billed. Sessions, OAuth tokens and app passwords are ended. An archived account counts as off.\n" +
	"\n" +
	"**Mail.** Google rejects mail to a suspended user, and no API routes it to somebody else. With `assignee`, a human is asked to, in the same step that hands over Drive and Calendar, which begins once they have answered.\n" +
	"\n" +
	"**Deleting** puts the account into Google's recycle bin for 20 days."

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base, licensing := remote.BaseURL(settings, "url"), remote.BaseURL(settings, "licensingURL")
	tokenURL := remote.HTTPURL(settings, "tokenURL")
	c := &client{
		admin: settings.Text("admin"), domain: strings.ToLower(settings.Text("domain")), customer: settings.Text("customer"),
		idType: settings.Text("externalID"), restoreTo: settings.Text("restoreTo"),
		groupRoles: settings.Bool("groupRoles"), roles: settings.Bool("roles"), aliases: settings.Bool("aliases"),
		licences: settings.Texts("licences"), handOver: settings.Texts("handOver"),
		places: placesOf(settings.Text("externalID")),
		key:    settings.Secret("key"), timeout: settings.Duration("timeout"),
		asks: settings.Has("assignee"), ask: connector.ReadAsk(settings),
	}
	c.review(settings)
	if base == nil || licensing == nil || tokenURL == nil {
		return c, nil // rejected
	}
	c.tokenURL = tokenURL.String()
	c.api = rest.New(vendor, c.timeout)
	c.pages.Gather, c.pages.Fetch = c.everybodys, c.fetch
	c.api.Base, c.api.Pace, c.api.Pause, c.api.Credentials = rest.At(base), env.Pace, env.Pause, c.tokens(c.scopes())
	c.licensing = rest.New(licensingVendor, c.timeout)
	c.licensing.Pause = env.Pause
	c.licensing.Base, c.licensing.Pace, c.licensing.Credentials = rest.At(licensing), slowly(env.Pace, settings.Duration("licensingInterval")), c.api.Credentials
	return c, nil
}

// review rejects what is wrong with the settings beyond their types.
func (c *client) review(settings *connector.Values) {
	if _, err := keyFile(c.key); errors.Is(err, errNoKeyFile) {
		settings.Reject("key", err.Error())
	}
	if address, err := mail.ParseAddress(c.admin); !settings.Withholds("admin") && (err != nil || address.Address != c.admin) {
		settings.Reject("admin", "must be an address, such as admin@example.com")
	}
	if strings.ContainsAny(c.domain, "@/ ") || !strings.Contains(c.domain, ".") {
		settings.Reject("domain", "must be a domain, such as example.com")
	}
	if !strings.HasPrefix(c.restoreTo, "/") {
		settings.Reject("restoreTo", "must be the path of an org unit, such as /Staff")
	}
	for _, name := range c.licences {
		if _, _, ok := licenceOf(name); !ok {
			settings.Reject("licences", "holds one that is not PRODUCT/SKU, such as Google-Apps/1010020027")
		}
	}
	for _, name := range c.handOver {
		if _, known := transferable[name]; !known {
			settings.Reject("handOver", "holds what cannot be handed over: known are drive, calendar, lookerStudio")
		}
	}
}

// scopes returns the scopes that the settings need: "Choose Directory API scopes", and the
// scopes of each method in the discovery documents.
func (c *client) scopes() []string {
	needed := []string{scopeUsers, scopeSecurity, scopeGroups, scopeMembers}
	if c.roles {
		needed = append(needed, scopeRoles)
	}
	if len(c.licences) > 0 {
		needed = append(needed, scopeLicences)
	}
	if len(c.handOver) > 0 {
		needed = append(needed, scopeTransfer)
	}
	return needed
}

const scopeRoot = "https://www.googleapis.com/auth/"

// The scopes of the APIs.
const (
	scopeUsers    = scopeRoot + "admin.directory.user"
	scopeSecurity = scopeRoot + "admin.directory.user.security"
	scopeGroups   = scopeRoot + "admin.directory.group.readonly"
	scopeMembers  = scopeRoot + "admin.directory.group.member"
	scopeRoles    = scopeRoot + "admin.directory.rolemanagement"
	scopeLicences = scopeRoot + "apps.licensing"
	scopeTransfer = scopeRoot + "admin.datatransfer"
)

// tokens returns credentials that act on behalf of the administrator, with these scopes
// ("Using OAuth 2.0 for Server to Server Applications"). The key file is read for each
// token, so that a new key of the service account needs no restart.
func (c *client) tokens(scopes []string) *credentials.Tokens {
	return credentials.NewTokens(credentials.Client{
		URL: c.tokenURL, URLSetting: "tokenURL", Settings: "key and admin, and the scopes of the domain-wide delegation",
		Proof: func(ctx context.Context, op string) (string, url.Values, error) {
			file, err := keyFile(c.key)
			if err != nil {
				return "", nil, &connector.Error{Kind: connector.KindUnauthorized, Op: op, Message: "the key setting " + err.Error()}
			}
			key := credentials.Key{Setting: "key", PEM: secret.Of(file.PrivateKey), ID: file.PrivateKeyID}
			claims := credentials.Claims{Issuer: file.ClientEmail, Subject: c.admin, Audience: c.tokenURL, Scope: strings.Join(scopes, " ")}
			return key.Grant(claims)(ctx, op)
		},
	}, c.timeout)
}

// serviceAccount is the part of a key file that is used.
type serviceAccount struct {
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	PrivateKeyID string `json:"private_key_id"`
}

var errNoKeyFile = errors.New("must hold the JSON key file of a service account (client_email, private_key, private_key_id)")

// keyFile reads the key file. Its errors hold nothing of it.
func keyFile(key secret.Secret) (serviceAccount, error) {
	var file serviceAccount
	text, err := key.Reveal()
	if err != nil {
		return file, errors.New("cannot be had: " + err.Error())
	}
	if json.Unmarshal([]byte(text), &file) != nil || file.ClientEmail == "" || file.PrivateKey == "" {
		return file, errNoKeyFile
	}
	if why := (credentials.Key{PEM: secret.Of(file.PrivateKey)}).Check(); why != "" {
		return file, errNoKeyFile
	}
	return file, nil
}

// slowly returns a pace of at most one request an interval, besides the given one.
func slowly(pace func(context.Context) error, interval time.Duration) func(context.Context) error {
	limit := rate.NewLimiter(rate.Every(interval), 1)
	return func(ctx context.Context) error {
		if pace != nil {
			if err := pace(ctx); err != nil {
				return err
			}
		}
		return limit.Wait(ctx)
	}
}

// foresee finds mistakes in what policy maps and grants.
func foresee(settings *connector.Values) connector.Foresight {
	places := placesOf(cmp.Or(settings.Text("externalID"), defaultIDType))
	return connector.Foresight{
		Attribute: func(name string) string {
			if _, known := places.of(name); known || name == aliasesName && settings.Bool("aliases") {
				return ""
			}
			if name == aliasesName {
				return "set `aliases: true` in the app's settings"
			}
			return "this kind does not know it: see the attributes in docs/connectors.md, or name a custom field as customSchemas.SCHEMA.FIELD"
		},
		Required: []string{"givenName", "familyName"},
		Entitlement: func(name string) string {
			return entitlementProblem(name, settings.Bool("groupRoles"), settings.Bool("roles"), settings.Texts("licences"))
		},
	}
}

// entitlementProblem returns why an entitlement of that name can never be granted.
func entitlementProblem(name string, groupRoles, roles bool, licences []string) string {
	parsed := parseEntitlement(name)
	switch {
	case parsed.kind == connector.Role && !roles:
		return "set `roles: true` in the app's settings to manage admin roles"
	case parsed.kind == connector.Licence && !slices.Contains(licences, parsed.name):
		return "name the licence in the app's setting licences"
	case parsed.kind == connector.Group && !strings.Contains(parsed.name, "@"):
		return "a group is named by its address, such as staff@example.com"
	case parsed.kind == connector.Group && parsed.role != member && !groupRoles:
		return "set `groupRoles: true` in the app's settings to manage managers and owners of groups"
	}
	return ""
}
