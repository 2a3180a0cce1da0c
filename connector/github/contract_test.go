//go:build real

package github_test

import (
	"net/http"
	"testing"

	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/contracttest"
)

// TestContractOfGitHub holds what the connector sends, and what the stand-in answers, to
// GitHub's OpenAPI document.
func TestContractOfGitHub(t *testing.T) {
	held := contracttest.Hold(t, contracttest.GitHub(t), contracttest.Options{
		Beside: []string{"/graphql"},
		Known: []contracttest.Known{
			{OfAnswer: true, Status: http.StatusForbidden, Problem: "a status that the contract does not list", Reason: "any request may meet a limit: see Rate limits for the REST API"},
			{
				Operation: "PUT /orgs/{org}/teams/{team_slug}/memberships/{username}", OfAnswer: true, Status: http.StatusNotFound,
				Reason: "the contract does not say what becomes of a team that is not there; 404 is GitHub's answer for whatever is not there",
			},
		},
	})
	app, settings := serve(t, nil, func(next http.Handler) http.Handler { return held.Handler(next) })
	tried := target(app, settings)
	tried.Proof = held.Proof("")
	connectortest.Run(t, tried)
}
