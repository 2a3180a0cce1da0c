package vendortest

// Account is an account as a stand-in has it, whatever its API shows.
type Account struct {
	ID       string
	PersonID string // empty for accounts of the stand-in itself
	Active   bool
	Deleted  bool // it is in the recycle bin
	Family   string
	Title    string
	Manager  string   // the ID of the manager's account
	Groups   []string // sorted
	Sessions int      // sessions and tokens that go on, each of which has to be ended by itself
}
