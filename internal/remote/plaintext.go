package remote

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/internal/settings"
)

// Plaintext is the setting that allows a connection that RejectPlaintext refuses. Every kind
// that can be reached without encryption has it, with this name.
var Plaintext = settings.Setting{
	Name: "plaintext", Type: settings.TypeBool,
	Text: "Allow unencrypted connections to other machines. Anybody on the network path can then read the credentials. Connections to the same machine are always allowed.",
}

// Exposed reports whether data sent to host without encryption can be read on the way. They
// can unless host is this machine itself.
func Exposed(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.Unmap().IsLoopback())
}

// RejectPlaintext refuses a setting that would send credentials to host without
// encryption, unless the host is this machine itself or the setting Plaintext allows
// it. why says what would be sent, and what to write in its place.
func RejectPlaintext(v *settings.Values, name, host, why string) {
	if Exposed(host) && !v.Bool(Plaintext.Name) {
		v.Reject(name, why+`, or set "`+Plaintext.Name+`: true" if nobody can listen on the way`)
	}
}

// HTTPURL reads a setting that is the URL of a service, without password and
// fragment, and checks it by RejectPlaintext. If it is no such URL, HTTPURL rejects the
// setting and returns nil.
func HTTPURL(v *settings.Values, name string) *url.URL {
	return httpURL(v, name, "password or fragment", func(u *url.URL) bool { return u.User != nil || u.Fragment != "" })
}

// BaseURL reads a URL that paths are appended to, as HTTPURL does: it has no query either.
func BaseURL(v *settings.Values, name string) *url.URL {
	return httpURL(v, name, "password, query or fragment", func(u *url.URL) bool {
		return u.User != nil || u.Fragment != "" || u.RawQuery != "" || u.ForceQuery
	})
}

func httpURL(v *settings.Values, name, unwanted string, has func(*url.URL) bool) *url.URL {
	parsed, err := url.Parse(strings.TrimRight(v.Text(name), "/"))
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		v.Reject(name, "must be a whole http or https URL")
		return nil
	case has(parsed):
		v.Reject(name, "must hold no "+unwanted)
		return nil
	case parsed.Scheme == "http":
		RejectPlaintext(v, name, parsed.Hostname(), "must be https://, since http:// would send the credentials unencrypted: use https://")
	}
	return parsed
}
