package ldap

import (
	"context"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "ldap",
	Summary: "OpenLDAP and other directories that speak LDAP (RFC 4511)",
	About:   whatToKnow,
	Settings: append(slices.Clone(directory.Settings),
		connector.Setting{Name: "people", Type: connector.TypeText, Required: true, Text: `DN below which people are, such as "ou=people,dc=example,dc=com". New entries are created directly below it.`},
		connector.Setting{Name: "peopleFilter", Type: connector.TypeText, Default: "(objectClass=inetOrgPerson)", Text: "Filter that selects the entries that are accounts (RFC 4515)."},
		connector.Setting{Name: "objectClasses", Type: connector.TypeTexts, Text: "Object classes of new entries. Default: inetOrgPerson."},
		connector.Setting{Name: "rdn", Type: connector.TypeText, Default: "uid", Text: "Attribute that names new entries, such as uid or cn."},
		connector.Setting{Name: "username", Type: connector.TypeText, Default: "uid", Text: "Attribute that holds the username."},
		connector.Setting{Name: "externalID", Type: connector.TypeText, Default: "employeeNumber", Text: "Single-valued attribute that holds the person ID."},
		connector.Setting{Name: "accountID", Type: connector.TypeText, Default: "entryUUID", Text: "Attribute with the identifier that the server gives each entry and never changes, such as entryUUID (RFC 4530) or nsUniqueId."},
		connector.Setting{Name: "employeeNumber", Type: connector.TypeText, Text: "Attribute by which accounts are found by employee number. Default: they are not found by it."},
		connector.Setting{Name: "email", Type: connector.TypeText, Text: "Attribute by which accounts are found by email address, such as mail. Default: they are not found by it."},
		connector.Setting{Name: "groups", Type: connector.TypeText, Text: `DN below which groups are. Default: there are no entitlements.`},
		connector.Setting{Name: "groupClass", Type: connector.TypeText, Default: "groupOfNames", Choices: []string{"groupOfNames", "groupOfUniqueNames", "posixGroup"}, Text: "Object class of the groups; it says which attribute holds the members."},
		connector.Setting{Name: "placeholder", Type: connector.TypeText, Text: "DN that becomes a member when the last member leaves a group that must not be empty. Default: the group's own DN."},
		connector.Setting{Name: "leavers", Type: connector.TypeText, Text: "DN below which disabled accounts are moved. Accounts that are enabled again are moved back to people. Default: they stay where they are."},
		connector.Setting{Name: "disableAttribute", Type: connector.TypeText, Default: "pwdAccountLockedTime", Text: "Attribute that disables an account, such as nsAccountLock or loginShell."},
		connector.Setting{Name: "disabledValue", Type: connector.TypeText, Default: "000001010000Z", Text: "Value of disableAttribute that disables an account. The default is a lock by password policy that never ends."},
		connector.Setting{Name: "enabledValue", Type: connector.TypeText, Text: "Value of disableAttribute of an enabled account. Default: it has no such attribute."},
	),
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "search people by accountID, externalID, employeeNumber, username, email; search groups by member"},
		{Op: connector.OpRead, Calls: "search people by accountID; search groups by member"},
		{Op: connector.OpCheck, Calls: "bind; Who am I? (RFC 4532)"},
		{Op: connector.OpProbe, Calls: "read the root DSE and the configured DNs; modify by deleting values that are not there"},
		{Op: connector.OpList, Calls: "search groups, search people, by pages (RFC 2696)"},
		{Op: connector.OpListEntitlements, Calls: "search groups by pages"},
		{Op: connector.OpCreate, Calls: "search people; add; read; search groups by member"},
		{Op: connector.OpAdopt, Calls: "search people; modify add externalID"},
		{Op: connector.OpRelabel, Calls: "search people; move, where the username names the entry; modify"},
		{Op: connector.OpUpdate, Calls: "search people; modify replace; read and modify DN where the entry's name changes"},
		{Op: connector.OpGrant, Calls: "search people, search groups; modify add member for each group"},
		{Op: connector.OpRevoke, Calls: "search people, search groups; modify delete member for each group"},
		{Op: connector.OpDisable, Calls: "search people; modify replace disableAttribute; with leavers: read and modify DN, and members of groups"},
		{Op: connector.OpEnable, Calls: "as disable"},
		{Op: connector.OpResetCredentials, Calls: "search people; modify replace userPassword"},
		{Op: connector.OpDelete, Calls: "search people, search groups by member; modify delete member for each group; delete"},
	},
	Attributes:      usual,
	OtherAttributes: "Any that the object classes allow.",
	Foresee:         foresee,

	LastUse: lastUse,
	Whole:   whole,
	Connect: connect,
}

const whatToKnow = "**Rights.** The bind DN needs to search people and groups, and to write entries below `people` and `leavers` (with `disableAttribute`) and the members of groups. The server must not limit how many entries a paged search returns to it (OpenLDAP: `olcLimits: ... size.prtotal=unlimited`), and must not lock it after wrong passwords. Index `username`, `externalID` and the groups' member attribute for equality.\n" +
	"\n" +
	"**Disabling** sets `disableAttribute`. The default is OpenLDAP's lock by password policy (`pwdAccountLockedTime: 000001010000Z`), which needs the ppolicy overlay, and a policy with `pwdLockout: TRUE` for people. It stops binds and nothing else: apps that only look an entry up must check the attribute too, or must not search the `leavers` OU. **An administrator who sets a new password unlocks the account**; it then shows as drifted. For servers without that overlay: `disableAttribute: nsAccountLock` and `disabledValue: \"true\"` (389 Directory Server), or `loginShell`, `/sbin/nologin` and `enabledValue: /bin/bash`.\n" +
	"\n" +
	"**With `leavers`**, Tenure moves a disabled entry below that DN. An entry that is enabled again moves directly below `people`, wherever it was before. Its memberships follow, whether or not the server has an overlay or plugin for that: Tenure adds the new DN to the groups before the move, and removes the old one after it. Some servers refuse this (389 Directory Server with Referential Integrity answers 20, type or value exists). There Tenure moves the entry first, and notes its old DN in the entry's `labeledURI` until all memberships have followed; if it is interrupted, the next change completes it. The same happens when an entry is renamed because its `rdn` attribute changes.\n" +
	"\n" +
	"**Groups** of the classes groupOfNames and groupOfUniqueNames must not be empty: when the last member leaves, Tenure adds `placeholder`, which stays. It is not an account, so nobody gets access by it. posixGroup holds usernames, and can be empty. Only direct memberships count, not those by nested or dynamic groups.\n" +
	"\n" +
	"**Adopted accounts** get a password that nobody knows, if the bind DN may write `userPassword`, and unless the operator keeps the credentials (`tenure app adopt --keep-credentials`). An entry with `{SASL}` there keeps its password.\n" +
	"\n" +
	"**New entries** have no password: nobody can log in until one is set. Map the attributes that the object classes require; cn and sn are the username if you do not map them. Spell attributes as the schema does. You cannot map passwords, object classes and the attributes that Tenure itself maintains. If `rdn` is not the username and an entry of the same name exists, Tenure adds the username to the new entry's RDN. If somebody who had this DN before left memberships behind, Tenure removes them."

func connect(_ context.Context, env connector.Env, v *connector.Values) (connector.Connector, error) {
	config := directory.Read(v)
	config.Pace = env.Pace
	classes := v.Texts("objectClasses")
	if len(classes) == 0 {
		classes = []string{"inetOrgPerson"}
	}
	c := &client{
		dir:            directory.New(config),
		people:         v.Text("people"),
		leavers:        v.Text("leavers"),
		filter:         v.Text("peopleFilter"),
		classes:        classes,
		rdn:            v.Text("rdn"),
		username:       v.Text("username"),
		externalID:     v.Text("externalID"),
		accountID:      v.Text("accountID"),
		employeeNumber: v.Text("employeeNumber"),
		email:          v.Text("email"),
		lock:           lock{attribute: v.Text("disableAttribute"), disabled: v.Text("disabledValue"), enabled: v.Text("enabledValue")},
	}
	check(v, c)
	if v.Has("groups") {
		c.groups = &groups{
			dir:         c.dir,
			base:        v.Text("groups"),
			class:       v.Text("groupClass"),
			member:      memberAttributes[v.Text("groupClass")],
			byName:      v.Text("groupClass") == "posixGroup",
			placeholder: v.Text("placeholder"),
		}
	}
	return c, nil
}

// check rejects settings that their types alone cannot rule out.
func check(v *connector.Values, c *client) {
	for _, name := range []string{"people", "leavers", "groups", "placeholder"} {
		if v.Has(name) && !directory.ValidDN(v.Text(name)) {
			v.Reject(name, `must be a DN, such as "ou=people,dc=example,dc=com"`)
		}
	}
	if !directory.ValidFilter(c.filter) {
		v.Reject("peopleFilter", `must be a filter, such as "(objectClass=inetOrgPerson)"`)
	}
	if c.leavers != "" && directory.IsBelow(c.people, c.leavers) {
		v.Reject("leavers", "must not be, or be above, people")
	}
	for _, name := range []string{"employeeNumber", "email", "username"} {
		if strings.EqualFold(v.Text(name), c.externalID) && !v.Withholds("externalID") {
			v.Reject(name, "must not be the attribute of externalID, which holds what Tenure put there")
		}
	}
	if strings.EqualFold(c.lock.disabled, c.lock.enabled) {
		v.Reject("enabledValue", "must not be disabledValue")
	}
}
