package github

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// The codes that this package gives to GitHub's messages, which have few of their own.
const (
	notFound  = "not found" // also what the token may not see
	secondary = "secondary rate limit"
	primary   = "rate limit"
	invites   = "invitation limit"
	noSeat    = "no_seat"
)

// vendor says what GitHub's errors mean. A 404 is no NotFound: it also stands for what the
// token may not see, so that each call decides by itself.
var vendor = rest.Vendor{Name: "GitHub", Codes: codes, Rules: []rest.Rule{
	// "If the retry-after header is not present ... wait for at least one minute".
	{Code: secondary, Kind: connector.KindRateLimited, Wait: time.Minute, Advice: "too many requests at once or in a short time: lower the app's rate and atOnce, since GitHub bans who goes on"},
	{Code: primary, Kind: connector.KindRateLimited, Advice: "the requests of this hour are used up: lower the app's rate"},
	{Code: invites, Kind: connector.KindRateLimited, Wait: time.Hour, Advice: "the invitations of 24 hours are used up (50 in a new organisation, else 500)"},
	{Code: noSeat, Kind: connector.KindInvalid, Advice: "the plan has no seat left: buy one or free one, then retry"},
	{Code: notFound, Kind: connector.KindForbidden, Advice: "it is not there, or the credentials may not see it: check the settings org and saml, and the rights in docs/apps/github.md"},
	{Op: connector.OpGrant, Status: http.StatusForbidden, Kind: connector.KindForbidden, Advice: teamRefused},
	{Op: connector.OpRevoke, Status: http.StatusForbidden, Kind: connector.KindForbidden, Advice: teamRefused},
	{Op: connector.OpDisable, Status: http.StatusUnprocessableEntity, Kind: connector.KindInvalid, Advice: "the user is a member still: take them out of the enterprise teams that give them membership (Enterprise settings, Teams), then retry"},
	{Op: connector.OpDisable, Status: http.StatusForbidden, Kind: connector.KindForbidden, Advice: "the credentials lack the right to remove members, or the user is the last owner: make somebody else an owner, then retry"},
}}

const teamRefused = "the team is synchronised from an identity provider, which then has to change it, or the credentials lack the right to change it"

// codes returns the codes in the body of an error of GitHub's.
func codes(body []byte) []string {
	var told struct {
		Message       *string `json:"message"`
		Documentation string  `json:"documentation_url"`
		Errors        []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &told) != nil || told.Message == nil || told.Documentation == "" {
		return nil
	}
	var found []string
	for _, one := range told.Errors {
		if one.Code == noSeat {
			found = append(found, noSeat)
		}
		if message := strings.ToLower(one.Message); strings.Contains(message, "invitation") && strings.Contains(message, "limit") {
			found = append(found, invites)
		}
	}
	switch message := strings.ToLower(*told.Message); {
	case strings.Contains(message, "invitation") && strings.Contains(message, "limit"):
		found = append(found, invites)
	case strings.Contains(message, "secondary rate limit") || strings.Contains(message, "abuse detection"):
		found = append(found, secondary)
	case strings.Contains(message, "rate limit"):
		found = append(found, primary)
	case message == "not found":
		found = append(found, notFound)
	}
	return found
}

// gone returns the error for somebody who is neither a member nor invited.
func gone(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the user is neither a member of the organisation nor invited"}
}
