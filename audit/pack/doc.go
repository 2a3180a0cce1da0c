// Package pack seals evidence, so that whoever has a pack and a key can verify it without Tenure.
//
// A pack is a folder of plain files. Its manifest lists the SHA-256 of each, and is a note that is
// signed with the key of the audit record's checkpoints. Rows of the record come with a proof that
// they are in the log: see Prover. What else is in a pack is the business of whoever makes it.
// docs/evidence.md describes the files in prose.
//
// The package is pure. It knows package audit only.
package pack
