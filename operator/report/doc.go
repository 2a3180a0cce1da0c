// Package report answers questions about people from the ledger: who they are, where they
// stand, what HR said of them, why they have access, and what was done and proven. It changes
// nothing and calls no app.
//
// Its types are what a front end shows. The command line prints them as JSON; their fields,
// and the order of these, stay.
package report

// WrongError means that a question names something that does not exist.
type WrongError struct {
	Field string // what is wrong: "department", "manager" or "entitlement"
	Value string // what was asked for
	Text  string // why it is wrong, and what may have been meant
}

func (e *WrongError) Error() string { return e.Text }
