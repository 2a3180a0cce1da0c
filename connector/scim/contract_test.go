//go:build real

package scim_test

import (
	"slices"
	"testing"

	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/contracttest"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// TestContractOfGitHub holds both profiles of GitHub, and their stand-ins, to GitHub's own
// contract. `make test-real` fetches it.
func TestContractOfGitHub(t *testing.T) {
	both := []contracttest.Known{
		{At: "Content-Type", Problem: "application/scim+json", Reason: "RFC 7644 section 3.1 asks for it, and the identity providers that GitHub names send it"},
		{OfAnswer: true, At: "/status", Problem: "is string", Reason: "RFC 7644 section 3.12 has a string; the contract an integer"},
	}
	for name, c := range map[string]struct {
		at    string
		known []contracttest.Known
	}{
		"github-emu": {"/scim/v2/enterprises/octo-corp", []contracttest.Known{
			{
				Operation: "PATCH /scim/v2/enterprises/{enterprise}/Users/{scim_user_id}", At: "/Operations/*/value", Problem: "is object",
				Reason: "the schema has a string; the text beside it has this very object",
			},
			{
				Operation: "PATCH /scim/v2/enterprises/{enterprise}/Groups/{scim_group_id}", At: "/Operations/*/value", Problem: "is array",
				Reason: "the schema has a string; the example beside it a list of members",
			},
			{
				Operation: "PATCH /scim/v2/enterprises/{enterprise}/Groups/{scim_group_id}", At: "/Operations/*/op",
				Reason: "when a removal by lower case was refused, as for an unknown member, the connector tries Remove",
			},
			{
				Operation: "POST /scim/v2/enterprises/{enterprise}/Users", Problem: "lacks externalId",
				Reason: "the suite makes accounts that nobody owns; Tenure makes none",
			},
			{OfAnswer: true, Status: 401, Problem: "has a body", Reason: "the stand-in answers as RFC 7644 says; the contract lists no body"},
			{OfAnswer: true, Status: 409, Problem: "has a body", Reason: "the stand-in answers as RFC 7644 says; the contract lists no body"},
		}},
		"github-org": {"/scim/v2/organizations/octo-org", []contracttest.Known{
			{
				Operation: "PATCH /scim/v2/organizations/{org}/Users/{scim_user_id}", At: "/Operations/*/value/displayName",
				Reason: "the schema lacks it; the example beside it changes it",
			},
			{
				Operation: "PATCH /scim/v2/organizations/{org}/Users/{scim_user_id}", At: "/Operations/*/value/name",
				Reason: "the schema has givenName without name around it, which is no form of RFC 7644; a creation has name",
			},
			{
				Operation: "PATCH /scim/v2/organizations/{org}/Users/{scim_user_id}", OfAnswer: true, Status: 409,
				Reason: "a username that somebody has; the contract lists no such answer",
			},
			{
				Operation: "PATCH /scim/v2/organizations/{org}/Users/{scim_user_id}", OfAnswer: true, Status: 429,
				Reason: "the stand-in's quota answers as RFC 7644 says; the contract has an error of the REST API here, and here alone",
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			held := contracttest.Hold(t, contracttest.GitHub(t), contracttest.Options{
				Base: scimtest.BasePath, At: c.at, Known: slices.Concat(both, c.known),
			})
			_, tried := vendorTarget(t, name, held.Handler)
			tried.Proof = held.Proof("profile " + name)
			connectortest.Run(t, tried)
		})
	}
}
