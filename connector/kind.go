package connector

import "context"

// Settings are an app's settings from the configuration, secrets resolved.
type Settings map[string]any

// Kind is one kind of app that Tenure can talk to.
type Kind struct {
	Name    string // as in the configuration: "scim"
	Summary string // one line for people
	// Open checks the settings strictly (an unknown or missing one is an error
	// that names it) and returns a connector. It makes no call to the app.
	Open func(ctx context.Context, app string, settings Settings) (Connector, error)
}
