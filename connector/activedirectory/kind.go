package activedirectory

import (
	"context"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

const defaultExternalID = "employeeID"

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "activedirectory",
	Summary: "Microsoft Active Directory Domain Services, by LDAP over TLS",
	About:   about,
	Settings: append(slices.Clone(directory.Settings),
		connector.Setting{Name: "people", Type: connector.TypeText, Required: true, Text: "DN below which accounts are looked for, such as \"OU=People,DC=corp,DC=example,DC=com\"."},
		connector.Setting{Name: "createIn", Type: connector.TypeText, Text: "DN of the OU in which new accounts are created, and to which accounts return from leavers. Default: people."},
		connector.Setting{Name: "leavers", Type: connector.TypeText, Text: "DN of the OU, below people, to which disabled accounts are moved. Default: they stay where they are."},
		connector.Setting{Name: "upnSuffix", Type: connector.TypeText, Text: "What follows the username and \"@\" in userPrincipalName. Default: the domain's name, from people."},
		connector.Setting{Name: "externalID", Type: connector.TypeText, Default: defaultExternalID, Text: "Attribute that holds the person ID. employeeID holds 16 characters, employeeNumber 512."},
		connector.Setting{Name: "employeeNumber", Type: connector.TypeText, Text: "Attribute by which accounts are found by employee number, such as \"employeeNumber\". Default: they are not found by it."},
		connector.Setting{Name: "email", Type: connector.TypeText, Text: "Attribute by which accounts are found by email address, such as \"mail\". Default: they are not found by it."},
		connector.Setting{Name: "groups", Type: connector.TypeText, Text: "DN below which groups are entitlements. Default: the whole domain."},
		connector.Setting{Name: "groupName", Type: connector.TypeText, Default: "sAMAccountName", Choices: []string{"sAMAccountName", "cn"}, Text: "Attribute that names a group in policies; sAMAccountName is unique in a domain."},
		connector.Setting{Name: "attributes", Type: connector.TypeTexts, Text: "Additional attributes that can be mapped, such as \"extensionAttribute1\"."},
		connector.Setting{Name: "recycleBin", Type: connector.TypeDuration, Text: "How long a deleted account can be restored (msDS-deletedObjectLifetime), if the AD Recycle Bin is enabled. Default: it is not enabled, and deleting is for good."},
	),
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "search by the external ID, then employee number, sAMAccountName, email; then groups by member"},
		{Op: connector.OpRead, Calls: "search by objectGUID; groups by member"},
		{Op: connector.OpCheck, Calls: "Who am I? (RFC 4532)"},
		{Op: connector.OpProbe, Calls: "search for allowedAttributesEffective and allowedChildClassesEffective"},
		{Op: connector.OpList, Calls: "search for groups, then accounts, by pages"},
		{Op: connector.OpListEntitlements, Calls: "search for groups, by pages"},
		{Op: connector.OpCreate, Calls: "add, disabled; read; modify unicodePwd and userAccountControl at once"},
		{Op: connector.OpAdopt, Calls: "read; modify: add the external ID"},
		{Op: connector.OpUpdate, Calls: "read; modify"},
		{Op: connector.OpRelabel, Calls: "read; modify sAMAccountName, userPrincipalName and the external ID; rename, if cn was the username"},
		{Op: connector.OpGrant, Calls: "read; search for groups; modify: add to member of each"},
		{Op: connector.OpRevoke, Calls: "read; search for groups; modify: delete from member of each"},
		{Op: connector.OpDisable, Calls: "read; modify bit 2 of userAccountControl; move, if leavers is set"},
		{Op: connector.OpEnable, Calls: "read; move back; modify bit 2 of userAccountControl"},
		{Op: connector.OpResetCredentials, Calls: "read; modify replace unicodePwd"},
		{Op: connector.OpDelete, Calls: "read; delete"},
	},
	LongestUsername: maxUsername,
	Attributes:      attributeNames(),
	OtherAttributes: "Those that the setting `attributes` names.",
	Foresee:         foresee,

	Unreached: "a domain controller of Microsoft's",
	LastUse:   lastUse,
	Whole:     whole,
	Connect:   connect,
}

const about = "**Rights.** Give Tenure an account of its own, not a domain administrator's. `bindDN` is its DN or userPrincipalName. On the OUs of accounts, delegate to it: create and delete user objects, reset passwords, read and write all properties of user objects. On the OUs of groups: modify the membership. `tenure app test NAME` checks whether it has these rights.\n" +
	"\n" +
	"**Domain controller.** Name one writable domain controller, or several of one site; Tenure uses the first that answers. A change on one reaches the others a little later.\n" +
	"\n" +
	"**Encryption.** Use `ldaps://`, or `ldap://` with `startTLS`: Active Directory accepts passwords only over encrypted connections. Unencrypted ones are always refused, even with `plaintext: true`.\n" +
	"\n" +
	"**Names.** The username becomes sAMAccountName, cn and, with `upnSuffix`, userPrincipalName. It may have 20 characters, and none of `\" / \\ [ ] : | < > + = ; ? , * @`. Accounts are linked by objectGUID, so you may rename and move them. In a large domain, index `externalID` and the other attributes by which accounts are found.\n" +
	"\n" +
	"**Adopted accounts** get a new random password, unless the operator keeps the credentials. For this the account that Tenure binds as needs the right to reset passwords.\n" +
	"\n" +
	"**New accounts** have a random password that nobody keeps: the person gets one by a reset (self-service or helpdesk). Tenure adds an account disabled, and enables it, if it should be enabled, in the same change that sets the password. So no account is ever enabled without a password.\n" +
	"\n" +
	"**What disabling does.** Tenure sets one bit (2) of userAccountControl, and only if nobody changed the other bits meanwhile. New sign-ins fail at once on that domain controller, and on the others once they have replicated the change. Active Directory cannot end sessions: a Kerberos ticket works until it expires (ten hours by default; a domain controller checks the account again when a ticket-granting ticket older than 20 minutes is used), and so do open sessions on machines. If that is too long, shorten the lifetime of tickets, or end sessions in the applications. To reset the password does not help: the old one still works for an hour with NTLM, and for binds on some servers. Expiry (accountExpires) and lockout are not disabling: an expired account shows as enabled.\n" +
	"\n" +
	"**Expiry.** You can map the attribute accountExpires: to a day such as \"2026-11-30\", at the end of which (UTC) the account expires, to a time, or to nothing for never.\n" +
	"\n" +
	"**Manager.** Map the attribute manager to `manager.account`.\n" +
	"\n" +
	"**Protected accounts.** Tenure never matches, lists or changes accounts with adminCount 1 (AdminSDHolder: present and past members of Domain Admins and similar groups), Active Directory's own (Administrator, Guest, krbtgt), computers, service accounts and trusts. If a linked account becomes protected, its steps fail, and the error says what to do. Groups with adminCount 1 are not granted.\n" +
	"\n" +
	"**Groups** below `groups` are entitlements if the account is a direct member. The primary group (Domain Users) and other groups that Active Directory created itself are not.\n" +
	"\n" +
	"**Leavers' OU.** Tenure moves a disabled account to `leavers`, and an account that is enabled again from there to `createIn`. Do not rely on that OU's policies for security, because the move comes after the disabling.\n" +
	"\n" +
	"**Deleting** removes the account's SID, and with it all rights that were granted to it. A new account of the same name does not have them. With the AD Recycle Bin an administrator can restore the account as it was."

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	config := directory.Read(settings)
	config.Pace = env.Pace
	for _, u := range config.URLs {
		if u.Scheme == "ldap" && !config.StartTLS {
			settings.Reject("url", "is not encrypted: use ldaps://, or set startTLS; Active Directory takes passwords no other way")
		}
	}
	c := &client{
		directory:      directory.New(config),
		people:         settings.Text("people"),
		createIn:       settings.Text("createIn"),
		leavers:        settings.Text("leavers"),
		groups:         settings.Text("groups"),
		upnSuffix:      settings.Text("upnSuffix"),
		externalID:     settings.Text("externalID"),
		employeeNumber: settings.Text("employeeNumber"),
		email:          settings.Text("email"),
		groupName:      settings.Text("groupName"),
		shapes:         shapesOf(settings.Texts("attributes")),
		recycleBin:     settings.Duration("recycleBin"),
	}
	c.complete(settings)
	c.review(settings)
	return c, nil
}

// complete derives the settings that are missing from people.
func (c *client) complete(settings *connector.Values) {
	domain, name := domainOf(c.people)
	if domain == "" {
		settings.Reject("people", `must be a DN in a domain, such as "OU=People,DC=corp,DC=example,DC=com"`)
		return
	}
	for _, setting := range []struct {
		value    *string
		fallback string
	}{{&c.createIn, c.people}, {&c.groups, domain}, {&c.upnSuffix, name}} {
		if *setting.value == "" {
			*setting.value = setting.fallback
		}
	}
}

// domainOf returns the DN and the name of the domain that a DN is in; empty if it is in none.
func domainOf(dn string) (domain, name string) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", ""
	}
	var parts, labels []string
	for _, rdn := range parsed.RDNs {
		if first := rdn.Attributes[0]; strings.EqualFold(first.Type, "DC") {
			parts, labels = append(parts, "DC="+first.Value), append(labels, first.Value)
		}
	}
	return strings.Join(parts, ","), strings.Join(labels, ".")
}

// review rejects settings that contradict each other.
func (c *client) review(settings *connector.Values) {
	for _, within := range []struct{ setting, dn string }{{"createIn", c.createIn}, {"leavers", c.leavers}} {
		if within.dn != "" && !directory.IsBelow(within.dn, c.people) {
			settings.Reject(within.setting, "must be people or below it, or its accounts would not be found")
		}
	}
	if c.leavers != "" && directory.IsBelow(c.createIn, c.leavers) {
		settings.Reject("createIn", "must not be leavers or below it: accounts that are enabled again come there")
	}
	if _, err := ldap.ParseDN(c.groups); err != nil {
		settings.Reject("groups", "must be a DN")
	}
	if strings.ContainsAny(c.upnSuffix, "@ ") {
		settings.Reject("upnSuffix", `must be a name such as "corp.example.com", without "@"`)
	}
	for _, name := range settings.Texts("attributes") {
		if slices.Contains(own, strings.ToLower(name)) {
			settings.Reject("attributes", "holds one that Tenure sets itself, or that gives rights: it cannot be mapped")
		}
	}
	for _, name := range []string{"externalID", "employeeNumber", "email"} {
		if slices.Contains(own, strings.ToLower(settings.Text(name))) {
			settings.Reject(name, "must not be an attribute that Active Directory or Tenure needs for something else")
		}
	}
}
