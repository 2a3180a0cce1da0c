package salesforcetest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// ServeHTTP implements http.Handler.
func (o *Org) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.door.ServeHTTP(w, r) }

func (o *Org) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/services/oauth2/token" {
		o.serveToken(w, r)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.token == "" || r.Header.Get("Authorization") != "Bearer "+o.token {
		answer(w, refuse(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid"))
		return
	}
	path, versioned := strings.CutPrefix(r.URL.Path, "/services/data/v62.0/")
	parts := strings.Split(path, "/")
	switch {
	case r.URL.Path == "/services/oauth2/revoke" && r.Method == http.MethodPost:
		o.serveRevoke(w, r)
	case versioned && path == "query" && r.Method == http.MethodGet:
		o.serveQuery(w, r.URL.Query().Get("q"))
	case versioned && len(parts) == 2 && parts[0] == "query" && r.Method == http.MethodGet:
		o.servePage(w, parts[1])
	case versioned && parts[0] == "sobjects" && (len(parts) == 2 || len(parts) == 3):
		o.serveRow(w, r, parts[1], strings.Join(parts[2:], ""))
	default:
		answer(w, refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
	}
}

// answer writes an answer: an error, nothing, or what is to be shown.
func answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	switch what := what.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
		return
	case *refusal:
		w.WriteHeader(what.status)
		body := map[string]any{"errorCode": what.code, "message": what.message}
		if what.fields != nil {
			body["fields"] = what.fields
		}
		_ = json.NewEncoder(w).Encode([]any{body})
		return
	}
	_ = json.NewEncoder(w).Encode(what)
}

// serveToken issues a token for a client's secret or for a signed assertion.
func (o *Org) serveToken(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	refused := func(code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": code, "error_description": "for " + o.options.Username})
	}
	if err := r.ParseForm(); err != nil {
		refused("invalid_request")
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		if o.options.ClientSecret == "" || id != o.options.ClientID || secret != o.options.ClientSecret {
			refused("invalid_client")
			return
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if !o.checkAssertion(r.PostForm.Get("assertion")) {
			refused("invalid_grant")
			return
		}
	default:
		refused("unsupported_grant_type")
		return
	}
	o.tokens++
	if o.token == "" || o.token == "00Dx!first" {
		o.token = "00Dx!" + rand.Text()
	}
	// Salesforce does not say when a token expires.
	answer(w, map[string]any{
		"access_token": o.token, "token_type": "Bearer", "scope": "api", "id": "https://login.salesforce.com/id/00Dx/005x",
		"instance_url": "https://elsewhere.example.com",
	})
}

func (o *Org) checkAssertion(assertion string) bool {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(assertion, &claims, func(*jwt.Token) (any, error) { return o.options.Key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(o.options.Audience), jwt.WithIssuer(o.options.ClientID),
		jwt.WithSubject(o.options.Username), jwt.WithExpirationRequired())
	return err == nil
}

func (o *Org) serveRevoke(w http.ResponseWriter, r *http.Request) {
	token := r.PostFormValue("token")
	i := slices.IndexFunc(o.tables["OauthToken"], func(t row) bool { return t["DeleteToken"] == token })
	if i < 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": "invalid_token", "error_description": "invalid token: " + token})
		return
	}
	if o.switches.Undead {
		o.door.Spring("Undead")
	} else {
		o.tables["OauthToken"] = slices.Delete(o.tables["OauthToken"], i, i+1)
	}
	o.finish(w, http.StatusOK, nil)
}

// finish answers a change that was made.
func (o *Org) finish(w http.ResponseWriter, status int, what any) {
	if status == http.StatusOK {
		w.WriteHeader(status)
		return
	}
	if status == http.StatusCreated {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(status)
	}
	if what != nil {
		_ = json.NewEncoder(w).Encode(what)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// serveQuery answers a query.
func (o *Org) serveQuery(w http.ResponseWriter, soql string) {
	s, err := parse(soql)
	if err != nil {
		answer(w, refuse(http.StatusBadRequest, "MALFORMED_QUERY", "%s: %s", err, soql))
		return
	}
	rows, refused := o.run(s)
	if refused != nil {
		answer(w, refused)
		return
	}
	o.page(w, rows, len(rows))
}

// run returns the rows of a statement.
func (o *Org) run(s statement) ([]map[string]any, *refusal) {
	if _, known := o.schema[s.object]; !known {
		return nil, refuse(http.StatusBadRequest, "INVALID_TYPE", "sObject type '%s' is not supported.", s.object)
	}
	for _, field := range s.fields {
		if !o.knows(s.object, field) {
			return nil, refuse(http.StatusBadRequest, "INVALID_FIELD", "No such column '%s' on entity '%s'", field, s.object)
		}
	}
	for _, c := range s.where {
		if !o.knows(s.object, c.field) {
			return nil, refuse(http.StatusBadRequest, "INVALID_FIELD", "No such column '%s' on entity '%s'", c.field, s.object)
		}
	}
	shown := []map[string]any{}
	rows := o.rowsOf(s.object)
	if s.order != "" {
		rows = slices.SortedStableFunc(slices.Values(rows), func(a, b row) int {
			one, _ := a[s.order].(string)
			other, _ := b[s.order].(string)
			return cmp.Compare(one, other)
		})
	}
	for _, r := range rows {
		if s.matches(func(field string) any { return o.value(s.object, r, field) }) {
			shown = append(shown, o.show(s, r))
		}
		if s.limit > 0 && len(shown) == s.limit {
			break
		}
	}
	return shown, nil
}

// rowsOf returns the rows of an object that the user of the connection may see.
func (o *Org) rowsOf(object string) []row {
	switch object {
	case "UserPermissionAccess":
		r := row{"Id": "000000000000000AAA"}
		for right, granted := range o.rights {
			r[right] = granted
		}
		return []row{r}
	case "User":
		if !o.rights["PermissionsViewAllUsers"] {
			return nil
		}
	}
	return o.tables[object]
}

// knows reports whether an object has a field, or a relation with a field.
func (o *Org) knows(object, path string) bool {
	relation, field, nested := strings.Cut(path, ".")
	if !nested {
		known, _ := o.schema[object].has(path)
		return known
	}
	to, known := o.schema[object].relations[relation]
	return known && o.knows(to, field)
}

// value returns the value of a field, or of a field of the record that a relation leads to.
func (o *Org) value(object string, r row, path string) any {
	relation, field, nested := strings.Cut(path, ".")
	if !nested {
		return r[path]
	}
	to := o.schema[object].relations[relation]
	id, _ := r[relation+"Id"].(string)
	if other := o.find(to, id); other != nil {
		return o.value(to, other, field)
	}
	return nil
}

// show returns a row with the fields that were selected.
func (o *Org) show(s statement, r row) map[string]any {
	shown := map[string]any{"attributes": map[string]any{"type": s.object, "url": fmt.Sprintf("/services/data/v62.0/sobjects/%s/%s", s.object, r["Id"])}}
	for _, path := range s.fields {
		relation, field, nested := strings.Cut(path, ".")
		if !nested {
			shown[path] = r[path]
			continue
		}
		if r[relation+"Id"] == nil {
			shown[relation] = nil
			continue
		}
		inner, _ := shown[relation].(map[string]any)
		if inner == nil {
			inner = map[string]any{"attributes": map[string]any{"type": relation}}
			shown[relation] = inner
		}
		inner[field] = o.value(s.object, r, path)
	}
	return shown
}

// page answers with the first rows, and keeps the others for the next request.
func (o *Org) page(w http.ResponseWriter, rows []map[string]any, total int) {
	result := map[string]any{"totalSize": total, "done": true, "records": rows}
	if size := cmp.Or(o.switches.PageSize, 2000); len(rows) > size {
		o.door.Spring("PageSize")
		locator := "01g" + rand.Text()[:15] + "-" + fmt.Sprint(size)
		o.views[locator] = rows[size:]
		o.views[locator+" total"] = make([]map[string]any, total)
		result["records"], result["done"] = rows[:size], false
		result["nextRecordsUrl"] = "/services/data/v62.0/query/" + locator
		if o.switches.Elsewhere {
			o.door.Spring("Elsewhere")
			result["nextRecordsUrl"] = "https://elsewhere.example.com/services/data/v62.0/query/" + locator
		}
	} else if o.switches.Short && len(rows) > 0 {
		o.door.Spring("Short")
		result["records"] = rows[1:]
	}
	answer(w, result)
}

func (o *Org) servePage(w http.ResponseWriter, locator string) {
	rows, known := o.views[locator]
	if !known {
		answer(w, refuse(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator"))
		return
	}
	o.page(w, rows, len(o.views[locator+" total"]))
}

// serveRow creates, changes or deletes a record.
func (o *Org) serveRow(w http.ResponseWriter, r *http.Request, name, id string) {
	known, there := o.schema[name]
	call := map[string]string{http.MethodPost: "c", http.MethodPatch: "u", http.MethodDelete: "d"}[r.Method]
	switch {
	case !there:
		answer(w, refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
		return
	case call == "" || !strings.Contains(known.calls, call) || (call == "c") != (id == ""):
		answer(w, refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "HTTP Method '%s' not allowed", r.Method))
		return
	case !o.rights["PermissionsManageUsers"]:
		answer(w, refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights"))
		return
	}
	var fields map[string]any
	if call != "d" {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.NewDecoder(r.Body).Decode(&fields) != nil {
			answer(w, refuse(http.StatusBadRequest, "JSON_PARSER_ERROR", "Unexpected content"))
			return
		}
	}
	if o.switches.Locked {
		o.door.Spring("Locked")
		answer(w, refuse(http.StatusBadRequest, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"))
		return
	}
	maps.DeleteFunc(fields, func(name string, _ any) bool { return o.door.Forgets(name) })
	switch call {
	case "c":
		o.create(w, name, fields)
	case "u":
		o.update(w, name, id, fields)
	case "d":
		o.delete(w, name, id)
	}
}

func (o *Org) create(w http.ResponseWriter, name string, fields map[string]any) {
	for _, field := range strings.Fields(o.schema[name].fields) {
		if field, required := strings.CutSuffix(field, "!"); required && fields[field] == nil {
			refused := refuse(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [%s]", field)
			refused.fields = []string{field}
			answer(w, refused)
			return
		}
	}
	if refused := o.check(name, "", fields); refused != nil {
		answer(w, refused)
		return
	}
	if refused := o.seat(name, fields); refused != nil {
		answer(w, refused)
		return
	}
	r := row(maps.Clone(fields))
	maps.DeleteFunc(r, func(_ string, value any) bool { return value == nil })
	var id string
	if name == "User" {
		if _, set := r["IsActive"]; !set {
			r["IsActive"] = true
		}
		id = o.addUser(r)
	} else {
		id = o.add(name, r)
	}
	o.finish(w, http.StatusCreated, map[string]any{"id": id, "success": true, "errors": []any{}})
}

// seat takes a seat of a permission set licence, and refuses to if none is left. It also
// refuses assignments of users and groups that do not exist.
func (o *Org) seat(name string, fields map[string]any) *refusal {
	if user, isMember := fields["UserOrGroupId"].(string); isMember && o.find("User", user) == nil {
		return refuse(http.StatusBadRequest, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	}
	id, _ := fields["PermissionSetLicenseId"].(string)
	licence := o.find("PermissionSetLicense", id)
	if name != "PermissionSetLicenseAssign" || licence == nil {
		return nil
	}
	used, _ := licence["UsedLicenses"].(int)
	if used >= licence["TotalLicenses"].(int) {
		return refuse(http.StatusBadRequest, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded")
	}
	licence["UsedLicenses"] = used + 1
	return nil
}

func (o *Org) update(w http.ResponseWriter, name, id string, fields map[string]any) {
	r := o.find(name, id)
	if r == nil {
		answer(w, refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
		return
	}
	refused := o.check(name, id, fields)
	if refused == nil {
		refused = o.blocked(name, r, fields)
	}
	if refused != nil {
		answer(w, refused)
		return
	}
	for field, value := range fields {
		if r[field] = value; value == nil {
			delete(r, field)
		}
	}
	o.finish(w, http.StatusNoContent, nil)
}

func (o *Org) delete(w http.ResponseWriter, name, id string) {
	r := o.find(name, id)
	if r == nil {
		answer(w, refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
		return
	}
	if licence := o.find("PermissionSetLicense", fmt.Sprint(r["PermissionSetLicenseId"])); licence != nil {
		licence["UsedLicenses"] = licence["UsedLicenses"].(int) - 1
	}
	if name != "AuthSession" || !o.switches.Undead {
		o.tables[name] = slices.DeleteFunc(o.tables[name], func(other row) bool { return other["Id"] == id })
	}
	o.finish(w, http.StatusNoContent, nil)
}
