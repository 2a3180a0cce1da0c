package oktatest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// issue issues a token to the API services app: client credentials with private_key_jwt, the
// only way that Okta's org authorization server has for scopes of its own API.
func (s *Service) issue(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if problem := s.asked(r); problem != "" {
		status := http.StatusBadRequest
		if problem == "invalid_client" {
			status = http.StatusUnauthorized
		}
		write(w, status, map[string]any{"error": problem, "error_description": "refused"})
		return
	}
	token := "okta-" + rand.Text()
	s.tokens[token] = strings.Fields(r.PostFormValue("scope"))
	write(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": r.PostFormValue("scope")})
}

// asked returns the error code for a request of a token; "" if it is good.
func (s *Service) asked(r *http.Request) string {
	if r.PostFormValue("grant_type") != "client_credentials" {
		return "unsupported_grant_type"
	}
	if r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return "invalid_client"
	}
	app := s.options.App
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(r.PostFormValue("client_assertion"), &claims, func(token *jwt.Token) (any, error) {
		if token.Header["kid"] != app.KeyID {
			return nil, jwt.ErrTokenUnverifiable
		}
		return app.Key, nil
	}, jwt.WithAudience("http://"+r.Host+"/oauth2/v1/token"), jwt.WithIssuer(app.ID), jwt.WithSubject(app.ID), jwt.WithExpirationRequired())
	if err != nil || app.ID == "" || claims.ID == "" || s.used[claims.ID] || claims.ExpiresAt.After(time.Now().Add(time.Hour)) {
		return "invalid_client"
	}
	s.used[claims.ID] = true
	scopes := strings.Fields(r.PostFormValue("scope"))
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(app.Scopes, scope) }) {
		return "invalid_scope"
	}
	return ""
}

// EndTokens has the org forget every token that it has issued.
func (s *Service) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
