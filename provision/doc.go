// Package provision is the engine: it gives people accounts and takes them away. It
// assesses a person against the ledger and policy, applies one step to one account in one
// app, and cuts a person off when nothing else can (break-glass).
//
// Every method may run any number of times, be killed at any point, and run again, by
// another process too. Three rules make that safe:
//
//   - An attempt is written to the ledger before the app is called (its intent), its
//     outcome after it, in one transaction with the link and the audit row.
//   - An attempt begins by planning afresh from the ledger. A step that the plan does not
//     ask for at that moment is not applied, whoever asked for it. Nor is one that the
//     breaker has not admitted.
//   - A step is done when the app, read again, says so (its proof).
//
// The engine knows nothing of who runs it: it returns an *Error, which says whether another
// attempt may help, and package activities tells Temporal so. It is the only package that
// has both the ledger and connectors in hand. It may import everything below it, and
// nothing of Temporal.
package provision
