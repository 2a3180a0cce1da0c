// Package request finds out who decides about a request for a role, and what becomes of it as
// time goes on: whom it asks, when the next ones up are asked as well, when it expires, and when
// what it gave is there.
//
// Deciders and Proven are pure. A Desk reads the ledger for them, and writes what has changed.
// People decide through package operator, which asks the Desk whether they may.
package request
