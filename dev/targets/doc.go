// Package targets has the servers that are not ours, as `make test-real` starts them, each with
// groups of its own for one run. They are read and changed by what comes with them: OpenLDAP's
// programs, psql, and plain HTTP, and nothing of the product reads them, so that a test can compare what
// the product believes with what is there.
package targets
