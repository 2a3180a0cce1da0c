package scim

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

const (
	defaultTimeout   = 15 * time.Second
	defaultUserAgent = "tenure"
)

// Kind is the catalog's entry.
var Kind = connector.Kind{
	Name:    "scim",
	Summary: "any app with a SCIM 2.0 service (RFC 7644)",
	Open:    open,
}

func open(_ context.Context, _ string, settings connector.Settings) (connector.Connector, error) {
	read := connector.ReadSettings(settings)
	base := baseURL(read)
	token := read.Required("token")
	timeout := read.Duration("timeout", defaultTimeout)
	userAgent := read.String("userAgent", defaultUserAgent)
	createGroups := read.Bool("createGroups", false)
	if !printable(token) {
		read.Reject("token", "must be one line of printable ASCII without spaces")
	}
	if strings.ContainsAny(userAgent, "\r\n") {
		read.Reject("userAgent", "must be one line")
	}
	if err := read.Err(); err != nil {
		return nil, err
	}
	return &client{
		service: &service{
			http:      newHTTPClient(timeout),
			base:      base,
			token:     token,
			userAgent: userAgent,
			timeout:   timeout,
		},
		groups:       newGroupCache(),
		createGroups: createGroups,
	}, nil
}

// baseURL reads the url setting. The result has no slash at its end.
func baseURL(read *connector.SettingsReader) *url.URL {
	text := read.Required("url")
	if text == "" {
		return nil
	}
	base, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		read.Reject("url", "must be a whole http or https URL")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		read.Reject("url", "must hold no password, query or fragment")
	}
	return base
}

// printable says whether s can stand in a header: RFC 6750's b64token and what
// services issue in its place.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func newHTTPClient(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: sameService}
}

// sameService follows redirects only where the token may go: the same scheme and
// host, and only when the method stays as it was (RFC 9110 section 15.4). Any
// other redirect is returned as the answer.
func sameService(next *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || next.Method != first.Method {
		return http.ErrUseLastResponse
	}
	return nil
}
