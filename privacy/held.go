package privacy

// Held says of a table of the ledger what it holds of people, as records of processing have it.
type Held struct {
	Table string `json:"table"`
	What  string `json:"what"`
	From  string `json:"from"`  // where it comes from
	For   string `json:"for"`   // what it is for
	Until string `json:"until"` // how long it is kept
}

// How long things are kept.
const (
	untilErased  = "erased with the person"
	textErased   = "its text: erased with the person; that it was: kept with the record"
	recordErased = "what humans wrote, and what names the person: erased with them; the rest: kept, under the person's ID"
)

const (
	fromHR        = "HR's events"
	fromTenure    = "Tenure"
	fromApps      = "the apps"
	fromOperators = "operators"
	fromPeople    = "whoever asked and decided"
)

// Ledger lists what the ledger holds of people, table by table.
var Ledger = []Held{
	{"people", "name, username, department, title, manager, status, and what is due when", fromHR + ", and Tenure for the username", "to show who somebody is, and to know when access begins and ends", untilErased + "; the ID, the status and the day of the erasure stay"},
	{"events", "everything HR said: names, addresses, telephone, employee number, job, place, manager, dates, reasons, attributes", fromHR, "to derive what somebody should have, at any time", untilErased + "; the key of each event stays, so that reading it again brings nothing back"},
	{"links", "which account is theirs in which app: its ID, username, state and entitlements", fromTenure + ", after each call that an app proved", "to turn access on and off, and to prove it", untilErased + "; if an account is kept, its ID stays"},
	{"identifiers", "usernames, addresses, employee number and account IDs, present and former", fromHR + ", and Tenure", "to recognise accounts, and never to give a name twice", "replaced by keyed digests with the erasure"},
	{"observed", "accounts in apps as a scan saw them: username, addresses, entitlements, last use", fromApps, "to find what differs from what should be there", "until the account is gone, or the person is erased; a scan of an app that still has the account shows it again"},
	{"findings", "accounts that differ from what should be there", fromTenure, "to repair them, or to ask about them", textErased},
	{"steps", "what was done for them in apps, with the last error", fromTenure, "to go on after a failure", textErased},
	{"attempts", "calls of apps that may be under way", fromTenure, "to do nothing twice", untilErased},
	{"waivers", "conflicts that an operator skipped, and why", fromOperators, "not to ask again", textErased},
	{"withdrawals", "changes that the breaker counts", fromTenure, "to stop mass changes", textErased},
	{"tasks", "what humans were asked to do in apps, with the data that they needed", fromTenure + ", and " + fromOperators, "to have it done where there is no interface", textErased},
	{"approvals", "deletions that had to be approved, and why they were", fromOperators, "to delete nothing unasked", textErased},
	{"holds", "legal holds, and why", fromOperators, "to delete nothing that is needed in a dispute", textErased},
	{"retentions", "how long their accounts are kept, and why", fromOperators, "to delete neither too early nor too late", textErased},
	{"exceptions", "access beyond the rules, or withheld, and why", fromPeople, "to give it, and to take it in time", textErased},
	{"requests", "what was asked for them and by them, and why", fromPeople, "to decide about access", textErased},
	{"votes", "who was asked about a request, what they said, and why", fromPeople, "to show who approved what", textErased},
	{"stand_ins", "who decided in whose place, and why", fromPeople, "to have somebody decide", textErased},
	{"reviews", "reviews that are about one person only, and why", fromOperators, "to review access", textErased},
	{"review_items", "decisions about their access, and by them", fromPeople, "to show that access was reviewed", textErased},
	{"review_accesses", "the access that a review was about", fromTenure, "to show what was reviewed", textErased},
	{"same_people", "that two IDs are one human, and why", fromOperators + ", and HR", "to give nobody two accounts", textErased},
	{"dead_letters", "that a record of HR about them could not be read, where it is, and why", fromTenure, "to read it again", textErased + "; the record itself is in Kafka"},
	{"notices", "that somebody was told something about them, or they were", fromTenure, "to tell everything once", textErased},
	{"audit", "what was done, by whom, when and why", fromTenure + ", and " + fromOperators, "to prove it", recordErased},
}

// Of returns what is known of a table.
func Of(table string) (Held, bool) {
	for _, h := range Ledger {
		if h.Table == table {
			return h, true
		}
	}
	return Held{}, false
}
