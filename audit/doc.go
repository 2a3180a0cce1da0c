// Package audit makes the audit record a Merkle log, and verifies it.
//
// A Row of the record becomes a leaf: a line of JSON, and its hash. The hashes form the tree of
// RFC 6962, which is kept in tiles (C2SP tlog-tiles). A Checkpoint names the log, its size and
// its root, and is a signed note (C2SP tlog-checkpoint). Whoever keeps one checkpoint notices if
// anything before it is changed: see Verify. docs/evidence.md describes all of it in prose.
//
// The package is pure. It imports nothing of Tenure.
package audit
