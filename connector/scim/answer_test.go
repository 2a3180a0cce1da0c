package scim

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNamedIn(t *testing.T) {
	for detail, want := range map[string]struct {
		name    string
		missing bool
	}{
		"":                        {},
		"Bad Request":             {},
		"userName must be unique": {name: "userName"},
		"Required attribute 'emails' is missing.":  {"emails", true},
		"Missing mandatory field: name.familyName": {"name.familyName", true},
		`property "familyName" cannot be blank`:    {"familyName", true},
		"User.Emails is required":                  {"emails", true},
		"EMAILS[0].VALUE IS MANDATORY":             {"emails", true},
		"the attribute urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter is read-only": {name: "costCenter"},
		"invalid value for field title":                  {name: "title"},
		"displayName must have at most 20 characters":    {name: "displayName"},
		"Eve Title could not be saved":                   {}, // may be somebody's name
		"ada.lovelace@example.com is not valid":          {},
		"Anna Required is missing":                       {},
		"attribute fancy is not known":                   {},
		"constraint violation at users.externalid_idx":   {name: "externalId"},
		"phoneNumbers not provided for Bo Active":        {"phoneNumbers", true},
		"The field department contains Active Directory": {name: "department"},
	} {
		name, missing := namedIn(detail)
		assert.Equal(t, want.name, name, detail)
		assert.Equal(t, want.missing, missing, detail)
	}
}
