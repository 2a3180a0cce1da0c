// Package activities is what Tenure's workflows do to the world: assess a person
// against the ledger and policy, apply one step to one account in one app, note
// what an operator decided, find people who are due.
//
// Every activity may run any number of times, be killed at any point, and run
// again, by another process too. Three rules make that safe:
//
//   - An attempt is written to the ledger before the app is called, its outcome
//     after it, in one transaction with the link and the audit row.
//   - An attempt begins by planning afresh from the ledger. A step that the plan
//     does not ask for at that moment is not applied, whoever asked for it.
//   - A step is done when the app, read again, says so.
//
// It is the one place that maps connector errors to Temporal's, and the only one
// that has both the ledger and connectors in hand. It may import everything but
// workflows, ingest and the mains.
package activities
