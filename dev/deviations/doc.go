// Package deviations has administrators change accounts past Tenure, with the tools of servers
// that are not ours, and sees what a scan finds and what is repaired. Then it holds a review of the
// same company. `make test-real` starts the servers and runs it.
package deviations
