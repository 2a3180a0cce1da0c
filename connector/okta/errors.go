package okta

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Okta's error codes (https://developer.okta.com/docs/reference/error-codes/).
const (
	invalid     = "E0000001" // API validation failed
	notFound    = "E0000007" // resource not found
	noFeature   = "E0000015" // no permission for a feature; with status 401 or 403
	isOn        = "E0000016" // activation failed because the user is already active
	notLocked   = "E0000032" // unlock is not allowed for this user
	wrongStatus = "E0000038" // not allowed in the user's current status
	notThere    = "E0000060" // unsupported operation
	hasRole     = "E0000090" // the role is assigned already
	activating  = "E0000112" // the user is still being activated
)

// The codes below are ours: they stand for what Okta says only in words.
const (
	duplicate = "exists already" // a cause of E0000001: an object with this field already exists
	undefined = "not in the profile"
	noGroup   = "group" // what E0000007 did not find is a group
)

var errorCode = regexp.MustCompile(`^E\d{7}$`)

// vendor says what Okta's errors mean. A 404 without its code proves nothing: Okta's own
// recorded traffic has one with another body.
var vendor = rest.Vendor{
	Name:  "Okta",
	Codes: codes,
	Rules: []rest.Rule{
		{Code: duplicate, Op: connector.OpCreate, Kind: connector.KindExists, Advice: "there is such an account"},
		{Code: duplicate, Op: connector.OpRelabel, Kind: connector.KindExists, Advice: "another account has this login"},
		{Code: duplicate, Kind: connector.KindInvalid, Advice: "another account has a value that may be there once only: check the attribute mappings"},
		{Code: undefined, Kind: connector.KindInvalid, Advice: "policy maps an attribute that the Okta user profile does not have: add it in the Profile Editor, or correct the mapping"},
		{Status: http.StatusNotFound, Code: noGroup, Kind: connector.KindUnavailable, Advice: "the group has just been deleted"},
		{Status: http.StatusNotFound, Code: notFound, Kind: connector.KindNotFound, Advice: "it has no such user"},
		{Code: noFeature, Kind: connector.KindForbidden, Advice: "the credentials, or the org's edition, lack this feature"},
		{Code: wrongStatus, Op: connector.OpAdopt, Kind: connector.KindInvalid, Advice: deactivated},
		{Code: wrongStatus, Op: connector.OpUpdate, Kind: connector.KindInvalid, Advice: deactivated},
		{Code: wrongStatus, Op: connector.OpRelabel, Kind: connector.KindInvalid, Advice: deactivated},
		{Code: wrongStatus, Op: connector.OpResetCredentials, Kind: connector.KindInvalid, Advice: "it resets no credentials in the account's status: do it by hand, or keep the credentials"},
		{Code: wrongStatus, Kind: connector.KindUnavailable, Advice: "somebody changed the account's status meanwhile"},
		{Code: isOn, Kind: connector.KindUnavailable, Advice: "somebody changed the account's status meanwhile"},
		{Code: activating, Kind: connector.KindUnavailable, Advice: "it is still activating the account", Wait: time.Minute},
		{Code: notLocked, Kind: connector.KindInvalid, Advice: "it does not unlock the account, which it would have to before it can suspend it: if the account comes from a directory such as Active Directory, disable it there"},
		{Code: notThere, Kind: connector.KindInvalid, Advice: "it does not offer this for the account or the group"},
	},
}

const deactivated = "it does not change deactivated accounts: activate it by hand, or allow it (Directory > People > More actions > Edit Deactivated User Profile Updates)"

// codes returns the codes in an error's body, and ours for what its texts say.
func codes(body []byte) []string {
	var e struct {
		Code    string `json:"errorCode"`
		Summary string `json:"errorSummary"`
		Causes  []struct {
			Summary string `json:"errorSummary"`
		} `json:"errorCauses"`
	}
	if json.Unmarshal(body, &e) != nil || !errorCode.MatchString(e.Code) {
		return nil
	}
	var found []string
	if e.Code == notFound && strings.HasSuffix(e.Summary, "(UserGroup)") {
		found = append(found, noGroup)
	}
	for _, cause := range e.Causes {
		switch {
		case e.Code != invalid:
		case strings.Contains(cause.Summary, "already exists"):
			found = append(found, duplicate)
		case strings.Contains(cause.Summary, "not defined in profile"):
			found = append(found, undefined)
		}
	}
	return append(found, e.Code)
}
