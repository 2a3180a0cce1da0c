package connectortest

import (
	"testing"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Target describes a connector and the app that the suite tries it on.
type Target struct {
	// Kind is the connector's kind. It has to list every operation that the connector
	// implements.
	Kind connector.Kind
	// Open returns a connector to the app: in one Run, always to the same app. The suite
	// closes it.
	Open func(t *testing.T) connector.Connector
	// Capabilities are those that the connector's documentation names. Nearly all tests
	// need Create.
	Capabilities connector.Capabilities
	// Entitlements are two entitlements that the app has.
	Entitlements [2]string
	// AnyEntitlement is set if the app accepts every name of an entitlement.
	AnyEntitlement bool
	// Attributes are two attributes that take any single text. Empty if the app has none that
	// can be set.
	Attributes [2]string
	// Names begins the usernames of test accounts; empty: "zoe.".
	Names string
	// MaxText is how long a text the first of Attributes takes; 0 is 2,000.
	MaxText int
	// Secrets are texts that no error may hold, such as credentials.
	Secrets []string
	// Seed adds an account as the app's own administrator would, even if its username or
	// external ID is not unique. Nil if that cannot be done.
	Seed func(t *testing.T, account connector.Account)
	// KeyAttributes names the attributes in which this app holds the keys that not every
	// app has: ByEmployeeNumber, ByEmail.
	KeyAttributes map[connector.MatchKey]string
	// Rename gives an account another username, as the app's own administrator
	// would. Nil if that cannot be done.
	Rename func(t *testing.T, account connector.Account, username string)
	// Wait is the RetryAfter of a KindRateLimited where the app does not say when to try again.
	Wait time.Duration
	// Deviations holds the known deviations of this app, each with its reason. See
	// Deviation.
	Deviations map[Deviation]string
	// Faults make the app fail. The suite does not try those that are nil.
	Faults Faults
	// Proof says what it is worth that the suite passes, if anything: the suite registers it
	// with the operations that succeeded. Its Ops are not read.
	Proof connector.Proof

	many int // accounts for a list; 0: more than any app puts on one page
}

// Deviation is a way in which an app that we cannot correct falls short of the contract.
// The suite checks that the app does deviate: if it no longer does, remove the deviation
// from the Target.
type Deviation string

// The deviations that are known of real apps.
const (
	// QuotesUnsearchable: an account whose username has a quotation mark can be created,
	// but not found by its username.
	QuotesUnsearchable Deviation = "quotes unsearchable"
	// UsernamesRestricted: Create of an account whose username has a plus or a quotation
	// mark fails as KindInvalid.
	UsernamesRestricted Deviation = "usernames restricted"
	// UsernamesPlain: Create of an account whose username has anything but ASCII letters,
	// digits, dots, dashes, underscores and apostrophes fails as KindInvalid.
	UsernamesPlain Deviation = "usernames plain"
	// MembersUnchecked: an entitlement can be granted to an account that does not
	// exist.
	MembersUnchecked Deviation = "members unchecked"
	// UsernamesOfLogins: Create of an account whose username has anything but ASCII letters,
	// digits and dashes fails as KindInvalid.
	UsernamesOfLogins Deviation = "usernames of logins"
	// NoExternalID: the app keeps no external ID, and accounts are found by their usernames.
	NoExternalID Deviation = "no external ID"
	// NoInactive: Create of an inactive account fails as KindUnsupported.
	NoInactive Deviation = "no inactive accounts"
	// InactiveUnlisted: a disabled account is found by its ID only.
	InactiveUnlisted Deviation = "inactive unlisted"
	// UsernamesHeld: the recycle bin keeps the usernames of deleted accounts: Create of such
	// an account fails as KindConflict.
	UsernamesHeld Deviation = "usernames held by the bin"
	// PagesShift: pages are numbered, or begin after so many accounts: if some of an earlier page are
	// deleted meanwhile, as many that stay may be missing from the list, and no more than that.
	PagesShift Deviation = "pages shift"
	// CredentialsDenied: the connector's own account in the app may not reset credentials,
	// and learns so for each account. ResetCredentials fails as KindUnsupported.
	CredentialsDenied Deviation = "credentials denied"
)

// Faults make an app fail until Heal is called.
type Faults struct {
	Heal func(t *testing.T)
	// FailAfterApply makes the app carry out the next change and then report that it
	// failed.
	FailAfterApply func(t *testing.T)
	// Unauthorize makes the app refuse the connector's credentials.
	Unauthorize func(t *testing.T)
	// Refuse makes every call fail as KindUnavailable or KindRateLimited. The app says to
	// try again after retryAfter; zero if it does not say.
	Refuse func(t *testing.T, kind connector.ErrorKind, retryAfter time.Duration)
	// RefuseUntil is Refuse where the app names the time to try again as a date.
	RefuseUntil func(t *testing.T, kind connector.ErrorKind, retryAfter time.Duration)
	// Stray makes every call be answered by a proxy that knows no such address. The suite does
	// not try it where Proof holds all answers to the vendor's contract.
	Stray func(t *testing.T)
	// Drop makes the app accept attributes of these names and keep none of them.
	Drop func(t *testing.T, names ...string)
	// Stall makes every call hang.
	Stall func(t *testing.T)
	// Lag makes the app answer, until Heal, as if the changes since had not been made.
	Lag func(t *testing.T)
	// TakeLong makes the app take long over a HandOver, until end lets it complete all.
	TakeLong func(t *testing.T) (end func())
}

func newSuite(target Target) *suite {
	if target.MaxText == 0 {
		target.MaxText = 2000
	}
	if target.many == 0 {
		target.many = 1050
	}
	if target.Names == "" {
		target.Names = "zoe."
	}
	return &suite{Target: target, ops: &ops{succeeded: map[string]bool{}}}
}

// section is a part of the suite. It is made if the app offers what it needs.
type section struct {
	name   string
	needed bool
	run    func(t *testing.T)
}

// Run runs the suite.
func Run(t *testing.T, target Target) {
	s := newSuite(target)
	for _, section := range s.sections() {
		if section.needed {
			t.Run(section.name, section.run)
		}
	}
	if s.Proof.Level != "" {
		Register(t, target.Kind.Name, func() connector.Proof {
			s.Proof.Ops = s.ops.names()
			return s.Proof
		})
	}
}

func (s *suite) sections() []section {
	return []section{
		{"Capabilities", true, s.capabilities},
		{"NotOffered", true, s.notOffered},
		{"Check", true, s.check},
		{"Create", s.can().Create, s.create},
		{"CreateTwice", s.can().Create, s.createTwice},
		{"CreateAtTheSameTime", s.can().Create, s.createAtTheSameTime},
		{"Values", s.can().Create, s.values},
		{"ShownAttributes", s.can().Create && s.hasAttributes(), s.shownAttributes},
		{"DroppedAttributes", s.can().Create && s.hasAttributes() && s.Faults.Drop != nil, s.droppedAttributes},
		{"Correlation", s.can().Create, s.correlation},
		{"AmbiguousCorrelation", s.Seed != nil, s.ambiguousCorrelation},
		{"OtherKeys", s.can().Create && len(s.KeyAttributes) > 0, s.otherKeys},
		{"Rename", s.can().Create && s.Rename != nil, s.rename},
		{"Probe", s.can().Probe, s.probe},
		{"ListEntitlements", s.can().ListEntitlements, s.listEntitlements},
		{"Adopt", s.can().Create && s.can().Adopt, s.adopt},
		{"Relabel", s.can().Create && s.can().Relabel, s.relabel},
		{"Update", s.can().Create && s.can().Update, s.update},
		{"DisableAndEnable", s.can().Create && s.can().Disable, s.disableAndEnable},
		{"Delete", s.can().Create && s.can().Delete, s.deleteAccount},
		{"Restore", s.can().Create && s.can().Delete && s.can().Restore, s.restore},
		{"RestoreOthers", s.can().Create && s.can().Delete && s.can().Restore, s.restoreOthers},
		{"ResetCredentials", s.can().Create && s.can().ResetCredentials, s.resetCredentials},
		{"Offered", s.can().Create, s.offered},
		{"Entitlements", s.can().Create && s.can().Entitlements, s.entitlements},
		{"UnknownEntitlement", s.can().Create && s.can().Entitlements && !s.AnyEntitlement, s.unknownEntitlement},
		{"Repetition", s.can().Create, s.repetition},
		{"MissingAccount", true, s.missingAccount},
		{"List", s.can().Create && s.can().List, s.list},
		{"Page", s.can().Create && s.can().Page, s.page},
		{"PageMeanwhile", s.can().Create && s.can().Page, s.pageMeanwhile},
		{"PageUnknown", s.can().Page, s.pageUnknown},
		{"Settling", s.can().Create && s.Faults.Lag != nil, s.settling},
		{"LongOperation", s.can().Create && s.can().HandOver && s.Faults.TakeLong != nil, s.longOperation},
		{"Cancelled", s.can().Create, s.cancelled},
		{"FailedAfterApply", s.can().Create && s.Faults.FailAfterApply != nil, s.failedAfterApply},
		{"Unauthorized", s.can().Create && s.Faults.Unauthorize != nil, s.unauthorized},
		{"Refused", s.can().Create && s.Faults.Refuse != nil, s.refused},
		{"Astray", s.can().Create && s.Faults.Stray != nil && s.Proof.Level != connector.HeldToContract, s.astray},
		{"RefusedUntil", s.can().Create && s.Faults.RefuseUntil != nil, s.refusedUntil},
		// The last test, since the requests of its calls may reach the app after the calls
		// gave up.
		{"Stalled", s.can().Create && s.Faults.Stall != nil, s.stalled},
	}
}
