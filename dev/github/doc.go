// Package github tests the files that only GitHub runs: workflows, dependabot's
// configuration and the forms for issues. They are held against the Makefile and
// the folders that they name.
package github
