package bench

import (
	"slices"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// costs is the least number of requests that a vendor's protocol needs for one thing. Where a
// number is more than one would think, reasons says why. All of it holds for the settings
// of startVendors: with more of them on, more has to be read.
type costs struct {
	find     int // looking for an account of somebody who has none yet
	create   int
	read     int // the account with its entitlements
	state    int // the account without them
	update   int // any number of attributes
	join     int // before any number of entitlements are given
	grant    int // one entitlement
	see      int // before any number of entitlements are taken
	revoke   int // one entitlement
	disable  int
	sessions int // ending them, if there are none
	enable   int
	remove   int // deleting the account; 0: accounts are kept
	restore  int // bringing it back from the recycle bin
}

var entraCosts = costs{
	find: 3, create: 2, read: 2, state: 1, update: 2, grant: 1, see: 1, revoke: 1, disable: 1, sessions: 1, enable: 1, remove: 2, restore: 1,
}

var googleCosts = costs{
	find: 2, create: 1, read: 2, state: 1, update: 2, join: 1, grant: 1, revoke: 1, disable: 3, sessions: 3, enable: 2, remove: 1, restore: 2,
}

var oktaCosts = costs{
	find: 3, create: 3, read: 2, state: 1, update: 1, grant: 1, revoke: 1, disable: 1, sessions: 1, enable: 1, remove: 2,
}

var salesforceCosts = costs{
	find: 2, create: 3, read: 5, state: 2, update: 1, grant: 1, revoke: 2, disable: 3, sessions: 4, enable: 3,
}

// reasons says why the costs are more than one would think.
var reasons = []string{
	"Entra ID. " + "find: a query for each key (employeeId, userPrincipalName, mail). create: POST, whose answer has few properties, and GET. " +
		"read: the user, memberOf. update: PATCH, which cannot set the manager, and manager/$ref. " +
		"remove entitlements: memberOf first, since names of groups are not unique. delete: GET first, since whoever comes from Active Directory is deleted there",
	"Google. " + "find: a search, which lags, and the address. read: the user, the groups. update: GET, PUT, since lists are replaced whole. " +
		"give entitlements: GET first, except to a new user, since members are added by their address. " +
		"disable: GET, backup codes, PUT, since the codes of who is suspended cannot be invalidated. end sessions: signOut, tokens, app passwords. " +
		"enable: GET, PUT, since an archived user takes another change. restore: GET, since nobody can be undeleted twice, and POST",
	"Okta. " + "find: a search, which lags, what has changed since, and the login. create: POST without mail, activate, and GET whether that is over. " +
		"read: the user, the groups. delete: DELETE twice",
	"Salesforce. " + "find: User, and whether the query hides anybody. create: POST, whose answer has only the ID, User and UserLogin. " +
		"read: User, UserLogin and three kinds of assignments, each a query (the Composite API, which is not used, would put them into one request). " +
		"remove an entitlement: its row, DELETE. disable: UserLogin, freeze, deactivate; enable: the same. " +
		"end sessions: AuthSession and OauthToken before and after, or User if there were none",
}

// least returns the least number of requests that make one account of what another was, in
// one run of a person's workflow, with the proof of each step: what was changed is read again.
// Either may be the zero Account, if there was or is none.
func (c costs) least(before, after vendortest.Account) int {
	granted, revoked := without(after.Groups, before.Groups), without(before.Groups, after.Groups)
	there, is := before.ID != "" && !before.Deleted, after.ID != "" && !after.Deleted
	attributes := 0
	if before.Title != after.Title || before.Family != after.Family || before.Manager != after.Manager {
		attributes = c.update
	}
	// What is enabled or stripped is looked at first: somebody may have changed it meanwhile.
	disabled := c.disable + c.sessions + before.Sessions + c.state
	stripped := c.read + c.taken(revoked)
	if revoked > 0 {
		stripped += c.read - c.see // the first look has shown it
	}
	removed := c.remove + c.state
	switch {
	case !there && is && after.ID == before.ID: // somebody may have made another one meanwhile
		return c.find + c.restore + c.read + c.enable + c.given(granted) + c.read
	case !there && is:
		return c.find + c.create + granted*c.grant + c.read // the answer to the creation says what join looks for
	case there && !is && before.Active:
		return disabled + stripped + removed
	case there && !is:
		return stripped + removed
	case before.Active && !after.Active && revoked > 0:
		return disabled + stripped
	case before.Active && !after.Active:
		return disabled
	case !before.Active && after.Active:
		return c.read + c.enable + attributes + c.given(granted) + c.taken(revoked) + c.read
	case granted+revoked > 0:
		return attributes + c.given(granted) + c.taken(revoked) + c.read
	case attributes > 0:
		return attributes + c.state
	}
	return 0
}

func (c costs) given(n int) int {
	if n == 0 {
		return 0
	}
	return c.join + n*c.grant
}

func (c costs) taken(n int) int {
	if n == 0 {
		return 0
	}
	return c.see + n*c.revoke
}

// without returns how many of a are not in b.
func without(a, b []string) int {
	return len(slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) }))
}
