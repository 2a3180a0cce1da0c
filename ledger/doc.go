// Package ledger is Tenure's own record: what HR said, who has what, what was
// done and why. It is the truth for those; Temporal is the truth for what is
// running.
//
// Ledger is the interface that every store implements; ledgertest is the suite
// that every store passes; sqlite (and later postgres) are the stores. The
// package may import hr and the standard library; stores never import each
// other.
package ledger
