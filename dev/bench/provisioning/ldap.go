package provisioning

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/url"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// directory is an LDAP server.
type directory struct {
	TargetOptions
	at     *url.URL
	config *tls.Config
	conn   *ldap.Conn
}

func newLDAP(_ context.Context, at *url.URL, config *tls.Config, o TargetOptions) (*directory, error) {
	conn, err := ldap.DialURL(o.URL, ldap.DialWithTLSConfig(config))
	if err != nil {
		return nil, err
	}
	if err := conn.Bind(o.User, o.Password); err != nil {
		_ = conn.Close() // the bind failed
		return nil, err
	}
	return &directory{o, at, config, conn}, nil
}

func (d *directory) close() { _ = d.conn.Close() } // it was read

// disabling returns the attribute and the value by which an account is off.
func (d *directory) disabling() (attribute, value string) {
	return cmp.Or(d.Settings["disableAttribute"], "pwdAccountLockedTime"), cmp.Or(d.Settings["disabledValue"], "000001010000Z")
}

func (d *directory) search(base, filter string, attributes ...string) ([]*ldap.Entry, error) {
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	found, err := d.conn.SearchWithPaging(request, 500)
	if err != nil {
		return nil, err
	}
	return found.Entries, nil
}

func (d *directory) accounts(context.Context) (map[string]Account, error) {
	in := map[string][]string{}
	if d.Groups != "" {
		groups, err := d.search(d.Groups, "(objectClass=groupOfNames)", "cn", "member")
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			for _, member := range g.GetAttributeValues("member") {
				in[strings.ToLower(member)] = append(in[strings.ToLower(member)], g.GetAttributeValue("cn"))
			}
		}
	}
	off, value := d.disabling()
	bases := []string{d.People}
	if leavers := d.Settings["leavers"]; leavers != "" && !strings.HasSuffix(strings.ToLower(leavers), strings.ToLower(d.People)) {
		bases = append(bases, leavers)
	}
	all := map[string]Account{}
	for _, base := range bases {
		entries, err := d.search(base, "(objectClass=inetOrgPerson)", "*", off)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			a := Account{Username: e.GetAttributeValue("uid"), id: e.DN, Active: e.GetAttributeValue(off) != value, Groups: in[strings.ToLower(e.DN)], Values: map[string]string{
				"givenName": e.GetAttributeValue("givenName"), "familyName": e.GetAttributeValue("sn"), "displayName": e.GetAttributeValue("cn"),
				"email": e.GetAttributeValue("mail"), "title": e.GetAttributeValue("title"), "department": e.GetAttributeValue("departmentNumber"),
			}}
			slices.Sort(a.Groups)
			all[a.Username] = a
		}
	}
	return all, nil
}

func (d *directory) found(_ context.Context, groups []string) error {
	if d.Groups == "" {
		return nil
	}
	there, err := d.search(d.Groups, "(objectClass=groupOfNames)", "cn")
	if err != nil {
		return err
	}
	for _, name := range groups {
		if slices.ContainsFunc(there, func(e *ldap.Entry) bool { return e.GetAttributeValue("cn") == name }) {
			continue
		}
		dn := "cn=" + name + "," + d.Groups
		request := ldap.NewAddRequest(dn, nil)
		request.Attribute("objectClass", []string{"groupOfNames"})
		request.Attribute("cn", []string{name})
		request.Attribute("member", []string{dn}) // the class needs one
		if err := d.conn.Add(request); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes an entry, and takes it out of the groups, which a directory need not do by itself.
func (d *directory) remove(_ context.Context, a Account) error {
	for _, group := range a.Groups {
		request := ldap.NewModifyRequest("cn="+ldap.EscapeDN(group)+","+d.Groups, nil)
		request.Delete("member", []string{a.id})
		if err := d.conn.Modify(request); err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute) {
			return err
		}
	}
	return d.conn.Del(ldap.NewDelRequest(a.id, nil))
}

func (d *directory) proxy(ctx context.Context, address string, count *Counter) (string, func(), error) {
	at, stop, err := proxyLDAP(ctx, address, dialer(d.at, d.config), count)
	return "ldap://" + at, stop, err
}

func (d *directory) app(at string) app {
	a := app{kind: "ldap", settings: map[string]any{"url": at, "bindDN": d.User, "people": d.People}, secretIs: "password", secret: d.Password, attributes: d.attributesOf(map[string]string{
		"givenName": "givenName", "familyName": "sn", "displayName": "cn", "email": "mail", "title": "title", "department": "departmentNumber",
	})}
	if d.Groups != "" {
		a.settings["groups"] = d.Groups
	}
	return a
}
