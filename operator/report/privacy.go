package report

// Elsewhere is a place outside the ledger that holds something of a person.
type Elsewhere struct {
	Where   string `json:"where"`
	What    string `json:"what"`
	Until   string `json:"until"`
	Problem string `json:"problem,omitempty"` // why it is not known how long
}
