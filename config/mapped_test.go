package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// apps is a configuration with one app of a kind, which everybody has.
func oneApp(app, grants string) string {
	return base + "apps:\n  wiki:\n    " + app + "\nroles: [{name: all, when: 'true', grants: [{app: wiki, entitlements: [" + grants + "]}]}]\n"
}

const (
	scimApp     = `connector: scim, settings: {url: "https://x", token: "${env:TOKEN}"`
	adApp       = `connector: activedirectory, settings: {url: "ldaps://x", bindDN: "CN=t,DC=x", password: "${env:TOKEN}", people: "OU=p,DC=x"`
	ldapApp     = `connector: ldap, settings: {url: "ldaps://x", bindDN: "cn=t,dc=x", password: "${env:TOKEN}", people: "ou=p,dc=x"`
	postgresApp = `connector: postgres, settings: {url: "postgres://t@x/db", password: "${env:TOKEN}"`
)

func TestLoadRefusesWhatNoAppCanDo(t *testing.T) {
	for name, test := range map[string]struct{ app, grants, want string }{
		"misspelt":            {scimApp + "}, attributes: {email: person.email}", "", `apps.wiki.attributes.email: is no attribute that SCIM has; did you mean "emails"?`},
		"other case":          {scimApp + "}, attributes: {displayname: person.id}", "", `did you mean "displayName"?`},
		"dotted":              {scimApp + "}, attributes: {name.givename: person.id}", "", `did you mean "name.givenName"?`},
		"core by schema":      {scimApp + `}, attributes: {"urn:ietf:params:scim:schemas:core:2.0:User:title": person.id}`, "", "full name"},
		"enterprise misspelt": {scimApp + `}, attributes: {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costcentre": person.id}`, "", "is no attribute that SCIM has"},
		"directory":           {adApp + "}, attributes: {departement: person.department}", "", `did you mean "department"?`},
		"directory's own":     {adApp + "}, attributes: {userAccountControl: person.id}", "", "cannot be mapped"},
		"ldap's own":          {ldapApp + "}, attributes: {userPassword: person.id}", "", "cannot be mapped"},
		"ldap's username":     {ldapApp + ", username: cn}, attributes: {CN: person.id}", "", "cannot be mapped"},
		"role":                {postgresApp + "}, attributes: {valid_until: person.id}", "", `did you mean "validUntil"?`},
		"parameter":           {postgresApp + `}, attributes: {"set.a b": person.id}`, "", "is no attribute of a role"},
		"not grantable":       {postgresApp + `, grantable: ["app_*", staff]}`, "staff, app_read, admins", `roles[0].grants[0].entitlements[2]: "admins" in app "wiki" cannot be granted`},
		"predefined":          {postgresApp + `, grantable: ["*"]}`, "pg_monitor", "cannot be granted"},
		"nothing grantable":   {postgresApp + "}", "staff", "cannot be granted"},
		"no groups":           {scimApp + ", groups: false}", "staff", "there are no groups"},
		"no values":           {scimApp + ", profile: slack}", `"role:admin"`, "neither roles nor entitlements"},
	} {
		t.Run(name, func(t *testing.T) {
			text := oneApp("{"+test.app+"}", test.grants)
			_, err := read(text)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "etc/tenure.yaml:1:1:", "the place is found")
			_, err = readFor(text)
			assert.ErrorContains(t, err, test.want, "without secrets, too")
		})
	}
	_, err := read(base + "person: {username: \"'adm' + 'in'\"}")
	require.ErrorContains(t, err, "person.username: is the same for everybody")
	_, err = read(base + "person: {email: \"'a@example.com'\"}")
	assert.ErrorContains(t, err, "person.email: is the same for everybody")
}

// What cannot be known before the app is asked is let through.
func TestLoadTakesWhatMayBe(t *testing.T) {
	for name, test := range map[string]struct{ app, grants string }{
		"extension":    {scimApp + `}, attributes: {"urn:example:2.0:User:badge": person.id, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter": person.id}`, `staff, "role:admin"`},
		"profile":      {scimApp + ", profile: salesforce, defaultEntitlement: x}, attributes: {emails: person.email, name.familyName: person.familyName}", `"entitlement:1", staff`},
		"named":        {adApp + ", attributes: [extensionAttribute1]}, attributes: {extensionAttribute1: person.id, manager: manager.account}", "anything"},
		"schema's own": {ldapApp + "}, attributes: {acmeBadgeNumber: person.id, 'mail;lang-de': person.email, surname: person.familyName, Mail: person.email}", "staff"},
		"grantable":    {postgresApp + `, grantable: [pg_monitor, "app_*"]}, attributes: {set.search_path: person.id, set.my.param: person.id, comment: person.id}`, "pg_monitor, app_x"},
		"any":          {"connector: memory, attributes: {whatever: person.id}", "staff"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := read(oneApp("{"+test.app+"}", test.grants))
			require.NoError(t, err)
			assert.Empty(t, cfg.Warnings)
		})
	}
}

func TestLoadWarns(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no role": {base + "apps: {wiki: {connector: memory}}", "etc/tenure.yaml:4:14: apps.wiki: no role grants it: nobody gets an account there"},
		"clear text": {oneApp(`{connector: scim, settings: {url: "https://x", token: s3cret}}`, ""),
			"etc/tenure.yaml:6:59: apps.wiki.settings.token: a secret is written here: refer to it by ${env:NAME} or ${file:PATH}"},
		"clear text within": {base + `apps: {dir: {connector: memory}, wiki: {connector: jit, settings: {directory: dir, inner: {connector: scim, settings: {url: "https://x", token: s3cret}}}}}` +
			"\nroles: [{name: all, when: 'true', grants: [{app: wiki}, {app: dir}]}]\n", "apps.wiki.settings.inner.settings.token: a secret is written here"},
		"clear text of a source": {"kafka: {brokers: [localhost:9092], topics: [{name: hr, source: rippling, settings: {url: 'https://x', token: s3cret}}]}\nledger: {url: sqlite:x}",
			"kafka.topics[0].settings.token: a secret is written here"},
		"kept apart, and nobody has it": {oneApp("{connector: memory}", "staff") + "duties: [{name: a, mode: detect, one: [{app: wiki, entitlements: [staff]}], other: [{app: wiki, entitlements: [staf]}]}]",
			`etc/tenure.yaml:8:112: duties[0].other[0].entitlements[0]: no role gives "staf" in "wiki": only who was given it otherwise is found; did you mean "staff"?`},
		"misspelt": {oneApp("{"+ldapApp+"}, attributes: {mial: person.email}}", ""), `apps.wiki.attributes.mial: is none of the usual attributes; did you mean "mail"?`},
		"required": {oneApp("{"+scimApp+", profile: aws-identity-center}, attributes: {name.givenName: person.givenName}}", ""),
			"apps.wiki.attributes: the app makes no account without name.familyName: map what is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := read(test.text)
			require.NoError(t, err)
			require.Len(t, cfg.Warnings, 1)
			assert.Contains(t, cfg.Warnings[0].Error(), test.want)
			assert.NotContains(t, cfg.Warnings[0].Error(), "s3cret")
		})
	}
}
