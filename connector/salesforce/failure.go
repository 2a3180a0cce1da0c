package salesforce

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// The codes of Salesforce that say that a record is not there. They do not say which one: a
// wrong apiVersion is answered by NOT_FOUND too. So callers look for the user before they
// report that it is gone.
var missing = []string{"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"}

// quotaWait is how long all steps leave an org alone whose requests are used up: Salesforce does
// not say when it has some again. Those of 24 hours come back little by little, and those that
// are under way end soon.
const quotaWait = 10 * time.Second

// vendor says what Salesforce's errors mean.
var vendor = rest.Vendor{Name: "Salesforce", Codes: codes, Rules: slices.Concat(rules, blockerRules())}

var rules = []rest.Rule{
	{Code: "REQUEST_LIMIT_EXCEEDED", Kind: connector.KindRateLimited, Wait: quotaWait, Advice: "the org's API requests of 24 hours are used up, or too many are under way: see Setup, System Overview, and lower the app's rate"},
	{Code: "UNABLE_TO_LOCK_ROW", Kind: connector.KindUnavailable, Advice: "somebody else is changing the same record"},
	{Code: "SERVER_UNAVAILABLE", Kind: connector.KindUnavailable, Advice: "it is overloaded"},
	{Code: "QUERY_TIMEOUT", Kind: connector.KindUnavailable, Advice: "a query took too long"},
	{Code: "API_DISABLED_FOR_ORG", Kind: connector.KindForbidden, Advice: "the org's edition has no API"},
	{Code: "API_CURRENTLY_DISABLED", Kind: connector.KindForbidden, Advice: "the user of the connection lacks the right API Enabled"},
	{Code: "INSUFFICIENT_ACCESS_OR_READONLY", Kind: connector.KindForbidden, Advice: "the user of the connection lacks a right: see docs/apps/salesforce.md"},
	{Code: "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Kind: connector.KindForbidden, Advice: "the user of the connection lacks a right on what is to be assigned"},
	{Code: "INVALID_TYPE", Kind: connector.KindForbidden, Advice: "the user of the connection may not see an object, or the API version lacks it: see docs/apps/salesforce.md for the rights"},
	{Code: "INVALID_FIELD", Kind: connector.KindInvalid, Advice: "a field does not exist or the user of the connection may not use it: check the settings externalID and fields, and the field-level security"},
	{Code: "INVALID_FIELD_FOR_INSERT_UPDATE", Kind: connector.KindInvalid, Advice: "a field cannot be written: check the attribute mappings, and the field-level security"},

	{Op: connector.OpCreate, Code: "DUPLICATE_USERNAME", Kind: connector.KindExists, Advice: "the username is taken, here or in another org of Salesforce, since usernames are unique over all of them: if nobody has it here, choose another usernameSuffix"},
	{Op: connector.OpCreate, Code: "DUPLICATE_VALUE", Kind: connector.KindExists, Advice: "another user has a value that has to be unique, such as the person ID"},
	{Op: connector.OpRelabel, Code: "DUPLICATE_USERNAME", Kind: connector.KindExists, Advice: "the username is taken, here or in another org of Salesforce"},
	{Op: connector.OpRelabel, Code: "DUPLICATE_VALUE", Kind: connector.KindConflict, Advice: "another user has the person ID"},
	{Op: connector.OpAdopt, Code: "DUPLICATE_VALUE", Kind: connector.KindConflict, Advice: "another user has the person ID"},
	{Code: "DUPLICATE_COMM_NICKNAME", Kind: connector.KindInvalid, Advice: "another user has the CommunityNickname: map another one, or none"},

	{Code: "LICENSE_LIMIT_EXCEEDED", Kind: connector.KindInvalid, Advice: "no licence is left: buy some or free one, then retry"},
	{Code: "INVALID_EMAIL_ADDRESS", Kind: connector.KindInvalid, Advice: "the username or the address does not have the form of an e-mail address: set usernameSuffix, and check the mapping of Email"},
	{Code: "REQUIRED_FIELD_MISSING", Kind: connector.KindInvalid, Advice: "a field that has to be filled is empty: check the attribute mappings"},
	{Code: "STRING_TOO_LONG", Kind: connector.KindInvalid, Advice: "a value is too long: check the attribute mappings"},
	{Code: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Kind: connector.KindInvalid, Advice: "a value is none of those that the org allows: check the mappings and settings of time zone, locale, language, state and country"},
	{Code: "MIXED_DML_OPERATION", Kind: connector.KindInvalid, Advice: "a trigger or flow of the org changes data together with a user: have it changed to run later"},
}

// blockers say why Salesforce does not deactivate a user, and what has to be done. Salesforce
// has no code for most reasons, so that the text of its message decides, in English, the
// language that the user of the connection should have. The texts are those of the articles
// that the package's documentation names.
var blockers = []struct {
	code   string   // of Salesforce, or one of ours
	texts  []string // one of them is in the message; none if the code is Salesforce's
	reason string   // with what there is to do
}{
	{"CANNOT_DISABLE_LAST_ADMIN", nil, "it is the last administrator: give another active user the profile System Administrator"},
	{"FIELD_CUSTOM_VALIDATION_EXCEPTION", nil, "a validation rule or trigger of the org forbids it: see Setup, Object Manager, User, Validation Rules and Triggers"},
	{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", nil, "a trigger or flow of the org fails on it: see Setup, Object Manager, User, Triggers and Flow Triggers"},
	{"blocked: hierarchy field", []string{"hierarchy field"}, "a hierarchy field of another user points to it: clear that field (Manager, or a custom one) in those users"},
	{"blocked: approval", []string{"approv"}, "an approval process names it: see Setup, Approval Processes, and reassign its open approvals"},
	{"blocked: web-to-lead", []string{"web to lead", "web-to-lead", "default lead creator"}, "it is the default creator of Web-to-Lead: see Setup, Web-to-Lead"},
	{"blocked: lead owner", []string{"owner of leads", "lead owner", "lead settings"}, "it is the default owner of leads: see Setup, Lead Settings"},
	{"blocked: case owner", []string{"owner of cases", "case owner", "case user", "case creator"}, "it is the default owner, creator or automated user of cases: see Setup, Support Settings"},
	{"blocked: workflow user", []string{"workflow user"}, "it is the default workflow user: see Setup, Process Automation Settings"},
	{"blocked: assignment rule", []string{"assignment rule", "auto-response", "auto response"}, "an assignment or auto-response rule of leads or cases names it: see Setup, Assignment Rules and Auto-Response Rules"},
	{"blocked: workflow", []string{"workflow", "field update", "email alert"}, "a workflow names it (field update, task or e-mail alert): see Setup, Workflow Rules, Field Updates, Email Alerts"},
}

// unknownBlocker is the reason for a refusal that is in no row of blockers.
const unknownBlocker = "it does not say why in a way that Tenure knows: open the user in Setup, Users, clear Active, and see what it says"

// blockerRules returns what refusals of a deactivation mean.
func blockerRules() []rest.Rule {
	var all []rest.Rule
	for _, b := range blockers {
		all = append(all, rest.Rule{Op: connector.OpDisable, Code: b.code, Kind: connector.KindInvalid, Advice: b.reason + "; then retry"})
		if b.texts == nil {
			all = append(all, rest.Rule{Code: b.code, Kind: connector.KindInvalid, Advice: "a validation rule, trigger or flow of the org refuses the change: see Setup, Object Manager, User"})
		}
	}
	return append(all,
		rest.Rule{Code: "NOT_FOUND", Kind: connector.KindInvalid, Advice: "it knows no such resource: check the settings url and apiVersion"},
		rest.Rule{Op: connector.OpDisable, Status: http.StatusBadRequest, Kind: connector.KindInvalid, Advice: unknownBlocker + "; then retry"},
	)
}

// codeForm is the form of Salesforce's codes, and of OAuth's.
var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{1,79}$`)

// codes returns the codes in the body of an error: a list of errors, or one of OAuth's. The
// codes that blockers finds by the messages come last.
func codes(body []byte) []string {
	var oauth struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &oauth) == nil && codeForm.MatchString(oauth.Error) {
		return []string{oauth.Error}
	}
	var list []struct {
		Code    string `json:"errorCode"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &list) != nil {
		return nil
	}
	var known, found []string
	for _, one := range list {
		if !codeForm.MatchString(one.Code) {
			continue
		}
		known = append(known, one.Code)
		message := strings.ToLower(one.Message)
		for _, b := range blockers {
			if slices.ContainsFunc(b.texts, func(text string) bool { return strings.Contains(message, text) }) {
				found = append(found, b.code)
			}
		}
	}
	return append(known, found...)
}

// gone returns the error for a user that is not there.
func gone(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "Salesforce has no such user"}
}
