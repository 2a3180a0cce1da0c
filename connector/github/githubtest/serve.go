package githubtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// reply is an answer.
type reply struct {
	status int
	body   any
}

const docs = "https://docs.github.com/rest"

func refuse(status int, message string) reply {
	return reply{status, map[string]any{"message": message, "documentation_url": docs, "status": strconv.Itoa(status)}}
}

// invalid returns a validation error of an invitation.
func invalid(code, message string) reply {
	one := map[string]any{"resource": "OrganizationInvitation", "code": code, "field": "data", "message": message}
	return reply{http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed", "documentation_url": docs, "errors": []any{one}}}
}

var (
	missing = refuse(http.StatusNotFound, "Not Found")
	done    = reply{http.StatusNoContent, nil}
)

// ServeHTTP implements http.Handler.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.door.ServeHTTP(w, r) }

func (g *GitHub) serve(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	answer := g.answer(w, r)
	w.Header().Set("X-RateLimit-Remaining", "4990")
	answer.write(w)
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body)
	}
}

// class names a request by its path, with a star for every second segment.
func class(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i := range parts {
		if i%2 == 1 {
			parts[i] = "*"
		}
	}
	return r.Method + " " + strings.Join(parts, "/")
}

// refuse answers a request as GitHub does that it cannot or does not want to serve.
func (g *GitHub) refuse(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
	g.mu.Lock()
	f := g.switches
	g.mu.Unlock()
	status := max(f.As, http.StatusForbidden)
	switch why.Trouble {
	case vendortest.Proxy:
		http.Error(w, "<html>404 Not Found</html>", http.StatusNotFound)
	case vendortest.Down:
		why.RetryAfter(w.Header())
		refuse(http.StatusServiceUnavailable, "Service Unavailable").write(w)
	case vendortest.Failed:
		refuse(http.StatusInternalServerError, "Server Error").write(w)
	case vendortest.Limited:
		if f.As != 0 {
			g.door.Spring("As")
		}
		if f.Primary {
			g.door.Spring("Primary")
			now := time.Now()
			w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(now.Unix()+int64(why.Seconds()), 10))
			refuse(status, "API rate limit exceeded for user ID 1.").write(w)
			return
		}
		why.RetryAfter(w.Header())
		w.Header().Set("X-RateLimit-Remaining", "4990")
		refuse(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.").write(w)
	}
}

// answer answers a request.
func (g *GitHub) answer(w http.ResponseWriter, r *http.Request) reply {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) == 4 && parts[0] == "app" && parts[3] == "access_tokens" && r.Method == http.MethodPost {
		return g.installation(r, parts[2])
	}
	if r.Header.Get("Authorization") != "Bearer "+g.token {
		return refuse(http.StatusUnauthorized, "Bad credentials")
	}
	if r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.Header.Get("User-Agent") == "" {
		return refuse(http.StatusBadRequest, "the stand-in wants the headers X-GitHub-Api-Version and User-Agent")
	}
	switch {
	case parts[0] == "graphql" && r.Method == http.MethodPost:
		return g.graphQL(r)
	case len(parts) == 2 && parts[0] == "user" && r.Method == http.MethodGet:
		for _, a := range g.users {
			if strconv.FormatInt(a.id, 10) == parts[1] && !a.absent {
				return reply{http.StatusOK, full(a)}
			}
		}
		return missing
	case len(parts) == 2 && parts[0] == "users" && r.Method == http.MethodGet:
		if a := g.byLogin(parts[1]); a != nil {
			return reply{http.StatusOK, full(a)}
		}
		return missing
	case len(parts) >= 2 && parts[0] == "orgs" && strings.EqualFold(parts[1], g.options.Org):
		if g.switches.Hidden {
			g.door.Spring("Hidden")
			return missing
		}
		return g.inOrg(w, r, parts[2:])
	}
	return missing
}

// installation issues a token of the app's installation.
func (g *GitHub) installation(r *http.Request, id string) reply {
	assertion, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(assertion, &claims, func(*jwt.Token) (any, error) { return g.options.Key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(g.options.AppID), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil || claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 10*time.Minute {
		return refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
	}
	if id != "77" {
		return missing
	}
	g.issued++
	g.token = "ghs_" + rand.Text()
	return reply{http.StatusCreated, map[string]any{"token": g.token, "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}}
}

// inOrg answers a request below /orgs/ORG.
func (g *GitHub) inOrg(w http.ResponseWriter, r *http.Request, path []string) reply {
	var body map[string]any
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			return refuse(http.StatusBadRequest, "Problems parsing JSON")
		}
	}
	get := r.Method == http.MethodGet
	switch {
	case len(path) == 0 && get:
		return reply{http.StatusOK, g.org()}
	case len(path) == 1 && path[0] == "members" && get:
		return g.page(w, r, g.members(r.URL.Query().Get("role")))
	case len(path) == 1 && path[0] == "outside_collaborators" && get:
		return g.page(w, r, []any{})
	case len(path) == 1 && path[0] == "invitations" && get:
		return g.page(w, r, g.invitations())
	case len(path) == 1 && path[0] == "invitations" && r.Method == http.MethodPost:
		return g.invite(body)
	case len(path) == 3 && path[0] == "invitations" && path[2] == "teams" && get:
		return g.invitationTeams(w, r, path[1])
	case len(path) == 1 && path[0] == "teams" && get:
		var all []any
		for _, slug := range g.options.Teams {
			all = append(all, team(slug))
		}
		return g.page(w, r, all)
	case len(path) == 3 && path[0] == "teams" && path[2] == "members" && get:
		return g.teamMembers(w, r, path[1])
	case len(path) == 4 && path[0] == "teams" && path[2] == "memberships":
		return g.teamMembership(r.Method, path[1], path[3], body)
	case len(path) == 2 && path[0] == "memberships":
		return g.membership(r.Method, path[1], body)
	case len(path) == 2 && path[0] == "outside_collaborators" && r.Method == http.MethodDelete:
		return g.removeOutside(path[1])
	case path[0] == "credential-authorizations":
		return g.authorisations(w, r, path[1:])
	}
	return missing
}

// page answers with one page of a list, and links to the next.
func (g *GitHub) page(w http.ResponseWriter, r *http.Request, all []any) reply {
	query := r.URL.Query()
	size, _ := strconv.Atoi(query.Get("per_page"))
	number, _ := strconv.Atoi(query.Get("page"))
	number = max(number, 1)
	if most := g.switches.PageSize; most > 0 && most < len(all) {
		g.door.Spring("PageSize")
		size = min(size, most)
	}
	from, to := min((number-1)*size, len(all)), min(number*size, len(all))
	if to < len(all) {
		query.Set("page", strconv.Itoa(number+1))
		host := "http://" + r.Host
		if g.switches.Elsewhere {
			g.door.Spring("Elsewhere")
			host = "https://elsewhere.example.com"
		}
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next", <%s%s?page=99>; rel="last"`, host, r.URL.Path, query.Encode(), host, r.URL.Path))
	}
	return reply{http.StatusOK, append([]any{}, all[from:to]...)}
}

func (g *GitHub) members(role string) []any {
	var all []any
	for _, s := range g.seats {
		if s.invitation == 0 && (role == "" || role == "all" || role == s.role) {
			all = append(all, simple(s.user))
		}
	}
	return all
}

func (g *GitHub) invitations() []any {
	var all []any
	for _, s := range g.seats {
		if s.invitation != 0 {
			all = append(all, g.invitation(s))
		}
	}
	return all
}

// invite answers POST /orgs/ORG/invitations.
func (g *GitHub) invite(body map[string]any) reply {
	id, _ := body["invitee_id"].(float64)
	for name := range body {
		if !slices.Contains([]string{"invitee_id", "email", "role", "team_ids"}, name) {
			return refuse(http.StatusUnprocessableEntity, "the stand-in knows no such member: "+name)
		}
	}
	i := slices.IndexFunc(g.users, func(a *account) bool { return a.id == int64(id) && !a.absent })
	switch {
	case g.switches.Invitations:
		g.door.Spring("Invitations")
		return invalid("unprocessable", "You have exceeded the invitation rate limit for this organization")
	case g.switches.NoSeat:
		g.door.Spring("NoSeat")
		return reply{http.StatusUnprocessableEntity, map[string]any{
			"message":           "You must purchase at least one more seat to add this user as a member.",
			"documentation_url": "https://docs.github.com/billing", "errors": []any{map[string]any{"code": "no_seat", "field": "user"}},
		}}
	case i < 0:
		return invalid("unprocessable", "Invitee does not exist")
	case g.seatOf(int64(id)) != nil:
		return invalid("unprocessable", "A user with this login is already a part of this organization")
	}
	s := &seat{user: g.users[i], role: "member", invitation: g.next()}
	g.seats = append(g.seats, s)
	answer := reply{http.StatusCreated, g.invitation(s)}
	if g.switches.Pending {
		g.door.Spring("Pending")
	} else {
		s.invitation = 0
	}
	return answer
}

func (g *GitHub) invitationTeams(w http.ResponseWriter, r *http.Request, id string) reply {
	for _, s := range g.seats {
		if s.invitation == 0 || strconv.FormatInt(s.invitation, 10) != id {
			continue
		}
		var all []any
		for _, slug := range g.teamsOf(s.user.id) {
			all = append(all, team(slug))
		}
		return g.page(w, r, all)
	}
	return missing
}

// teamsOf returns the slugs of a user's teams, in order.
func (g *GitHub) teamsOf(id int64) []string {
	return slices.DeleteFunc(slices.Clone(g.options.Teams), func(slug string) bool { return g.teams[slug][id] == "" })
}

func (g *GitHub) teamMembers(w http.ResponseWriter, r *http.Request, slug string) reply {
	members, known := g.teams[slug]
	if !known {
		return missing
	}
	var all []any
	for _, s := range g.seats {
		if members[s.user.id] != "" && s.invitation == 0 {
			all = append(all, simple(s.user))
		}
	}
	return g.page(w, r, all)
}

func (g *GitHub) teamMembership(method, slug, login string, body map[string]any) reply {
	members, known := g.teams[slug]
	a := g.byLogin(login)
	switch {
	case !known || a == nil:
		return missing
	case g.synced[slug] && method != http.MethodGet:
		return refuse(http.StatusForbidden, "This team is synchronized with an identity provider group")
	case method == http.MethodDelete:
		if members[a.id] == "" {
			return missing
		}
		delete(members, a.id)
		return done
	case method != http.MethodPut:
		return missing
	}
	s := g.seatOf(a.id)
	if s == nil { // GitHub invites whoever is put into a team
		s = &seat{user: a, role: "member", invitation: g.next()}
		g.seats = append(g.seats, s)
	}
	role, _ := body["role"].(string)
	members[a.id] = role
	return reply{http.StatusOK, map[string]any{"url": docs, "role": role, "state": s.state()}}
}

// membership answers requests about a user's membership.
func (g *GitHub) membership(method, login string, body map[string]any) reply {
	a := g.byLogin(login)
	if a == nil {
		return missing
	}
	s := g.seatOf(a.id)
	if s == nil && g.enterprise[a.id] {
		s = &seat{user: a, role: "member"}
	}
	switch {
	case s == nil:
		return missing
	case method == http.MethodDelete && g.switches.LastOwner:
		g.door.Spring("LastOwner")
		return refuse(http.StatusForbidden, "You can't remove the last owner")
	case method == http.MethodDelete:
		g.removeSeat(a.id)
		return done
	case method == http.MethodPut:
		s.role, _ = body["role"].(string)
	}
	return reply{http.StatusOK, map[string]any{
		"url": docs, "state": s.state(), "role": s.role, "organization_url": docs, "organization": organisation(g.options.Org), "user": simple(a),
	}}
}

func (g *GitHub) removeOutside(login string) reply {
	a := g.byLogin(login)
	switch {
	case a == nil:
		return missing
	case g.seatOf(a.id) != nil || g.enterprise[a.id]:
		return reply{http.StatusUnprocessableEntity, map[string]any{"message": "You cannot specify an organization member to remove as an outside collaborator.", "documentation_url": docs}}
	}
	delete(g.outside, a.id)
	return done
}

func (g *GitHub) authorisations(w http.ResponseWriter, r *http.Request, path []string) reply {
	var all []any
	for _, a := range g.users {
		for i, key := range a.keys {
			if len(path) == 1 && r.Method == http.MethodDelete && strconv.FormatInt(key, 10) == path[0] {
				a.keys = slices.Delete(a.keys, i, i+1)
				return done
			}
			if login := r.URL.Query().Get("login"); login == "" || login == a.login {
				all = append(all, map[string]any{
					"login": a.login, "credential_id": key, "credential_type": "personal access token", "token_last_eight": "71c3fc11",
					"credential_authorized_at": created, "credential_accessed_at": created, "authorized_credential_id": key, "scopes": []string{"repo"},
				})
			}
		}
	}
	if len(path) == 0 && r.Method == http.MethodGet {
		return g.page(w, r, all)
	}
	return missing
}

// graphQL answers the query of the connector.
func (g *GitHub) graphQL(r *http.Request) reply {
	var asked struct {
		Query     string `json:"query"`
		Variables struct {
			Org   string  `json:"org"`
			Login string  `json:"login"`
			After *string `json:"after"`
		} `json:"variables"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || !strings.Contains(asked.Query, "userLogins: [$login]") {
		return reply{http.StatusOK, map[string]any{"errors": []any{map[string]any{"message": "Parse error"}}}}
	}
	failed := func(kind string) reply {
		return reply{http.StatusOK, map[string]any{"data": map[string]any{"organization": nil}, "errors": []any{map[string]any{"type": kind, "message": "of " + asked.Variables.Login}}}}
	}
	if g.switches.QueryLimit {
		g.door.Spring("QueryLimit")
		return failed("RATE_LIMITED")
	}
	if g.switches.Hidden || !strings.EqualFold(asked.Variables.Org, g.options.Org) {
		return failed("NOT_FOUND")
	}
	var slugs []string
	if a := g.byLogin(asked.Variables.Login); a != nil {
		slugs = g.teamsOf(a.id)
	}
	from := 0
	if asked.Variables.After != nil {
		from, _ = strconv.Atoi(*asked.Variables.After)
	}
	to := min(from+1, len(slugs)) // one on each page
	nodes := []any{}
	for _, slug := range slugs[from:to] {
		nodes = append(nodes, map[string]any{"slug": slug})
	}
	page := map[string]any{"hasNextPage": to < len(slugs), "endCursor": strconv.Itoa(to)}
	return reply{http.StatusOK, map[string]any{"data": map[string]any{"organization": map[string]any{"teams": map[string]any{"nodes": nodes, "pageInfo": page}}}}}
}
