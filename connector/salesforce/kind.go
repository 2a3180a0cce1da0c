package salesforce

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/remote"
)

const about = `**Keys.** The person ID is kept in the field that the setting **externalID** names. Accounts are found by it, and otherwise by
Username, EmployeeNumber and Email. That somebody has no account counts only while the user of the connection has the right
"View All Users": without it, Salesforce may hide people.

**Usernames** have the form of an e-mail address and are unique over all orgs of Salesforce, not only yours. The setting
**usernameSuffix** makes them so. Tenure shows usernames without it.

**Entitlements.** A name without a prefix is a public group. ` + "`role:NAME` is a permission set or a permission set group, `licence:NAME`" + ` a
permission set licence, all by their API names (with ` + "`NAMESPACE__`" + ` before those of a managed package). The licence of a profile
is listed with its seats as ` + "`licence:profile/NAME`" + `, and comes and goes with the profile. Profile and UserRole are attributes.

**Disabling** freezes the user, then deactivates them. Frozen or inactive means that nobody can sign in. If Salesforce refuses the
deactivation, the user stays frozen, their sessions are ended, and the step needs a human, with what there is to do. Users are
never deleted.

It was tested on a stand-in only, and never on Salesforce itself: try your sandbox with ` + "`tenure app test NAME --write`" + ` first. Every
run of that leaves a deactivated user. [apps/salesforce.md](apps/salesforce.md) says how to set it up.
`

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "salesforce",
	Summary: "a Salesforce org, by its REST API",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "My Domain URL of the org: https://NAME.my.salesforce.com. Tokens go nowhere else."},
		remote.Plaintext,
		{Name: "clientID", Type: connector.TypeText, Required: true, Text: "Consumer key of the external client app (or connected app)."},
		{Name: "clientSecret", Type: connector.TypeSecret, Text: "Consumer secret, for the client credentials flow."},
		{Name: "username", Type: connector.TypeText, Text: "Instead of clientSecret, for the JWT bearer flow: the user of the connection."},
		{Name: "privateKey", Type: connector.TypeSecret, Text: "With username: the private key in PEM whose certificate the app has."},
		{Name: "audience", Type: connector.TypeText, Default: "https://login.salesforce.com", Text: "With username: who the assertion is for. Sandboxes take https://test.salesforce.com."},
		{Name: "apiVersion", Type: connector.TypeText, Default: "v62.0", Text: "Version of the REST API."},
		{Name: "externalID", Type: connector.TypeText, Default: "FederationIdentifier", Text: "Field of User that holds the person ID. If single sign-on finds people by FederationIdentifier and it holds something else, use EmployeeNumber or a custom field."},
		{Name: "usernameSuffix", Type: connector.TypeText, Text: "What is appended to usernames without @, such as @example.com.crm."},
		{Name: "profile", Type: connector.TypeText, Text: "Profile of new users for whom policy sets no attribute Profile."},
		{Name: "timeZone", Type: connector.TypeText, Default: "GMT", Text: "TimeZoneSidKey of new users."},
		{Name: "locale", Type: connector.TypeText, Default: "en_US", Text: "LocaleSidKey of new users."},
		{Name: "language", Type: connector.TypeText, Default: "en_US", Text: "LanguageLocaleKey of new users."},
		{Name: "emailEncoding", Type: connector.TypeText, Default: "UTF-8", Text: "EmailEncodingKey of new users."},
		{Name: "fields", Type: connector.TypeTexts, Text: "Further fields of User that policy may map, such as CostCentre__c or UserPermissionsMarketingUser."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "SOQL on User for all keys at once, with UserLogin and the assignments of whom it finds; on UserPermissionAccess if it finds nobody"},
		{Op: connector.OpRead, Calls: "SOQL on User, UserLogin, PermissionSetLicenseAssign, PermissionSetAssignment, GroupMember"},
		{Op: connector.OpCheck, Calls: "SOQL on Organization"},
		{Op: connector.OpProbe, Calls: "SOQL on UserPermissionAccess, User, UserLogin, AuthSession, OauthToken, Profile"},
		{Op: connector.OpList, Calls: "SOQL on User by pages; on UserLogin and the assignments for each 400 users"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "SOQL on PermissionSetLicense, PermissionSet, PermissionSetGroup, Group, UserLicense"},
		{Op: connector.OpCreate, Calls: "SOQL on Profile (remembered for a minute); POST User; SOQL on User and UserLogin"},
		{Op: connector.OpAdopt, Calls: "SOQL on User; PATCH User"},
		{Op: connector.OpUpdate, Calls: "PATCH User; SOQL on Profile or UserRole if policy maps them"},
		{Op: connector.OpRelabel, Calls: "SOQL on User; PATCH User"},
		{Op: connector.OpGrant, Calls: "for each name: SOQL on what it stands for (remembered for a minute); POST the assignment"},
		{Op: connector.OpRevoke, Calls: "SOQL on the assignments; DELETE each"},
		{Op: connector.OpDisable, Calls: "SOQL on UserLogin; PATCH UserLogin IsFrozen; PATCH User IsActive; as revoke_sessions if Salesforce refuses that"},
		{Op: connector.OpEnable, Calls: "PATCH User IsActive; SOQL on UserLogin; PATCH UserLogin IsFrozen"},
		{Op: connector.OpRevokeSessions, Calls: "SOQL on AuthSession and OauthToken; DELETE each session; POST /services/oauth2/revoke for each token; SOQL on both again, or on User if there were none"},
	},
	Attributes:      attributeNames(),
	OtherAttributes: "Any field of User that the setting fields names.",
	Foresee:         foresee,
	LongestUsername: 80, // of User.Username, in the Object Reference

	Unreached: "Salesforce",
	LastUse:   lastUse,
	Connect:   connect,
}

var (
	versionForm = regexp.MustCompile(`^v[1-9][0-9]\.0$`)
	fieldForm   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	suffixForm  = regexp.MustCompile(`^[A-Za-z0-9._-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := remote.BaseURL(settings, "url")
	if base != nil && base.Path != "" {
		settings.Reject("url", "must have no path: give the My Domain URL of the org")
	}
	for name, form := range map[string]struct {
		pattern *regexp.Regexp
		want    string
	}{
		"apiVersion":     {versionForm, "must look like v62.0"},
		"externalID":     {fieldForm, "must be the API name of a field"},
		"usernameSuffix": {suffixForm, "must look like @example.com"},
	} {
		if text := settings.Text(name); text != "" && !form.pattern.MatchString(text) {
			settings.Reject(name, form.want)
		}
	}
	further := settings.Texts("fields")
	if slices.ContainsFunc(further, func(name string) bool { return !fieldForm.MatchString(name) }) {
		settings.Reject("fields", "must hold the API names of fields")
	}
	timeout := settings.Duration("timeout")
	api := rest.New(vendor, timeout)
	api.Base, api.Pace, api.Pause = rest.At(base), env.Pace, env.Pause
	api.Credentials = credentialsIn(settings, base, timeout)
	c := &client{
		api: api, data: "/services/data/" + settings.Text("apiVersion"),
		externalID: settings.Text("externalID"), suffix: settings.Text("usernameSuffix"),
		defaults: map[string]string{
			"Profile": settings.Text("profile"), "TimeZoneSidKey": settings.Text("timeZone"), "LocaleSidKey": settings.Text("locale"),
			"LanguageLocaleKey": settings.Text("language"), "EmailEncodingKey": settings.Text("emailEncoding"),
		},
	}
	c.fields, c.pages.Fetch = fieldsOf(c.externalID, further), c.fetch
	return c, nil
}

// credentialsIn reads the credentials from the settings: a client's secret, or a key that signs
// assertions about a user. Salesforce does not say when a token expires, so each is kept until
// it is refused.
func credentialsIn(settings *connector.Values, base *url.URL, timeout time.Duration) credentials.Credentials {
	client := credentials.Client{URLSetting: "url", ID: settings.Text("clientID")}
	if base != nil {
		client.URL = base.String() + "/services/oauth2/token"
	}
	switch {
	case settings.Has("username") && settings.Has("clientSecret"):
		settings.Reject("clientSecret", "cannot be together with username")
	case settings.Has("username"):
		if !settings.Has("privateKey") {
			settings.Reject("privateKey", "is missing: it goes with username")
			break
		}
		key := credentials.Key{Setting: "privateKey", PEM: settings.Secret("privateKey")}
		if problem := key.Check(); problem != "" {
			settings.Reject("privateKey", problem)
		}
		client.Settings = "clientID, username, privateKey and audience"
		client.Proof = key.Grant(credentials.Claims{Issuer: client.ID, Subject: settings.Text("username"), Audience: settings.Text("audience")})
	case settings.Has("clientSecret"):
		client.Settings = "clientID and clientSecret"
		client.Proof = credentials.Secret("clientSecret", settings.Secret("clientSecret"), nil)
	default:
		settings.Reject("clientSecret", "is missing: give it, or username and privateKey")
	}
	return credentials.NewTokens(client, timeout)
}

// standard lists the fields of User that policy can map without the setting fields. Every org
// has them. Profile and UserRole stand for names in place of IDs.
var standard = []string{
	"FirstName", "LastName", "Email", "Alias", "CommunityNickname", "Title", "Department", "Division", "CompanyName",
	"EmployeeNumber", "FederationIdentifier", "Phone", "MobilePhone", "Fax", "Extension",
	"Street", "City", "State", "PostalCode", "Country",
	"TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey", "EmailEncodingKey", "Profile", "UserRole",
}

func attributeNames() []string { return slices.Sorted(slices.Values(standard)) }

// fieldsOf returns the fields that policy can map: those of every org and the further ones,
// without those that Tenure sets by itself.
func fieldsOf(externalID string, further []string) []string {
	fields := slices.Concat(standard, further)
	slices.Sort(fields)
	return slices.DeleteFunc(slices.Compact(fields), func(name string) bool {
		return strings.EqualFold(name, externalID) || slices.Contains([]string{"Id", "Username", "IsActive", "CreatedDate", "LastLoginDate"}, name)
	})
}

func foresee(settings *connector.Values) connector.Foresight {
	f := connector.Foresight{Required: []string{"Email", "LastName"}}
	if !settings.Has("profile") {
		f.Required = append(f.Required, "Profile")
	}
	if !settings.Withholds("fields") && !settings.Withholds("externalID") {
		fields := fieldsOf(settings.Text("externalID"), settings.Texts("fields"))
		f.Attribute = func(name string) string {
			if slices.Contains(fields, name) {
				return ""
			}
			return "is no field that this app maps" + nearest.Hint(name, fields) + "; add others to the setting fields"
		}
	}
	f.Entitlement = func(name string) string {
		if strings.HasPrefix(name, profileLicence) {
			return "cannot be granted: " + withProfile
		}
		return ""
	}
	return f
}

// withDefaults returns the attributes of a new user, with the defaults of those that are empty.
func (c *client) withDefaults(attributes map[string]any) map[string]any {
	all := maps.Clone(attributes)
	if all == nil {
		all = map[string]any{}
	}
	for name, value := range c.defaults {
		if connector.SameValue(all[name], nil) {
			all[name] = value
		}
	}
	return all
}
