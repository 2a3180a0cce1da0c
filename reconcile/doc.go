// Package reconcile decides what an app's accounts mean that a scan has seen: which of them
// differ from the ledger, in what way, and what is to be done about it.
//
// It is pure. [Judge] takes what is known of one account and returns findings, and
// [Doubts] says why a list is not to be believed. Nothing is written to an app because of a
// finding: the reaction [Repair] corrects what Tenure believes, and planning does the rest
// with its guards (docs/adr/0048).
//
// The package imports the standard library and internal/set.
package reconcile
