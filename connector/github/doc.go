// Package github connects Tenure to a GitHub organisation by its REST API: membership, the role
// of owner, and teams. The accounts are people's own: Tenure invites them and removes them.
//
// An invitation that waits to be accepted counts as an active account. Whoever has it can
// accept it at any time, so that a leaver's has to be cancelled as a membership has to be ended.
//
// GitHub keeps no external ID. Whose a login is, the configuration says: see Kind.
//
// Sources: docs.github.com/rest (orgs/members, orgs/outside-collaborators, orgs/orgs, teams/members,
// users/users, apps/apps), "Rate limits for the REST API", "Best practices for using the REST
// API", docs.github.com/graphql (Organization.teams), and GitHub's OpenAPI document, to which
// TestContractOfGitHub holds both sides.
package github
