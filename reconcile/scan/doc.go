// Package scan looks at all accounts of an app, and compares them with the ledger.
//
// A [Scanner] lists the app page by page into the ledger, decides whether the list is to be
// believed, has package reconcile judge each account, and stores the verdicts. It changes no
// app. Each page is one transaction of the ledger, which also keeps where the scan goes on,
// so that a process that dies loses one page at most.
//
// The package knows nothing of Temporal: package activities calls it.
package scan
