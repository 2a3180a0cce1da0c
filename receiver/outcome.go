package receiver

import "net/http"

// outcome is the result of a request, with the answer that the sender gets.
type outcome struct {
	name   string // for metrics and logs
	status int
	text   string // for the sender: what to change, and nothing that helps to guess a secret
	// again is the value of Retry-After in seconds; 0 means no such header
	again int
}

var (
	accepted = outcome{"accepted", http.StatusOK, "accepted", 0}

	// Final: sending the same again does not help.
	unknownPath  = outcome{"unknown_path", http.StatusNotFound, "there is nothing here", 0}
	wrongMethod  = outcome{"wrong_method", http.StatusMethodNotAllowed, "only POST is taken here", 0}
	wrongType    = outcome{"wrong_type", http.StatusUnsupportedMediaType, "JSON or a form is taken here, not compressed", 0}
	tooLarge     = outcome{"too_large", http.StatusRequestEntityTooLarge, "the body is too large", 0}
	emptyBody    = outcome{"empty", http.StatusBadRequest, "the body is empty", 0}
	brokenBody   = outcome{"broken", http.StatusBadRequest, "the body is not what its headers say", 0}
	unauthorized = outcome{"unauthorized", http.StatusUnauthorized, "the request is not signed as it should be", 0}

	// Passing: sending the same again later does.
	throttled   = outcome{"throttled", http.StatusServiceUnavailable, "too many requests", 5} // the scheme sets the status
	busy        = outcome{"busy", http.StatusServiceUnavailable, "too many requests at once", 5}
	slowBody    = outcome{"slow", http.StatusServiceUnavailable, "the body did not come in time", 5}
	unavailable = outcome{"unavailable", http.StatusServiceUnavailable, "not available at the moment", 30}
)

// outcomes lists the outcomes that endpoints count.
var outcomes = []outcome{
	accepted, wrongMethod, wrongType, tooLarge, emptyBody, brokenBody, unauthorized, throttled, busy, slowBody, unavailable,
}
