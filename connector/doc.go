// Package connector is the contract between Tenure and the apps that hold
// accounts: one interface, the capabilities by which an open connector says what of it
// is offered, and the error kinds by which callers decide what to do.
//
// Rules that every connector keeps (connectortest proves them):
//
//   - What Capabilities does not offer is never called; what it offers is not answered
//     by KindUnsupported. Base answers whatever a kind leaves out.
//   - Every call may be repeated. "Already so" is success: granting what is
//     granted, revoking what is not there, disabling what is disabled, deleting
//     what is gone.
//   - A call returns what the app itself answered or, where the app's answer is
//     no proof, what reading it back showed.
//   - No retries inside: the caller's engine owns those. A call honours ctx.
//   - Errors are *Error, and hold no personal data and no secret.
//
// Each kind of app is one folder below this one and one line in catalog. The
// package imports the standard library and what is shared with the HR systems
// (internal/remote, internal/settings); kinds never import each other.
package connector
