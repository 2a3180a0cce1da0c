// Package githubtest is a stand-in for GitHub's API, with one organisation. It is used by tests
// only.
//
// It behaves as GitHub's documentation says, and its answers are held to GitHub's OpenAPI
// document by TestContractOfGitHub. Switches make it fail as GitHub does. It was written by us:
// that the connector passes on it does not prove that it works with GitHub.
package githubtest
