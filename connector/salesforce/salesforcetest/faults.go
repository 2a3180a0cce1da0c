package salesforcetest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Faults make an org fail.
type Faults struct {
	FailAfterApply bool     // the next change is made, and answered by an error
	Down           bool     // every request is answered by 503
	Quota          bool     // every request is answered by 403 REQUEST_LIMIT_EXCEEDED
	RetryAfter     int      // seconds, with Down and Quota
	RetryAfterDate bool     // RetryAfter is sent as a date
	Forget         []string // fields that changes leave as they are, although they are answered by a success
	Locked         bool     // the next change is refused: UNABLE_TO_LOCK_ROW
	Stall          bool     // no request is answered
	NoFreeze       bool     // UserLogin cannot be changed
	Elsewhere      bool     // nextRecordsUrl leads to another host
	Short          bool     // queries show a row less than they count
	Gateway        bool     // every request is answered by a proxy's 404
	Undead         bool     // sessions that are ended stay
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

// SetFaults replaces the faults.
func (o *Org) SetFaults(faults Faults) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = faults
	if !faults.Stall {
		close(o.stalls)
		o.stalls = make(chan struct{})
	}
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

// faulty answers a request by a fault, and reports whether it did.
func (o *Org) faulty(w http.ResponseWriter, r *http.Request) bool {
	o.mu.Lock()
	f, stalls := o.faults, o.stalls
	o.mu.Unlock()
	if f.RetryAfter > 0 {
		after := strconv.Itoa(f.RetryAfter)
		if f.RetryAfterDate {
			after = time.Now().Add(time.Duration(f.RetryAfter) * time.Second).UTC().Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", after)
	}
	switch {
	case f.Stall:
		select {
		case <-stalls:
		case <-r.Context().Done():
		}
	case f.Gateway:
		http.Error(w, "<html>404 Not Found</html>", http.StatusNotFound)
	case f.Down:
		answer(w, refuse(http.StatusServiceUnavailable, "SERVER_UNAVAILABLE", "The server is overloaded"))
	case f.Quota:
		answer(w, refuse(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
	default:
		return false
	}
	return true
}

// blocked returns the refusal of a change of a user, if there is one.
func (o *Org) blocked(object string, r row, fields map[string]any) *refusal {
	switch {
	case object == "UserLogin" && o.faults.NoFreeze:
		return refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
	case object == "User" && fields["IsActive"] == false && r["IsActive"] == true && o.faults.Blocker.Code != "":
		return refuse(http.StatusBadRequest, o.faults.Blocker.Code, "%s", strings.ReplaceAll(o.faults.Blocker.Message, "%", ""))
	}
	return nil
}
