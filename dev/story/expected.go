package story

// Expected is how every account stands when the story is over, as the policy of
// the embedded stack means it: person -> app -> State. An app that is not there
// is one in which the person has no account.
func Expected() map[string]map[string]string {
	return map[string]map[string]string{
		ada:       {"directory": "on: everyone, staff", "chat": "on: engineering, general", "wiki": "on: engineers, readers"},
		katherine: {"directory": "on: everyone, managers, staff", "chat": "on: engineering, general", "wiki": "on: engineers, readers"},
		grace:     {"directory": "on: everyone, staff", "chat": "on: general, sales", "wiki": "on: readers", "crm": "on: sales"},
		alan:      {"directory": "on: everyone, staff", "chat": "on: engineering, general", "wiki": "on: engineers, readers"},
		margaret:  {},
		hedy:      {"directory": "on: everyone, staff", "chat": "on: general, support", "wiki": "on: readers", "crm": "on: support"},
		ken:       {},
		radia:     {"directory": "on: everyone, finance, staff", "chat": "on: general", "wiki": "on: readers", "crm": "on: billing"},
		edsger:    {},
		barbara:   {"directory": "on: everyone, staff", "chat": "on: engineering, general", "wiki": "on: readers, researchers"},
		annie:     {},
		tim:       {},
		dennis:    {"directory": "on: everyone, staff", "chat": "on: general", "wiki": "on: editors, readers", "crm": "on: marketing"},
		joan:      {"directory": "on: everyone, staff", "chat": "on: general, sales", "wiki": "on: readers"},
		linus:     {"directory": "on: everyone, staff", "chat": "on: engineering, general", "wiki": "on: engineers, readers"},
		temp:      {}, // it has ended like a leaver's
		konrad:    {"directory": "on: everyone, staff", "chat": "on: engineering, general", "wiki": "on: engineers, quality, readers"},
	}
}
