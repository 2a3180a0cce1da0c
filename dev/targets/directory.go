package targets

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// directory is what OpenLDAP and Active Directory have in common: both are read and changed with
// OpenLDAP's programs.
type directory struct {
	url, ca         string
	admin, password string
	people, groups  string // the DNs under which they are
	prefix          string
}

// tool runs one of OpenLDAP's programs as the administrator.
func (s directory) tool(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	return runTool(t, []string{"LDAPTLS_CACERT=" + s.ca}, input, name,
		append([]string{"-x", "-H", s.url, "-D", s.admin, "-w", s.password}, args...)...)
}

// search returns the entries below people, and the names of each one's groups.
func (s directory) search(t *testing.T, filter string, attributes ...string) (found []map[string][]string, groups [][]string) {
	t.Helper()
	args := []string{"-LLL", "-o", "ldif-wrap=no", "-E", "pr=500/noprompt", "-b", s.people, filter, "memberOf"}
	for _, entry := range entries(t, s.tool(t, "", "ldapsearch", append(args, attributes...)...)) {
		var names []string
		for _, dn := range entry["memberOf"] {
			first, _, _ := strings.Cut(dn, ",")
			_, name, _ := strings.Cut(first, "=")
			names = append(names, name)
		}
		found, groups = append(found, entry), append(groups, bare(s.prefix, names))
	}
	return found, groups
}

// entries reads LDIF (RFC 2849) without wrapped lines.
func entries(t *testing.T, ldif string) []map[string][]string {
	t.Helper()
	var all []map[string][]string
	for block := range strings.SplitSeq(ldif, "\n\n") {
		entry := map[string][]string{}
		for line := range strings.Lines(block) {
			name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
			if !ok || name == "" || strings.HasPrefix(name, "#") {
				continue
			}
			if encoded, is := strings.CutPrefix(value, ":"); is {
				text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
				require.NoError(t, err)
				value = string(text)
			}
			entry[name] = append(entry[name], strings.TrimSpace(value))
		}
		if len(entry) > 1 { // a smaller one is the end of a page, or a referral
			all = append(all, entry)
		}
	}
	return all
}

// OpenLDAP is a directory with an organizational unit for this run.
type OpenLDAP struct{ directory }

// NewOpenLDAP makes an organizational unit.
func NewOpenLDAP(t *testing.T, prefix string) OpenLDAP {
	t.Helper()
	const suffix = "dc=whole" // this suffix maintains memberOf
	s := OpenLDAP{directory{
		url: fromEnv(t, "TENURE_REAL_LDAP_URL"), ca: fromEnv(t, "TENURE_REAL_LDAP_CA"),
		admin: "cn=admin," + suffix, password: fromEnv(t, "TENURE_REAL_LDAP_PASSWORD"),
		people: "ou=" + prefix + "company,ou=people," + suffix, groups: "ou=groups," + suffix, prefix: prefix,
	}}
	s.tool(t, "dn: "+s.people+"\nobjectClass: organizationalUnit\nou: "+prefix+"company\n", "ldapadd")
	return s
}

// Name returns the server's name.
func (OpenLDAP) Name() string { return "OpenLDAP" }

// Settings has a user bind that is not the administrator.
func (s OpenLDAP) Settings() string {
	return asJSON(map[string]any{"url": s.url, "bindDN": "cn=tenure,dc=whole", "password": s.password, "people": s.people, "groups": s.groups})
}

// Found makes a group that has itself for its member: the class needs one.
func (s OpenLDAP) Found(t *testing.T, group string) {
	t.Helper()
	dn := s.group(group)
	s.tool(t, "dn: "+dn+"\nobjectClass: groupOfNames\ncn: "+s.prefix+group+"\nmember: "+dn+"\n", "ldapadd")
}

// Accounts asks ldapsearch.
func (s OpenLDAP) Accounts(t *testing.T) map[string]Account {
	t.Helper()
	all := map[string]Account{}
	found, groups := s.search(t, "(objectClass=inetOrgPerson)", "uid", "employeeNumber", "title", "pwdAccountLockedTime")
	for i, entry := range found {
		all[entry["uid"][0]] = Account{
			Person: strings.Join(entry["employeeNumber"], "+"), Title: strings.Join(entry["title"], "+"),
			On: len(entry["pwdAccountLockedTime"]) == 0, Groups: groups[i],
		}
	}
	return all
}

// Titled is title.
func (OpenLDAP) Titled() string { return "title" }

// Mails is as many as one likes.
func (OpenLDAP) Mails() int { return 2 }

func (s OpenLDAP) dn(username string) string { return "uid=" + username + "," + s.people }

func (s OpenLDAP) group(name string) string { return "cn=" + s.prefix + name + "," + s.groups }

func (s OpenLDAP) modify(t *testing.T, dn string, lines ...string) {
	t.Helper()
	s.tool(t, "dn: "+dn+"\nchangetype: modify\n"+strings.Join(lines, "\n")+"\n", "ldapmodify")
}

// Turn locks an account, or unlocks it.
func (s OpenLDAP) Turn(t *testing.T, username string, on bool) {
	t.Helper()
	if on {
		s.modify(t, s.dn(username), "delete: pwdAccountLockedTime")
	} else {
		s.modify(t, s.dn(username), "replace: pwdAccountLockedTime", "pwdAccountLockedTime: 000001010000Z")
	}
}

// Remove deletes an account.
func (s OpenLDAP) Remove(t *testing.T, username string) {
	t.Helper()
	s.tool(t, "", "ldapdelete", s.dn(username))
}

// Retitle gives an account another title.
func (s OpenLDAP) Retitle(t *testing.T, username, title string) {
	t.Helper()
	s.modify(t, s.dn(username), "replace: title", "title: "+title)
}

// Put puts an account into a group, or out of it.
func (s OpenLDAP) Put(t *testing.T, username, group string, in bool) {
	t.Helper()
	how := "delete"
	if in {
		how = "add"
	}
	s.modify(t, s.group(group), how+": member", "member: "+s.dn(username))
}

// Create makes an account.
func (s OpenLDAP) Create(t *testing.T, username, person string, on bool, mails ...string) {
	t.Helper()
	ldif := "dn: " + s.dn(username) + "\nobjectClass: inetOrgPerson\nuid: " + username + "\ncn: " + username + "\nsn: By Hand\n"
	if person != "" {
		ldif += "employeeNumber: " + person + "\n"
	}
	for _, mail := range mails {
		ldif += "mail: " + mail + "\n"
	}
	s.tool(t, ldif, "ldapadd")
	if !on {
		s.Turn(t, username, false)
	}
}

// Samba is an Active Directory domain controller with an organizational unit for this run.
type Samba struct{ directory }

// NewSamba makes an organizational unit.
func NewSamba(t *testing.T, prefix string) Samba {
	t.Helper()
	people := "OU=" + prefix + "company," + fromEnv(t, "TENURE_REAL_AD_DN")
	s := Samba{directory{
		url: fromEnv(t, "TENURE_REAL_AD_URL"), ca: fromEnv(t, "TENURE_REAL_AD_CA"),
		admin: fromEnv(t, "TENURE_REAL_AD_ADMIN"), password: fromEnv(t, "TENURE_REAL_AD_PASSWORD"),
		people: people, groups: people, prefix: prefix,
	}}
	s.tool(t, "dn: "+s.people+"\nobjectClass: organizationalUnit\n", "ldapadd")
	return s
}

// Name returns the server's name.
func (Samba) Name() string { return "Samba AD" }

// Settings has the administrator bind.
func (s Samba) Settings() string {
	return asJSON(map[string]any{"url": s.url, "ca": s.ca, "bindDN": s.admin, "password": s.password, "people": s.people, "groups": s.groups})
}

// Found makes a group.
func (s Samba) Found(t *testing.T, group string) {
	t.Helper()
	s.tool(t, "dn: CN="+s.prefix+group+","+s.groups+"\nobjectClass: group\nsAMAccountName: "+s.prefix+group+"\n", "ldapadd")
}

// Accounts asks ldapsearch.
func (s Samba) Accounts(t *testing.T) map[string]Account {
	t.Helper()
	const disabled = 2 // the bit of userAccountControl
	all := map[string]Account{}
	found, groups := s.search(t, "(employeeID=*)", "sAMAccountName", "employeeID", "title", "userAccountControl")
	for i, entry := range found {
		control, err := strconv.Atoi(entry["userAccountControl"][0])
		require.NoError(t, err)
		all[entry["sAMAccountName"][0]] = Account{
			Person: entry["employeeID"][0], Title: strings.Join(entry["title"], "+"), On: control&disabled == 0, Groups: groups[i],
		}
	}
	return all
}
