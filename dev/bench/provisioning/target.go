package provisioning

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// TargetOptions says which server accounts are made in.
type TargetOptions struct {
	URL string
	// Token, or User and Password, sign in to a SCIM service. A directory takes User, a DN, and
	// Password.
	Token, User, Password string
	CA                    string // file of the authorities (PEM) of a server with TLS; empty: the system's
	People, Groups        string // DNs in a directory, below which people and groups are
	// Settings are further settings of the connector: disableAttribute, for example.
	Settings map[string]string
	// LeaveOut lists columns of the file that are neither sent nor compared.
	LeaveOut []string
}

// Account is an account as the server shows it.
type Account struct {
	Username string
	Active   bool
	// Values are by the names of the file's columns.
	Values map[string]string
	Groups []string // sorted

	id string // by which the server knows it
}

// target is a server in which accounts are made.
type target interface {
	// accounts returns every account, by username.
	accounts(ctx context.Context) (map[string]Account, error)
	// found makes groups that are not there.
	found(ctx context.Context, groups []string) error
	// remove deletes an account.
	remove(ctx context.Context, a Account) error
	// proxy passes requests through to the server and counts them.
	proxy(ctx context.Context, address string, count *Counter) (at string, stop func(), err error)
	// app returns the connector that reaches the server through a proxy, its settings without
	// secrets, the secret and the name of its setting, and the attributes by the columns of the
	// file.
	app(at string) app
	close()
}

// app is an app of a configuration.
type app struct {
	kind             string
	settings         map[string]any
	secret, secretIs string
	attributes       map[string]string // expression by attribute
}

// columns maps the columns that are sent and compared to expressions over the person.
var columns = map[string]string{
	"givenName": "person.givenName", "familyName": "person.familyName", "displayName": "person.givenName + ' ' + person.familyName",
	"email": "person.email", "title": "person.jobTitle", "department": "person.department",
}

// value returns what a line says in a column.
func (l Line) value(column string) string {
	return l.record()[slices.Index(header, column)]
}

// attributesOf returns expressions by the server's own names of the columns.
func (o TargetOptions) attributesOf(names map[string]string) map[string]string {
	all := map[string]string{}
	for column, name := range names {
		if !slices.Contains(o.LeaveOut, column) {
			all[name] = columns[column]
		}
	}
	return all
}

// open opens a target.
func open(ctx context.Context, o TargetOptions) (target, error) {
	at, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("--target: %w", err)
	}
	for _, column := range o.LeaveOut {
		if _, known := columns[column]; !known {
			return nil, fmt.Errorf("--leave-out: there is no column %q that is sent", column)
		}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: at.Hostname()}
	if o.CA != "" {
		text, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--ca: %q holds no certificate", o.CA)
		}
	}
	switch at.Scheme {
	case "http", "https":
		at.Path = strings.TrimRight(at.Path, "/")
		return newSCIM(at, config, o), nil
	case "ldap", "ldaps":
		if o.User == "" || o.People == "" {
			return nil, errors.New("a directory needs --user (a DN), --password-file and --people-dn")
		}
		return newLDAP(ctx, at, config, o)
	}
	return nil, fmt.Errorf("--target: %q is neither http(s):// nor ldap(s)://", o.URL)
}

// differs compares the server with the file, as it is after all of it, and returns what differs. Leavers
// are to be gone (deleted) or off and in no group.
func differs(file File, deleted, anyGroups bool, leaveOut []string, got map[string]Account) (wrong []string) {
	for _, want := range file.After(Leave) {
		is, there := got[want.Username]
		tell := func(format string, args ...any) {
			wrong = append(wrong, want.Username+": "+fmt.Sprintf(format, args...))
		}
		switch {
		case !want.Active && deleted:
			if there {
				tell("it is still there, and is to be deleted")
			}
			continue
		case !there:
			tell("it is not there")
			continue
		case is.Active != want.Active:
			tell("enabled: %t, and is to be %t", is.Active, want.Active)
		}
		if !slices.Equal(is.Groups, want.Groups) && (want.Active || !anyGroups) {
			tell("groups: %v, and are to be %v", is.Groups, want.Groups)
		}
		if !want.Active {
			continue
		}
		for _, column := range header {
			if _, sent := columns[column]; sent && !slices.Contains(leaveOut, column) && is.Values[column] != want.value(column) {
				tell("%s: %q, and is to be %q", column, is.Values[column], want.value(column))
			}
		}
	}
	return wrong
}

// reset deletes exactly the accounts that a file makes, by their usernames.
func reset(ctx context.Context, t target, file File) (deleted int, err error) {
	there, err := t.accounts(ctx)
	if err != nil {
		return 0, err
	}
	for _, l := range file.Of(Hire) {
		if a, is := there[l.Username]; is {
			if err := t.remove(ctx, a); err != nil {
				return deleted, fmt.Errorf("delete %s: %w", l.Username, err)
			}
			deleted++
		}
	}
	return deleted, nil
}
