package salesforcetest

import (
	"net/http"
	"strings"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Switches are the traps of Salesforce.
type Switches struct {
	PageSize  int  // rows on a page; zero: 2,000
	Locked    bool // each change is refused: UNABLE_TO_LOCK_ROW
	NoFreeze  bool // UserLogin cannot be changed
	Elsewhere bool // nextRecordsUrl leads to another host
	Short     bool // queries show a row less than they count
	Undead    bool // sessions that are ended stay
	// Blocker makes the org refuse each deactivation, by this code and message.
	Blocker struct{ Code, Message string }
}

// Blockers holds refusals of a deactivation, by the reason.
var Blockers = map[string]struct{ Code, Message string }{
	"hierarchy field": {"FIELD_INTEGRITY_EXCEPTION", "Cannot complete this operation. Cannot inactivate user that is the value of a hierarchy field: User Hierarchy. : Jane Doe"},
	"case owner":      {"UNKNOWN_EXCEPTION", "You cannot deactivate this user. You cannot deactivate a user who is the default owner of cases"},
	"lead creator":    {"UNKNOWN_EXCEPTION", "You cannot disable the Web to Lead Default Creator."},
	"workflow user":   {"UNKNOWN_EXCEPTION", "You cannot deactivate the Default Workflow User"},
	"approver":        {"UNKNOWN_EXCEPTION", "Jane Doe is an approver or delegated approver"},
	"validation rule": {"FIELD_CUSTOM_VALIDATION_EXCEPTION", "Jane Doe may not leave us"},
	"last admin":      {"CANNOT_DISABLE_LAST_ADMIN", "You must have at least one active administrator user."},
	"another":         {"UNKNOWN_EXCEPTION", "Jane Doe is needed"},
}

// SetSwitches sets the traps.
func (o *Org) SetSwitches(to Switches) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.switches = to
}

// Door returns what stands before the org: it counts requests, keeps quotas and makes them
// fail.
func (o *Org) Door() *vendortest.Door { return o.door }

// class names a request by what it is about: "GET query User", "PATCH User".
func class(r *http.Request) string {
	path, versioned := strings.CutPrefix(r.URL.Path, "/services/data/v62.0/")
	switch parts := strings.Split(path, "/"); {
	case r.URL.Path == "/services/oauth2/token":
		return ""
	case r.URL.Path == "/services/oauth2/revoke":
		return r.Method + " revoke"
	case versioned && path == "query":
		s, _ := parse(r.URL.Query().Get("q"))
		return "GET query " + s.object
	case versioned && len(parts) > 1 && parts[0] == "query":
		return "GET query more"
	case versioned && len(parts) > 1:
		return r.Method + " " + parts[1]
	}
	return r.Method + " another path"
}

// Expire makes the org refuse the tokens that it has issued.
func (o *Org) Expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token = ""
}

// SetClientSecret changes the secret of the client. Tokens that were issued are refused.
func (o *Org) SetClientSecret(secret string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.options.ClientSecret, o.token = secret, ""
}

// refuseRequest answers a request as Salesforce does that it cannot or does not want to serve.
func refuseRequest(w http.ResponseWriter, _ *http.Request, why vendortest.Refusal) {
	why.RetryAfter(w.Header())
	switch why.Trouble {
	case vendortest.Proxy:
		http.Error(w, "<html>404 Not Found</html>", http.StatusNotFound)
	case vendortest.Down:
		answer(w, refuse(http.StatusServiceUnavailable, "SERVER_UNAVAILABLE", "The server is overloaded"))
	case vendortest.Limited:
		answer(w, refuse(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
	case vendortest.Failed:
		answer(w, refuse(http.StatusInternalServerError, "UNKNOWN_EXCEPTION", "An unexpected error occurred"))
	}
}

// blocked returns the refusal of a change of a user, if there is one.
func (o *Org) blocked(object string, r row, fields map[string]any) *refusal {
	switch {
	case object == "UserLogin" && o.switches.NoFreeze:
		o.door.Spring("NoFreeze")
		return refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
	case object == "User" && fields["IsActive"] == false && r["IsActive"] == true && o.switches.Blocker.Code != "":
		o.door.Spring("Blocker")
		return refuse(http.StatusBadRequest, o.switches.Blocker.Code, "%s", strings.ReplaceAll(o.switches.Blocker.Message, "%", ""))
	}
	return nil
}
