// Package connector is the contract between Tenure and the apps that hold
// accounts: one interface, the capabilities by which an open connector says which of its
// methods it offers, and the error kinds by which callers decide what to do.
//
// Rules that every connector keeps (connectortest proves them):
//
//   - Tenure never makes a call that Capabilities does not offer. A call that is offered
//     does not fail as KindUnsupported. Base answers the calls that a kind leaves out.
//   - Every call may be repeated. It succeeds if there is nothing to do: the entitlement
//     is granted or revoked already, the account is disabled or deleted already.
//   - A call returns what the app itself answered or, if the app's answer is
//     no proof, what reading it back showed.
//   - A connector does not retry: its callers do. A call honours ctx.
//   - Errors are *Error, and hold no personal data and no secret.
//
// Each kind of app is one folder below this one and one line in catalog. The
// package imports the standard library, golang.org/x/text and what it shares with the HR
// systems (internal/remote, internal/settings). Kinds never import each other.
package connector
