// Package evidence makes the evidence pack of a quarter in the history of a company of a thousand,
// measures it, has both verifiers verify it, and prints its page with a browser that is not ours.
// `make test-real` runs it.
package evidence
