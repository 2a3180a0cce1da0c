package ldaptest

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/internal/directory"
)

// schema lists the attributes that entries may have (RFC 4519, RFC 2798, and the password policy
// of OpenLDAP).
var schema = []string{
	"objectClass", "cn", "sn", "givenName", "displayName", "uid", "mail", "title", "description", "departmentNumber",
	"employeeNumber", "employeeType", "telephoneNumber", "mobile", "ou", "l", "userPassword", "labeledURI",
	"manager", "member", "pwdAccountLockedTime", "entryUUID", "createTimestamp", "supportedControl",
}

// operational names the attributes that are shown only to those who ask for them.
var operational = []string{"entryuuid", "createtimestamp", "pwdaccountlockedtime"}

// single names attributes that have at most one value.
var single = []string{"employeenumber", "displayname", "pwdaccountlockedtime"}

// spelled returns an attribute's name as the schema spells it; empty if it is unknown.
func spelled(name string) string {
	for _, known := range schema {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return ""
}

// same reports whether two values of an attribute match by its matching rule.
func same(name, a, b string) bool {
	if name == "member" || name == "manager" {
		return directory.SameDN(a, b)
	}
	return strings.EqualFold(a, b)
}

// change carries out a request that changes something, and returns its result.
func (s *Server) change(request *ber.Packet) uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch request.Tag {
	case ldap.ApplicationAddRequest:
		return s.add(request)
	case ldap.ApplicationModifyRequest:
		return s.modify(request)
	case ldap.ApplicationModifyDNRequest:
		return s.move(request)
	case ldap.ApplicationDelRequest:
		return s.remove(text(request))
	}
	return ldap.LDAPResultProtocolError
}

func (s *Server) add(request *ber.Packet) uint16 {
	dn := text(request.Children[0])
	_, parent, err := directory.Split(dn)
	switch {
	case err != nil:
		return ldap.LDAPResultInvalidDNSyntax
	case s.find(dn) != nil:
		return ldap.LDAPResultEntryAlreadyExists
	case s.find(parent) == nil:
		return ldap.LDAPResultNoSuchObject
	}
	entry := Entry{}
	for _, attribute := range request.Children[1].Children {
		name, values := valuesOf(attribute)
		if code := entry.set(name, values); code != ldap.LDAPResultSuccess {
			return code
		}
	}
	if len(entry["cn"]) == 0 || len(entry["sn"]) == 0 {
		return ldap.LDAPResultObjectClassViolation
	}
	s.put(dn, entry)
	return ldap.LDAPResultSuccess
}

// modify makes all changes of a request, or none.
func (s *Server) modify(request *ber.Packet) uint16 {
	e := s.find(text(request.Children[0]))
	if e == nil {
		return ldap.LDAPResultNoSuchObject
	}
	changed := Entry{}
	for name, values := range e.at {
		changed[name] = slices.Clone(values)
	}
	for _, change := range request.Children[1].Children {
		how, _ := change.Children[0].Value.(int64)
		name, values := valuesOf(change.Children[1])
		if code := changed.change(how, name, values); code != ldap.LDAPResultSuccess {
			return code
		}
	}
	if slices.Contains(changed["objectclass"], "groupOfNames") && len(changed["member"]) == 0 {
		return ldap.LDAPResultObjectClassViolation
	}
	e.at = changed
	return ldap.LDAPResultSuccess
}

func (s *Server) move(request *ber.Packet) uint16 {
	e := s.find(text(request.Children[0]))
	if e == nil {
		return ldap.LDAPResultNoSuchObject
	}
	_, parent, _ := directory.Split(e.dn)
	if len(request.Children) > 3 {
		parent = text(request.Children[3])
	}
	dn := directory.Below(text(request.Children[1]), parent)
	switch taken := s.find(dn); {
	case s.find(parent) == nil:
		return ldap.LDAPResultNoSuchObject
	case taken != nil && taken != e:
		return ldap.LDAPResultEntryAlreadyExists
	}
	e.dn = dn
	return ldap.LDAPResultSuccess
}

func (s *Server) remove(dn string) uint16 {
	e := s.find(dn)
	if e == nil {
		return ldap.LDAPResultNoSuchObject
	}
	s.entries = slices.DeleteFunc(s.entries, func(other *held) bool { return other == e })
	return ldap.LDAPResultSuccess
}

// valuesOf returns an attribute of a request, by its name in lower case.
func valuesOf(attribute *ber.Packet) (name string, values []string) {
	for _, value := range attribute.Children[1].Children {
		values = append(values, text(value))
	}
	return strings.ToLower(text(attribute.Children[0])), values
}

// change makes one change of an attribute.
func (e Entry) change(how int64, name string, values []string) uint16 {
	has := func(value string) bool {
		return slices.ContainsFunc(e[name], func(v string) bool { return same(name, v, value) })
	}
	switch how {
	case ldap.AddAttribute:
		if slices.ContainsFunc(values, has) {
			return ldap.LDAPResultAttributeOrValueExists
		}
		return e.set(name, append(e[name], values...))
	case ldap.DeleteAttribute:
		if spelled(name) == "" {
			return ldap.LDAPResultUndefinedAttributeType
		}
		if len(e[name]) == 0 || slices.ContainsFunc(values, func(value string) bool { return !has(value) }) {
			return ldap.LDAPResultNoSuchAttribute
		}
		left := slices.DeleteFunc(e[name], func(v string) bool {
			return len(values) == 0 || slices.ContainsFunc(values, func(value string) bool { return same(name, v, value) })
		})
		return e.set(name, left)
	}
	return e.set(name, values)
}

func (e Entry) set(name string, values []string) uint16 {
	switch {
	case spelled(name) == "":
		return ldap.LDAPResultUndefinedAttributeType
	case slices.Contains(values, ""):
		return ldap.LDAPResultInvalidAttributeSyntax
	case slices.Contains(single, name) && len(values) > 1:
		return ldap.LDAPResultConstraintViolation
	case len(values) == 0:
		delete(e, name)
	default:
		e[name] = values
	}
	return ldap.LDAPResultSuccess
}
