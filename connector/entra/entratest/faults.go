package entratest

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Switches are the traps of Graph.
type Switches struct {
	// NotFoundReads is how many reads of a new user answer 404.
	NotFoundReads int
	// StaleReads is how many reads of a changed user show what was before.
	StaleReads int
	// SilentFilter ignores filters.
	SilentFilter bool
	// MemberAddedBut404 answers 404 to members that are added.
	MemberAddedBut404 bool
	// MembersUnseen does not show memberships of users yet.
	MembersUnseen bool
	// LicenceError is why licences that are accepted are not given.
	LicenceError string
	// ForeignNextLink is the host of next pages.
	ForeignNextLink string
	// PageSize is the most items of a page; zero: 999.
	PageSize int
}

// SetSwitches sets the traps. What was late until now is shown.
func (t *Tenant) SetSwitches(to Switches) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.switches = to
	clear(t.before)
}

// LateFor has NotFoundReads and StaleReads be over after a time in any case.
func (t *Tenant) LateFor(most time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lateFor = most
}

// Door returns what stands before the tenant: it counts requests, keeps quotas and makes them
// fail.
func (t *Tenant) Door() *vendortest.Door { return t.door }

// SetSecret sets the client secret that the tenant accepts, and ends all tokens.
func (t *Tenant) SetSecret(secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secret = secret
	t.tokens++
}

// EndTokens ends all tokens.
func (t *Tenant) EndTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens++
}

// Rights lists the application permissions that the stand-in knows. A right with "role:" stands
// for a directory role of the app registration itself.
var Rights = []string{
	"User.Read.All", "User.ReadWrite.All", "User.RevokeSessions.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All",
	"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "User-PasswordProfile.ReadWrite.All",
	"UserAuthenticationMethod.ReadWrite.All", "Device.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "AuditLog.Read.All",
	"role:User Administrator", "role:Cloud Device Administrator", "role:Privileged",
}

// SetRight gives the app registration a right, or takes it.
func (t *Tenant) SetRight(right string, has bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rights[right] = has
}

// id matches an ID in a path.
var id = regexp.MustCompile(`/[0-9a-f]{8}-[0-9a-f-]{27}`)

// class names a request by its path, such as "GET /users/{id}".
func class(r *http.Request) string {
	path, ours := strings.CutPrefix(r.URL.Path, "/v1.0")
	if !ours {
		return ""
	}
	return r.Method + " " + id.ReplaceAllString(path, "/{id}")
}

// refuse answers a request as Graph does that it cannot or does not want to serve.
func refuse(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
	why.RetryAfter(w.Header())
	switch why.Trouble {
	case vendortest.Proxy:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<html><body>Not found</body></html>"))
	case vendortest.Down:
		(&failure{503, http.StatusText(http.StatusServiceUnavailable), "The service is busy.", nil}).write(w)
	case vendortest.Limited:
		(&failure{429, "TooManyRequests", "Please retry again later.", nil}).write(w)
	case vendortest.Failed:
		(&failure{503, "serviceNotAvailable", "The service is unavailable.", nil}).write(w)
	}
}

// ServeHTTP implements http.Handler.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.door.ServeHTTP(w, r) }

func (t *Tenant) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		t.token(w, r)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Header.Get("Authorization") != t.bearer() {
		(&failure{401, "InvalidAuthenticationToken", "Access token is empty or has expired.", nil}).write(w)
		return
	}
	t.mux.ServeHTTP(w, r)
}

func (t *Tenant) bearer() string { return fmt.Sprint("Bearer graph-token-", t.tokens) }

// token is the token endpoint (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-
// creds-grant-flow).
func (t *Tenant) token(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	refuse := func(code string) {
		writeJSON(w, http.StatusBadRequest, Object{"error": code, "error_description": "AADSTS: refused"})
	}
	client, secret := r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	if user, password, basic := r.BasicAuth(); basic {
		client, secret = user, password
	}
	proven := secret == t.secret
	if assertion := r.PostFormValue("client_assertion"); assertion != "" {
		proven = r.PostFormValue("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" && t.proves(assertion)
	}
	switch {
	case r.URL.Path != "/"+TenantID+"/oauth2/v2.0/token" || r.PostFormValue("grant_type") != "client_credentials":
		refuse("invalid_request")
	case r.PostFormValue("scope") != t.url+"/.default":
		refuse("invalid_scope")
	case client != ClientID || !proven:
		refuse("invalid_client")
	default:
		writeJSON(w, http.StatusOK, Object{"token_type": "Bearer", "expires_in": 3599, "access_token": strings.TrimPrefix(t.bearer(), "Bearer ")})
	}
}

// proves reports whether an assertion is one that Microsoft takes (learn.microsoft.com/entra/
// identity-platform/certificate-credentials).
func (t *Tenant) proves(assertion string) bool {
	if t.Certificate == nil {
		return false
	}
	token, err := jwt.Parse(assertion, func(token *jwt.Token) (any, error) {
		sum := sha256.Sum256(t.Certificate)
		if token.Header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) || token.Header["typ"] != "JWT" {
			return nil, jwt.ErrTokenUnverifiable
		}
		certificate, err := x509.ParseCertificate(t.Certificate)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey.(*rsa.PublicKey), nil
	}, jwt.WithValidMethods([]string{"PS256"}), jwt.WithAudience(t.url+"/"+TenantID+"/oauth2/v2.0/token"),
		jwt.WithIssuer(ClientID), jwt.WithSubject(ClientID), jwt.WithExpirationRequired())
	return err == nil && token.Valid
}
