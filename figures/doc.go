// Package figures defines the five figures of user provisioning, and computes them from the record:
// the time to provision, the time to deprovision, the orphaned-account rate, the completion rate of
// access reviews, and the provisioning error rate. Every front end shows what it computes, so that
// there is one number. It only reads the ledger. docs/figures.md has the definitions for people.
package figures
