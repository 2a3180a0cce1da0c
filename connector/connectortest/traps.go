package connectortest

// Trap is a way in which a vendor is known to answer by which callers have come to grief. It is
// tried in at least one of three ways.
type Trap struct {
	What string
	// Switch is the stand-in's switch that sets it. In some run of the suite the switch is on.
	Switch string
	// Section is the section of the suite that sets it by itself, in every run.
	Section string
	// Test is a test of the kind's package. It shows what the suite does not look at, or a trap
	// that the stand-in cannot be without.
	Test string
}

// Traps lists the traps of each kind's vendor. RunTrapped compares it with the stand-ins and
// with the runs.
var Traps = map[string][]Trap{
	"entra": append([]Trap{
		{What: "a new user is answered by 404", Switch: "NotFoundReads", Section: "Settling", Test: "TestACreationIsProvenByItsAnswer"},
		{What: "a read shows what was before a change", Switch: "StaleReads", Section: "Settling"},
		{What: "a member is added, and answered by 404", Switch: "MemberAddedBut404"},
		{What: "a membership is not shown yet", Switch: "MembersUnseen", Section: "Settling", Test: "TestAMembershipThatIsNotShownYetIsTaken"},
		{What: "a filter is ignored without a word", Switch: "SilentFilter", Test: "TestAFilterThatGraphIgnoresFindsNobody"},
		{What: "a licence is accepted, and fails later", Switch: "LicenceError", Test: "TestALicenceThatFailsLaterIsNotGranted"},
		{What: "the next page is on another host", Switch: "ForeignNextLink", Test: "TestTheNextPageStaysOnTheHost"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "what is not selected is not shown", Section: "Create"},
		{What: "a duplicate is 400 with ObjectConflict", Section: "CreateTwice"},
		{What: "a member who is there already is refused", Section: "Repetition"},
		{What: "a password in the same request keeps an account enabled", Test: "TestDisablingSendsNothingElse"},
		{What: "administrators are changed by apps with a role only", Test: "TestAdministratorsNeedARoleOfTheApp"},
		{What: "dynamic groups, and those of Exchange, are not changed", Test: "TestGroupsThatGraphDoesNotChange"},
		{What: "accounts from Active Directory are changed there", Test: "TestAccountsFromActiveDirectory"},
		{What: "a licence needs a location, and one from a group goes with the group", Test: "TestLicences"},
		{What: "tokens and devices outlive a revocation of sessions", Test: "TestDevicesAreDisabledWithTheSessions"},
		{What: "groups come without names", Test: "TestGroupsWithoutNamesAreNoGroups"},
		{What: "filters ignore the case of a person ID", Test: "TestAPersonIDIsComparedByCase"},
		{What: "a deleted user is in a bin for 30 days", Section: "Restore"},
		{What: "a mailbox cannot be handed over by Graph", Test: "TestDataIsHandedOverByHumans"},
	}, everywhere...),
	"github": append([]Trap{
		{What: "a membership is pending until the invitation is accepted", Switch: "Pending", Test: "TestALeaversInvitationIsCancelled"},
		{What: "the invitations of a day are used up", Switch: "Invitations", Test: "TestLimitsAreNoMissingRights"},
		{What: "there is no seat", Switch: "NoSeat", Test: "TestLimitsAreNoMissingRights"},
		{What: "the limit of the hour is 403, until an instant", Switch: "Primary", Test: "TestLimitsAreNoMissingRights"},
		{What: "a limit is 429", Switch: "As", Test: "TestLimitsAreNoMissingRights"},
		{What: "a limit of requests at once is 403, and does not say how long", Section: "Refused"},
		{What: "GraphQL's points are used up, and the answer is 200", Switch: "QueryLimit", Test: "TestLimitsAreNoMissingRights"},
		{What: "what the token may not see is 404", Switch: "Hidden", Test: "TestNobodyIsGoneUnlessGitHubShowsTheOrganisation"},
		{What: "the last owner cannot be removed", Switch: "LastOwner"},
		{What: "the next page is on another host", Switch: "Elsewhere", Test: "TestInvitationsOfOthersAndPagesElsewhere"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "outside collaborators, and members by an enterprise team, stay", Test: "TestALeaverKeepsNothing"},
		{What: "credentials that were authorised outlive the membership", Test: "TestALeaverKeepsNothing"},
		{What: "a team follows an identity provider, and whoever is put into one is invited", Test: "TestTeams"},
		{What: "a login is renamed, and given to somebody else", Test: "TestLogins"},
	}, everywhere...),
	"google": append([]Trap{
		{What: "a new user is answered by 404", Switch: "NotFoundAfterCreate", Section: "Settling"},
		{What: "a new user is not complete, and cannot be changed", Switch: "CreationIncomplete", Section: "Settling"},
		{What: "a search does not show a new user", Switch: "SearchesLag", Section: "Settling", Test: "TestASearchThatLagsDoesNotHideAPersonsAccount"},
		{What: "a membership is not shown yet", Switch: "MembershipsLag", Section: "Settling"},
		{What: "a member is added, and answered by 404", Switch: "MemberAddedBut404", Test: "TestAMemberWhoWasAddedAndAnsweredBy404"},
		{What: "a quota is 403", Switch: "QuotaEvery", Test: "TestAQuotaIsNoMissingRight"},
		{What: "a quota of calls at a time is 403 too", Switch: "QuotaReason", Test: "TestAQuotaIsNoMissingRight"},
		{What: "a transfer of data takes its time", Switch: "TransferPolls", Section: "LongOperation", Test: "TestDataIsHandedOverAcrossAttempts"},
		{What: "a transfer of data fails", Switch: "TransferFails", Test: "TestATransferThatFails"},
		{What: "a transfer leaves private files out unless they are named", Test: "TestDataIsHandedOverAcrossAttempts"},
		{What: "backup codes are not invalidated, and cannot be once the user is suspended", Switch: "CodesFail", Test: "TestALeaverIsSuspendedEvenIfTheCodesStay"},
		{What: "an answer is empty", Switch: "Empty", Test: "TestAProxysAnswerProvesNothing"},
		{What: "a user is found by an alias", Test: "TestAnAliasIsNobodysKey"},
		{What: "a list is replaced whole", Test: "TestAttributesOfListsKeepWhatElseIsThere"},
		{What: "a licence goes by the address", Test: "TestLicencesAreGivenAndTaken"},
		{What: "licences have a quota of their own", Test: "TestLicensingHasAPaceOfItsOwn"},
		{What: "tokens and app passwords outlive a suspension", Test: "TestALeaverKeepsNoWayIn"},
		{What: "who is undeleted comes back suspended, by the ID only", Section: "Restore"},
	}, everywhere...),
	"onelogin": append([]Trap{
		{What: "new users without passwords are pending, whatever was asked for", Switch: "PasswordPending"},
		{What: "a filter finds others too", Switch: "Foreign", Test: "TestTraps"},
		{What: "a mapping gives back a role that a call takes", Switch: "Mapping", Test: "TestTraps"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "a right is missing", Switch: "ReadOnly", Test: "TestTraps"},
		{What: "both the status and the state have to be right", Test: "TestStatusAndState"},
		{What: "the reset header says what is left, and no instant", Section: "Refused"},
	}, everywhere...),
	"zoom": append([]Trap{
		{What: "a deletion lets go of the person, who keeps the data, unless it says otherwise", Test: "TestDeletingIsNoDisassociation"},
		{What: "data moves in the call that deletes the user, or never", Test: "TestDataGoesToTheRecipientAsTheUserIsDeleted"},
		{What: "a 404 is about the recipient", Switch: "RecipientGone", Test: "TestDataGoesToTheRecipientAsTheUserIsDeleted"},
		{What: "a pending user is shown by the ID only", Switch: "BarePending", Test: "TestPendingUsers"},
		{What: "a pending user cannot be changed", Switch: "PendingUnset", Test: "TestACreationThatIsNotCompleted"},
		{What: "one custom attribute replaces them all", Switch: "CustomReplaced", Test: "TestCustomAttributesStayWhenOneIsChanged"},
		{What: "a member who is there already is refused", Section: "Repetition"},
		{What: "a seat is not given, and nothing is said", Switch: "SilentSeats", Test: "TestSeats"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "a scope is missing", Switch: "Scopes", Test: "TestProbeNamesTheScopesThatAreMissing"},
		{What: "a limit is that of the day, until an instant that is no HTTP date", Switch: "Daily", Section: "Refused", Test: "TestLimits"},
		{What: "a 429 says that the user is leaving already", Switch: "Leaving", Test: "TestLimits"},
		{What: "an address is that of another account, or was somebody's once", Test: "TestAnotherAccountsAddress"},
		{What: "\"me\" is whoever owns the app", Test: "TestMeIsNobody"},
	}, everywhere...),
	"salesforce": append([]Trap{
		{What: "a deactivation is refused while something depends on the user", Switch: "Blocker", Test: "TestBlockedDeactivation"},
		{What: "a user cannot be frozen", Switch: "NoFreeze", Test: "TestDisableWithoutTheRightToFreeze"},
		{What: "a row is locked", Switch: "Locked", Test: "TestALockedRowIsTriedAgain"},
		{What: "sessions go on that were ended", Switch: "Undead", Test: "TestAnswersThatCannotBeTrue"},
		{What: "a query shows fewer rows than it counts", Switch: "Short", Test: "TestAnswersThatCannotBeTrue"},
		{What: "the next page is on another host", Switch: "Elsewhere", Test: "TestAnswersThatCannotBeTrue"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "a quota is 403", Section: "Refused", Test: "TestAQuotaIsNoMissingRight"},
		{What: "users are hidden without the right to see all", Test: "TestNobodyIsGoneUnlessSalesforceShowsEverybody"},
		{What: "users cannot be deleted", Section: "NotOffered"},
		{What: "tokens outlive the sessions", Test: "TestBlockedDeactivation"},
		{What: "a text in a query is quoted by the caller", Test: "TestInjection"},
		{What: "an answer names the address of another host for the API", Section: "Check"},
	}, everywhere...),
	"okta": append([]Trap{
		{What: "a search shows what was", Switch: "SearchLag", Section: "Settling"},
		{What: "an activation takes its time", Switch: "Slow"},
		{What: "users without passwords become active", Switch: "Passwordless"},
		{What: "a deactivation is answered by 204", Switch: "EmptyDeactivate"},
		{What: "a wrong status is refused as 400", Switch: "InvalidStatus"},
		{What: "deactivated users can be changed in some organisations only", Switch: "UpdateDeactivated", Test: "TestChangingADeactivatedAccount"},
		{What: "credentials of suspended users are not reset", Switch: "NoSuspendedReset", Test: "TestResetCredentials"},
		{What: "the next page is on another host", Switch: "ForeignLink", Test: "TestANextPageOnAnotherHostIsRefused"},
		{What: "the clock of the reset header is not ours", Switch: "Skew", Test: "TestTheResetIsReckonedByOktasClock"},
		{What: "pages are shorter than was asked for", Switch: "PageSize"},
		{What: "a group's rule puts back whom a call takes out", Switch: "Rule", Test: "TestGroups"},
		{What: "a right is missing", Switch: "WithoutRight"},
		{What: "lists leave out who is deactivated", Test: "TestADeactivatedAccountIsFoundByEveryKey"},
		{What: "a deletion takes two calls", Test: "TestDeleteFromEveryStatus"},
		{What: "an account of a wrong status cannot be suspended", Test: "TestStatusByStatus"},
		{What: "groups of apps and built-in ones cannot be changed", Test: "TestGroups"},
		{What: "a part of a login is taken for a login", Test: "TestALoginIsComparedWithWhatWasAskedFor"},
		{What: "a creation sends mail", Test: "TestOnlyActivationMailSendsMail"},
	}, everywhere...),
}

// everywhere lists the traps of every vendor whose stand-in is behind a door.
var everywhere = []Trap{
	{What: "a 404 is a proxy's", Section: "Astray"},
	{What: "a change is made, and answered as failed", Section: "FailedAfterApply"},
	{What: "it was asked too often, and says in its own way until when to wait", Section: "Refused"},
	{What: "the same account is made twice", Section: "CreateTwice"},
	{What: "a call is not answered", Section: "Stalled"},
}
