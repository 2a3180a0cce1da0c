package entra

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/remote"
)

const (
	defaultExternalID = "employeeId"
	// syncInterval is when to look again for a change that was made in Active Directory.
	// Entra Connect synchronizes every 30 minutes unless it is set otherwise
	// (learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-sync-feature-scheduler).
	syncInterval = 10 * time.Minute
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "entra",
	Summary: "Microsoft Entra ID and Microsoft 365, by Microsoft Graph",
	About:   about,
	Settings: append([]connector.Setting{
		{Name: "tenant", Type: connector.TypeText, Required: true, Text: "Directory (tenant) ID, or a domain of the tenant."},
		{Name: "clientID", Type: connector.TypeText, Required: true, Text: "Application (client) ID of the app registration."},
		{Name: "clientSecret", Type: connector.TypeSecret, Text: "Client secret of the app registration."},
		{Name: "certificate", Type: connector.TypeSecret, Text: "Instead of clientSecret: the certificate and its unencrypted private key, both in PEM."},
		{Name: "url", Type: connector.TypeText, Default: "https://graph.microsoft.com", Text: "Microsoft Graph; in a national cloud \"https://graph.microsoft.us\", \"https://dod-graph.microsoft.us\" or \"https://microsoftgraph.chinacloudapi.cn\"."},
		{Name: "loginURL", Type: connector.TypeText, Default: "https://login.microsoftonline.com", Text: "Where tokens come from; in a national cloud \"https://login.microsoftonline.us\" or \"https://login.chinacloudapi.cn\"."},
		remote.Plaintext,
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
		{Name: "domain", Type: connector.TypeText, Text: "What follows the username and \"@\" in userPrincipalName: a verified domain. Default: usernames are whole userPrincipalNames."},
		{Name: "externalID", Type: connector.TypeText, Default: defaultExternalID, Text: "Property that holds the person ID: employeeId (16 characters), or a directory extension (\"extension_APPID_NAME\", 256 characters)."},
		{Name: "employeeNumber", Type: connector.TypeText, Choices: []string{defaultExternalID}, Text: "Property by which accounts are found by employee number, if externalID is another one. Default: they are not found by it."},
		{Name: "usageLocation", Type: connector.TypeText, Text: "Country (ISO 3166, two letters) of new accounts for which usageLocation is not mapped. A licence needs one."},
		{Name: "licences", Type: connector.TypeBool, Default: true, Text: "Whether licences are entitlements (\"licence:SKUPARTNUMBER\")."},
		{Name: "withoutPlans", Type: connector.TypeMap, Text: "Service plans to leave out of a licence that Tenure gives, by its name, as in \"{ENTERPRISEPACK: 'SWAY, YAMMER_ENTERPRISE'}\"."},
		{Name: "roles", Type: connector.TypeBool, Text: "Whether directory roles are entitlements (\"role:NAME\"). It needs a right by which the app registration can make anybody an administrator."},
		{Name: "resetCredentials", Type: connector.TypeBool, Default: true, Text: "Whether adopted accounts get a new password and lose their authentication methods. It needs rights of its own."},
		{Name: "disableDevices", Type: connector.TypeBool, Text: "Whether the devices that are registered by a leaver are disabled, when their sessions are revoked. Enabling the account does not enable them."},
		{Name: "takeAppRoles", Type: connector.TypeBool, Text: "Whether the apps that are assigned to an account directly are taken before it is deleted. It needs a right by which the app registration can give itself any other."},
		{Name: "lastSignIn", Type: connector.TypeBool, Text: "Whether accounts show when somebody last signed in. It needs Entra ID P1."},
		{Name: "syncedFrom", Type: connector.TypeText, Text: "The app that is the Active Directory from which accounts come. Changes to these accounts wait until they arrive from there. Default: they fail."},
	}, handOver...),
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /users?$filter= by the external ID, then employeeId, userPrincipalName, mail; or GET /users/{id}; then as read"},
		{Op: connector.OpRead, Calls: "GET /users/{id}; GET /users/{id}/memberOf; with roles: GET /roleManagement/directory/roleAssignments"},
		{Op: connector.OpCheck, Calls: "GET /users?$top=1"},
		{Op: connector.OpProbe, Calls: "GET of users, groups, licences and roles; changes of a user and a group that do not exist"},
		{Op: connector.OpList, Calls: "GET /groups and /groups/{id}/members, then GET /users, by pages"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET /groups by pages, /roleManagement/directory/roleDefinitions, /subscribedSkus"},
		{Op: connector.OpCreate, Calls: "POST /users; GET /users/{id}"},
		{Op: connector.OpAdopt, Calls: "GET and PATCH /users/{id}"},
		{Op: connector.OpUpdate, Calls: "PATCH /users/{id}, before that GET /users/{id} if displayName, mailNickname or usageLocation is empty; PUT or DELETE /users/{id}/manager/$ref"},
		{Op: connector.OpRelabel, Calls: "GET and PATCH /users/{id}"},
		{Op: connector.OpGrant, Calls: "GET /groups?$filter=displayName eq (remembered for a minute) and POST /groups/{id}/members/$ref; POST /roleManagement/directory/roleAssignments; GET /users/{id} and POST /users/{id}/assignLicense"},
		{Op: connector.OpRevoke, Calls: "GET /users/{id}/memberOf and DELETE /groups/{id}/members/{id}/$ref; GET and DELETE of role assignments; POST /users/{id}/assignLicense"},
		{Op: connector.OpDisable, Calls: "PATCH /users/{id} accountEnabled false"},
		{Op: connector.OpEnable, Calls: "PATCH /users/{id} accountEnabled true"},
		{Op: connector.OpRevokeSessions, Calls: "POST /users/{id}/revokeSignInSessions; with disableDevices: GET /users/{id}/registeredDevices, PATCH /devices/{id}"},
		{Op: connector.OpResetCredentials, Calls: "PATCH /users/{id} passwordProfile; GET /users/{id}/authentication/methods, and DELETE of each but the password"},
		{Op: connector.OpDelete, Calls: "GET /users/{id}; with takeAppRoles: GET and DELETE of /users/{id}/appRoleAssignments; DELETE /users/{id}"},
		{Op: connector.OpRestore, Calls: "POST /directory/deletedItems/{id}/restore"},
	},
	LongestUsername: longestUsername,
	Attributes:      attributeNames(),
	Foresee:         foresee,

	Unreached: "Microsoft Graph",
	LastUse:   lastUse,
	Connect:   connect,
}

// longestUsername is how long a userPrincipalName may be: 64 characters, the "@" and 48 of the
// domain (learn.microsoft.com/entra/identity/authentication/concept-sspr-policy).
const longestUsername = 113

const about = "[apps/entra.md](apps/entra.md) says what to click, which rights are the least, and what becomes of a leaver.\n" +
	"\n" +
	"**Keys.** The person ID is kept in `externalID`. Accounts are found by it, and otherwise by userPrincipalName and mail.\n" +
	"\n" +
	"**Time.** For minutes after a change, Entra ID may answer as if there had been none. A step that does not see its effect yet looks again.\n" +
	"\n" +
	"**Entitlements** are security and Microsoft 365 groups with assigned members, by their display names; licences (`licence:SKUPARTNUMBER`, as in `licence:SPE_E3`); and with `roles` directory roles (`role:NAME`, or `role:NAME@SCOPE` for a scope below the tenant, such as `role:User Administrator@/administrativeUnits/ID`). A group whose name another group has, or that begins with these prefixes, cannot be granted. Nor can groups with dynamic members, those of Exchange (distribution lists, mail-enabled security groups) and those from Active Directory. A licence that comes from a group is shown as `licence:NAME (by GROUP)`, and one that Microsoft could not give as `licence:NAME (not given: REASON)`; neither counts as granted.\n" +
	"\n" +
	"**Manager.** Map the attribute manager to `manager.account`.\n" +
	"\n" +
	"**New accounts** have a random password that nobody keeps: the person gets in by a Temporary Access Pass or a reset.\n" +
	"\n" +
	"**What disabling does.** Tenure sets accountEnabled to false and revokes sign-in sessions. Access tokens work until they expire, about an hour, except in apps with continuous access evaluation (Exchange, SharePoint, Teams). Cookies of apps and sessions of devices may live longer: see `disableDevices`.\n" +
	"\n" +
	"**Administrators.** Entra ID lets an app disable, delete or reset a person with an administrative role only if the app itself has a directory role that is as high.\n" +
	"\n" +
	"**Accounts from Active Directory** show the attribute onPremisesSyncEnabled. They are changed there: with `syncedFrom`, a step waits until the change has arrived, and without, it fails. Groups, licences, roles and sessions are Entra ID's own, and change here.\n" +
	"\n" +
	"**Mailbox and OneDrive.** Graph cannot forward a mailbox or make it a shared one. With `assignee`, a human is asked to hand over the data, before the account is deleted.\n" +
	"\n" +
	"**Deleting** moves the account to the recycle bin for 30 days. Until then it can be restored, with its groups and licences."

// handOver holds the settings by which humans are asked to hand over data.
var handOver = connector.AskSettings(false)

var (
	tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	domainName = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
	extension  = regexp.MustCompile(`^extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]+$`)
	country    = regexp.MustCompile(`^[A-Z]{2}$`)
)

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	for name, form := range map[string]struct {
		pattern *regexp.Regexp
		why     string
	}{
		"tenant":        {tenantName, "must be the tenant's ID or one of its domains"},
		"domain":        {domainName, `must be a domain such as "example.com", without "@"`},
		"usageLocation": {country, `must be two capital letters, such as "DE"`},
	} {
		if value := settings.Text(name); value != "" && !form.pattern.MatchString(value) {
			settings.Reject(name, form.why)
		}
	}
	c := &client{
		tenant: settings.Text("tenant"), domain: settings.Text("domain"), externalID: settings.Text("externalID"),
		employeeNumber: settings.Text("employeeNumber"), usageLocation: settings.Text("usageLocation"), syncedFrom: settings.Text("syncedFrom"),
		withoutPlans: settings.Map("withoutPlans"), asks: settings.Has("assignee"), ask: connector.ReadAsk(settings),
		roles: settings.Bool("roles"), licences: settings.Bool("licences"), lastSignIn: settings.Bool("lastSignIn"),
		devices: settings.Bool("disableDevices"), resets: settings.Bool("resetCredentials"), appRoles: settings.Bool("takeAppRoles"),
	}
	switch {
	case c.externalID != defaultExternalID && !extension.MatchString(c.externalID):
		settings.Reject("externalID", `must be employeeId, or a directory extension such as "extension_0123456789abcdef0123456789abcdef_personId": look-ups by other properties lag`)
	case c.employeeNumber == c.externalID:
		settings.Reject("employeeNumber", "must be another property than externalID")
	case c.syncedFrom == env.App && env.App != "":
		settings.Reject("syncedFrom", "must be another app")
	}
	timeout := settings.Duration("timeout")
	base, tokens := remote.BaseURL(settings, "url"), tokensIn(settings, timeout)
	if base == nil || tokens == nil {
		return c, nil
	}
	c.api, c.pages.Gather, c.pages.Fetch = rest.New(graph, timeout), c.holdings, c.fetch
	c.api.Base, c.api.Credentials, c.api.Pace, c.api.Pause = rest.At(base.JoinPath("v1.0")), tokens, env.Pace, env.Pause
	return c, nil
}

// tokensIn reads the credentials (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-
// creds-grant-flow). The audience of an assertion is the token endpoint (learn.microsoft.com/
// entra/identity-platform/certificate-credentials).
func tokensIn(settings *connector.Values, timeout time.Duration) credentials.Credentials {
	login := remote.BaseURL(settings, "loginURL")
	if settings.Has("clientSecret") == settings.Has("certificate") {
		settings.Reject("clientSecret", "is missing: give it, or certificate, and not both")
		return nil
	}
	if login == nil {
		return nil
	}
	client := credentials.Client{
		URL: login.JoinPath(settings.Text("tenant"), "oauth2/v2.0/token").String(), URLSetting: "loginURL", ID: settings.Text("clientID"),
		Scopes: []string{strings.TrimRight(settings.Text("url"), "/") + "/.default"},
		Proof:  credentials.Secret("clientSecret", settings.Secret("clientSecret"), nil), Settings: "tenant, clientID and clientSecret",
	}
	if settings.Has("certificate") {
		key := credentials.Key{Setting: "certificate", PEM: settings.Secret("certificate")}
		if text, err := key.PEM.Reveal(); err == nil && key.Check() == "" && !strings.Contains(text, "-----BEGIN CERTIFICATE-----") {
			settings.Reject("certificate", "must hold the certificate too, which names the key")
		}
		if problem := key.Check(); problem != "" {
			settings.Reject("certificate", problem)
		}
		client.Proof = key.Assertion(credentials.Claims{Issuer: client.ID, Subject: client.ID, Audience: client.URL})
		client.Settings = "tenant, clientID and certificate"
	}
	return credentials.NewTokens(client, timeout)
}

// foresee returns what policy can use in an app with these settings.
func foresee(settings *connector.Values) connector.Foresight {
	owner := settings.Text("externalID")
	return connector.Foresight{
		Attribute: func(name string) string {
			switch _, known := properties[name]; {
			case name == owner:
				return "cannot be mapped: it holds the person ID"
			case known:
				return ""
			}
			return "is no property of a user that can be mapped" + nearest.Hint(name, attributeNames())
		},
		Entitlement: func(name string) string {
			switch prefix, rest := split(name); {
			case prefix == rolePrefix && !settings.Bool("roles"):
				return "cannot be granted: directory roles are entitlements only if roles is true"
			case prefix == licencePrefix && !settings.Bool("licences"):
				return "cannot be granted: licences is false"
			case prefix == licencePrefix && strings.Contains(rest, " "):
				return "cannot be granted: a licence goes by its SKU part number, such as SPE_E3"
			}
			return ""
		},
	}
}
