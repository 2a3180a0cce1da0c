package entra

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// The codes of Graph that decide what the connector does. Those in words are ours: Graph has
// no code for them, and says them in its message only.
const (
	codeNotFound   = "Request_ResourceNotFound"
	codeConflict   = "ObjectConflict"
	codeMember     = "is a member already"
	codeNoMember   = "is no member"
	codeAssigned   = "is assigned already"
	codeNoSeat     = "no seat is left"
	codeLocation   = "usage location"
	codeOnPremises = "mastered on premises"
	codeDefault    = "default method"
)

// phrases maps what Graph's messages say, in lower case, to codes of ours. Messages may
// change, so that only advice depends on most of them. What depends on the others fails with
// KindInvalid if they change.
var phrases = map[string]string{
	"added object references already exist":                               codeMember,
	"removed object references do not exist":                              codeNoMember,
	"conflicting object with one or more of the specified property value": codeAssigned,
	"does not have any available licenses":                                codeNoSeat,
	"invalid usage location":                                              codeLocation,
	"on-premises mastered":                                                codeOnPremises,
	"default authentication method":                                       codeDefault,
}

// graph says how Graph tells of failures (learn.microsoft.com/graph/errors and
// learn.microsoft.com/graph/resolve-auth-errors).
var graph = rest.Vendor{
	Name:  "Microsoft Graph",
	Codes: codes,
	Rules: []rest.Rule{
		{Status: 404, Code: codeNotFound, Kind: connector.KindNotFound, Advice: "it has no such object"},
		{Status: 404, Code: "Directory_ObjectNotFound", Kind: connector.KindUnavailable, Advice: "a part of the directory does not know the object yet"},
		{Op: connector.OpUpdate, Code: codeConflict, Kind: connector.KindInvalid, Advice: "another object has one of these values, such as the address: find it in the Entra admin centre"},
		{Code: codeConflict, Kind: connector.KindExists, Advice: "another object has this userPrincipalName or address"},
		{Code: codeNoSeat, Kind: connector.KindInvalid, Advice: "no seat of the licence is left: buy seats or free one, then retry the step"},
		{Code: codeLocation, Kind: connector.KindInvalid, Advice: "a licence needs to know the country: map usageLocation, or set the setting usageLocation"},
		{Code: "InvalidValue userPrincipalName", Kind: connector.KindInvalid, Advice: "it refuses the userPrincipalName: its domain must be a verified one of the tenant"},
		{Code: "Directory_QuotaExceeded", Kind: connector.KindInvalid, Advice: "the directory is full: delete what is not needed, or ask Microsoft for more"},
		{Code: "Authentication_RequestFromNonPremiumTenantOrB2CTenant", Kind: connector.KindForbidden, Advice: "the last sign-in needs Entra ID P1: set lastSignIn to false"},
		{Status: 403, Code: "Authorization_RequestDenied", Kind: connector.KindForbidden, Advice: "the app registration lacks a right (see `tenure app test`), or the account is an administrator's: then the app itself needs a directory role that is as high"},
	},
}

var word = regexp.MustCompile(`^[A-Za-z0-9_.]{1,80}$`)

// codes returns the codes in the body of an error. The details are the most specific ones.
func codes(body []byte) []string {
	type coded struct{ Code, Target, Message string }
	var answer struct {
		Error struct {
			coded
			Details    []coded
			InnerError coded
		}
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	var found []string
	said := strings.ToLower(answer.Error.Message)
	for _, detail := range answer.Error.Details {
		if word.MatchString(detail.Target) && word.MatchString(detail.Code) {
			found = append(found, detail.Code+" "+detail.Target)
		}
		found = append(found, detail.Code)
		said += "\n" + strings.ToLower(detail.Message)
	}
	found = append(found, answer.Error.InnerError.Code, answer.Error.Code)
	found = slices.DeleteFunc(found, func(code string) bool { return !word.MatchString(strings.ReplaceAll(code, " ", "")) })
	if len(found) == 0 {
		return nil
	}
	for phrase, code := range phrases {
		if strings.Contains(said, phrase) {
			found = append(found, code)
		}
	}
	return found
}

func failed(op string, kind connector.ErrorKind, message string) error {
	return &connector.Error{Kind: kind, Op: op, Message: message}
}
