package directory

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/secret"
)

// Settings lists the settings that every kind of directory has. Read reads them.
var Settings = []settings.Setting{
	{Name: "url", Type: settings.TypeText, Required: true, Text: `Address of the server, such as "ldaps://ldap.example.com"; of several, separated by spaces, the first that answers is used.`},
	{Name: "startTLS", Type: settings.TypeBool, Text: "Encrypt ldap:// connections by StartTLS (RFC 4511 section 4.14)."},
	remote.Plaintext,
	{Name: "ca", Type: settings.TypeText, Text: "File of the certificate authorities (PEM) that sign the server's certificate, read again for each connection. Default: the system's authorities."},
	{Name: "bindDN", Type: settings.TypeText, Required: true, Text: "DN to bind as."},
	{Name: "password", Type: settings.TypeSecret, Required: true, Text: "Password to bind with. A new one is used from the next call."},
	{Name: "timeout", Type: settings.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
	{Name: "pageSize", Type: settings.TypeInt, Default: 500, Text: "How many entries to ask for at once (RFC 2696)."},
}

// Config holds how to reach a directory.
type Config struct {
	URLs     []*url.URL // ldap or ldaps, tried in turn; at least one
	StartTLS bool       // on ldap URLs
	CA       string     // file of authorities (PEM); empty means those of the system
	BindDN   string
	Password secret.Secret
	Timeout  time.Duration // of one request
	PageSize int           // entries of a page, above zero
	Pace     func(ctx context.Context) error
}

// Read reads Settings, and rejects faults that a Setting cannot describe.
func Read(v *settings.Values) Config {
	c := Config{
		StartTLS: v.Bool("startTLS"), CA: v.Text("ca"), BindDN: v.Text("bindDN"), Password: v.Secret("password"),
		Timeout: v.Duration("timeout"), PageSize: v.Int("pageSize"),
	}
	for _, text := range strings.Fields(v.Text("url")) {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
			v.Reject("url", `must be like "ldaps://ldap.example.com" or "ldap://ldap.example.com:389"`)
		case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
			v.Reject("url", "must hold a scheme, a host and a port, and nothing else")
		case u.Scheme == "ldaps" && c.StartTLS:
			v.Reject("startTLS", "is for ldap:// addresses: ldaps:// ones are encrypted from the start")
		default:
			if u.Scheme == "ldap" && !c.StartTLS {
				remote.RejectPlaintext(v, "url", u.Hostname(), "would send the password unencrypted: use ldaps://, or set startTLS")
			}
			c.URLs = append(c.URLs, u)
		}
	}
	return c
}
