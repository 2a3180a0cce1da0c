package connector

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is one kind of app that Tenure supports. `tenure app kind NAME` and
// docs/connectors.md show everything in it except the functions.
type Kind struct {
	Name    string // as in the configuration: "scim"
	Summary string // one line
	About   string // what operators have to know before they use it, in Markdown; may be empty
	// Settings lists all settings. Open refuses any other.
	Settings []Setting
	// Operations lists what connectors of this kind can do at most, and the calls that
	// each operation makes.
	Operations []Operation
	// Attributes lists the attributes that policy can map, as far as the kind knows them.
	// OtherAttributes says in one sentence which others the kind takes; empty if none.
	Attributes      []string
	OtherAttributes string
	// Foresee returns what policy can use in an app with these settings. Nil if that is
	// unknown before the app is asked.
	Foresee func(settings *Values) Foresight
	// LongestUsername is the length of the longest username that the app takes; zero if
	// the kind knows of no limit. A username has one byte a character.
	LongestUsername int
	// AtOnce is how many calls of one app a worker makes at a time, unless the
	// configuration says otherwise; zero stands for DefaultAtOnce.
	AtOnce int
	// Proofs holds on what the suite of connectors passes. The catalog sets it from what
	// the tests register. Operations without a proof were tried on a stand-in only.
	Proofs []Proof
	// Unreached names the vendor's service on which the kind was never run: "Okta". Empty
	// if there is no such service, or if a proof is of it.
	Unreached string
	// LastUse says at most what Account.LastUsedAt means, or why apps of this kind do not tell it.
	LastUse LastUse
	// Whole says in a sentence why accounts are listed as a whole, where List is offered and Page
	// is not.
	Whole string
	// Logins names the setting, a mapping of person IDs to logins, by which the configuration
	// says which of the vendor's users somebody is. Empty if Tenure makes the accounts. With
	// it, a trial needs the login of somebody who exists.
	Logins string
	// Connect returns a connector. It makes no call to the app. It checks the settings
	// beyond what a Setting can say, and reports problems by Values.Reject.
	Connect func(ctx context.Context, env Env, settings *Values) (Connector, error)
}

// DefaultAtOnce is how many calls of one app a worker makes at a time, unless its kind or
// the configuration says otherwise.
const DefaultAtOnce = 10

// CallsAtOnce returns how many calls of one app a worker makes at a time. most is the
// configuration's number; zero if it has none.
func (k Kind) CallsAtOnce(most int) int { return cmp.Or(most, k.AtOnce, DefaultAtOnce) }

// Foresight finds mistakes of policy before anybody has an account. A nil function finds
// none.
type Foresight struct {
	// Attribute returns why an attribute of that name can never be mapped, and what to do;
	// "" if it can.
	Attribute func(name string) (problem string)
	// Doubt returns why an attribute of that name is probably a mistake; "" if it is not.
	Doubt func(name string) (doubt string)
	// Required lists the attributes without which the app creates no account, according to
	// its vendor.
	Required []string
	// Entitlement returns why an entitlement of that name can never be granted, and what
	// to do; "" if it can.
	Entitlement func(name string) (problem string)
}

// Foresees returns what the kind knows of an app with these settings. Open has accepted
// them.
func (k Kind) Foresees(set Settings) Foresight {
	if k.Foresee == nil {
		return Foresight{}
	}
	return k.Foresee(settings.Read(k.Settings, set))
}

// Operation is something that a kind does, and the calls of the app's API that
// it takes.
type Operation struct {
	Op    string // one of the Op constants
	Calls string // "POST /Users"
	// HandsOver, of OpDelete, means that it can hand data over: see
	// Capabilities.HandOverByDelete.
	HandsOver bool
}

// Does says in a few words what the operation does.
func (o Operation) Does() string {
	if o.HandsOver {
		return doing[o.Op] + ", and hand over its data"
	}
	return doing[o.Op]
}

// doing says in a few words what each operation does.
var doing = map[string]string{
	OpFind:             "look for somebody's account",
	OpRead:             "read an account",
	OpCheck:            "sign in",
	OpProbe:            "see whether the rights are there",
	OpList:             "list all accounts",
	OpPage:             "list a page of accounts",
	OpListEntitlements: "list what can be granted",
	OpCreate:           "make an account",
	OpAdopt:            "write the person ID into an account that was there before",
	OpUpdate:           "set attributes",
	OpRelabel:          "change the username, or the person ID",
	OpGrant:            "give entitlements",
	OpRevoke:           "take entitlements",
	OpDisable:          "turn an account off",
	OpEnable:           "turn it on again",
	OpResetCredentials: "replace the password by one that nobody knows",
	OpRevokeSessions:   "end what is signed in",
	OpHandOver:         "give a leaver's data to somebody else",
	OpDelete:           "delete an account",
	OpRestore:          "bring a deleted account back",
}

// InWords returns the name of an operation or capability as tables show it.
func InWords(name string) string {
	if label, ok := labels[name]; ok {
		return label
	}
	return strings.ReplaceAll(name, "_", " ")
}

// labels holds the names that say less than a reader needs. Every account can be linked to its
// owner; only some apps can also keep whose it is.
var labels = map[string]string{OpAdopt: "keep person ID", OpRelabel: "rename", "sessions": "end sessions"}

// Env holds what a connector gets from the process in which it runs.
type Env struct {
	App string // the app's name in the configuration
	// Pace waits until the configured rate allows another request; nil if there is no
	// limit. A connector calls it before each request.
	Pace func(ctx context.Context) error
	// Pause has Pace let no request through for a while, in no process: the app has refused one
	// because of a quota. A connector that calls it may send that request again as soon as Pace
	// lets it through; one that does not reports the refusal. Nil if there is nobody to tell.
	Pause func(ctx context.Context, pause time.Duration) error
	// NoFiles is set if the settings are only checked, on a machine that may lack the
	// files that they name. Nobody calls a connector that was opened in this way.
	NoFiles bool
}

// Open checks the settings strictly (an unknown, missing or ill-typed one is an
// error that names it) and returns a connector. It makes no call to the app. Calls that
// the connector does not offer never reach it: they fail as KindUnsupported.
func (k Kind) Open(ctx context.Context, env Env, set Settings) (Connector, error) {
	values := settings.Read(k.Settings, set)
	if err := values.Err(); err != nil {
		return nil, Invalid(OpOpen, "%s", err)
	}
	c, err := k.Connect(ctx, env, values)
	if rejected := values.Err(); rejected != nil {
		return nil, Invalid(OpOpen, "%s", rejected)
	}
	if err != nil {
		return nil, err
	}
	return offered(c), nil
}

// Settings are an app's settings as in the configuration. Texts that refer to secrets are
// secret.Secret.
type Settings map[string]any

// Setting is one setting of a kind: see package settings.
type Setting = settings.Setting

// Values are checked settings: see package settings.
type Values = settings.Values

// The types of settings.
const (
	TypeText     = settings.TypeText
	TypeSecret   = settings.TypeSecret
	TypeBool     = settings.TypeBool
	TypeInt      = settings.TypeInt
	TypeDuration = settings.TypeDuration
	TypeTexts    = settings.TypeTexts
	TypeMap      = settings.TypeMap
	TypeSettings = settings.TypeSettings
)
