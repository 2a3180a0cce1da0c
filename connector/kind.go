package connector

import (
	"cmp"
	"context"

	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is one kind of app that Tenure supports. `tenure app kind NAME` and
// docs/connectors.md show everything in it except the functions.
type Kind struct {
	Name    string // as in the configuration: "scim"
	Summary string // one line
	About   string // what one has to know before using it, in Markdown; may be empty
	// Settings are all that there are. Open refuses any other.
	Settings []Setting
	// Operations are what the kind can do at its most, and the calls that each
	// makes.
	Operations []Operation
	// Attributes are those that policy can map, as far as the kind knows them, and
	// OtherAttributes says in one sentence which others it takes; empty: none.
	Attributes      []string
	OtherAttributes string
	// Foresee says what policy can have in an app of these settings. Nil: nothing is
	// known before the app is asked.
	Foresee func(settings *Values) Foresight
	// LongestUsername is how many characters (bytes, as usernames have them) the app
	// takes for one; zero: the kind knows of no limit.
	LongestUsername int
	// AtOnce is how many calls of one app a worker has under way at a time, unless the
	// configuration says otherwise; zero: DefaultAtOnce.
	AtOnce int
	// Proven names the servers on which connectortest is run: those that we did
	// not write first.
	Proven []string
	// Connect returns a connector. It makes no call to the app. Of the settings it
	// checks what Setting cannot say, by Values.Reject.
	Connect func(ctx context.Context, env Env, settings *Values) (Connector, error)
}

// DefaultAtOnce is how many calls of one app a worker has under way at a time, unless
// its kind or the configuration says otherwise.
const DefaultAtOnce = 10

// CallsAtOnce returns how many calls of one app a worker has under way at a time. most is
// the configuration's number; zero if it has none.
func (k Kind) CallsAtOnce(most int) int { return cmp.Or(most, k.AtOnce, DefaultAtOnce) }

// Foresight is what can be said of policy before anybody has an account. A nil
// function says nothing.
type Foresight struct {
	// Attribute says why an attribute of that name can never be mapped, and what to do;
	// empty: it may be.
	Attribute func(name string) (problem string)
	// Doubt says why an attribute of that name is probably a mistake; empty: it is none.
	Doubt func(name string) (doubt string)
	// Required are attributes without which the app makes no account, by what its owner
	// says of it.
	Required []string
	// Entitlement says why an entitlement of that name can never be granted, and what to
	// do; empty: it may be.
	Entitlement func(name string) (problem string)
}

// Foresees returns what the kind knows of an app with these settings, which Open took.
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
}

// Env holds what a connector gets from the process in which it runs.
type Env struct {
	App string // the app's name in the configuration
	// Pace waits until the app may be called once more, by the rate that its
	// owner allows; nil means at once. A connector calls it before each request.
	Pace func(ctx context.Context) error
	// NoFiles says that the settings are only checked, where the files that they name
	// need not be. No connector that is opened so is called.
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

// Settings are an app's settings as the configuration has them. Texts that refer
// to secrets are secret.Secret.
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
