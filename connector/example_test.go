package connector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tenurehq/tenure/connector"
)

// gate is the connector of an app in which others create the accounts: Tenure can only
// find, disable and enable them. Base answers the calls that it leaves out.
type gate struct {
	connector.Base

	site string

	mu     sync.Mutex
	badges map[string]connector.Account // by ID; a real app keeps them behind an API
}

// Capabilities implements connector.Connector. Of the methods that change the app, gate
// offers Disable and Enable.
func (g *gate) Capabilities() connector.Capabilities {
	return connector.Capabilities{Disable: true, Reversible: true}
}

// Find implements connector.Connector.
func (g *gate) Find(_ context.Context, keys connector.Keys) ([]connector.Match, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if badge, ok := g.badges[keys.AccountID]; ok {
		return []connector.Match{{Account: badge, By: connector.ByAccountID}}, nil
	}
	for _, badge := range g.badges {
		if keys.AccountID == "" && strings.EqualFold(badge.Username, keys.Username) {
			return []connector.Match{{Account: badge, By: connector.ByUsername}}, nil
		}
	}
	return nil, nil // no match is no error
}

// Read implements connector.Connector.
func (g *gate) Read(_ context.Context, accountID string) (connector.Account, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	badge, ok := g.badges[accountID]
	if !ok {
		return connector.Account{}, &connector.Error{Kind: connector.KindNotFound, Op: connector.OpRead, Message: "there is no such badge"}
	}
	return badge, nil
}

// Check implements connector.Connector.
func (g *gate) Check(context.Context) (string, error) { return "reader of " + g.site, nil }

// Close implements connector.Connector.
func (g *gate) Close() error { return nil }

// Disable implements connector.Connector.
func (g *gate) Disable(ctx context.Context, accountID string) error {
	return g.set(ctx, accountID, false)
}

// Enable implements connector.Connector.
func (g *gate) Enable(ctx context.Context, accountID string) error {
	return g.set(ctx, accountID, true)
}

func (g *gate) set(ctx context.Context, accountID string, active bool) error {
	badge, err := g.Read(ctx, accountID)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	badge.Active = active
	g.badges[accountID] = badge
	return nil
}

// gateKind describes the kind for package catalog: its name, its settings, its operations,
// and how to open an app.
var gateKind = connector.Kind{
	Name:     "gate",
	Summary:  "the badges of a building",
	Settings: []connector.Setting{{Name: "site", Type: connector.TypeText, Required: true, Text: "Name of the building."}},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /badges"},
		{Op: connector.OpRead, Calls: "GET /badges/{id}"},
		{Op: connector.OpCheck, Calls: "GET /badges"},
		{Op: connector.OpDisable, Calls: "PUT /badges/{id}"},
		{Op: connector.OpEnable, Calls: "PUT /badges/{id}"},
	},
	Connect: func(_ context.Context, _ connector.Env, settings *connector.Values) (connector.Connector, error) {
		return &gate{site: settings.Text("site"), badges: map[string]connector.Account{
			"b-1": {ID: "b-1", Username: "ada", Active: true},
			"b-2": {ID: "b-2", Username: "guard", Active: true},
		}}, nil
	},
}

// A kind embeds Base, implements the methods that its app supports, and announces them by
// Capabilities. Callers open an app and call it through the guard.
func Example() {
	ctx := context.Background()
	_, err := gateKind.Open(ctx, connector.Env{App: "doors"}, connector.Settings{"sight": "Berlin"})
	fmt.Println(err)

	app, err := gateKind.Open(ctx, connector.Env{App: "doors"}, connector.Settings{"site": "Berlin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer app.Close()
	fmt.Println("offers:", app.Capabilities().Names())

	app = connector.Guard(app, connector.Protection{
		App:     "doors",
		Looks:   true,
		Person:  func(string) bool { return false },
		Account: func(a connector.Account) bool { return a.Username == "guard" },
	})
	matches, err := app.Find(ctx, connector.Keys{PersonID: "10004", Username: "ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("found:", matches[0].Account.ID, "by", matches[0].By)
	if err := app.Disable(ctx, "b-1"); err != nil {
		fmt.Println(err)
	}
	badge, _ := app.Read(ctx, "b-1")
	fmt.Println("active:", badge.Active)

	_, gone := app.Read(ctx, "b-3")
	fmt.Println("not there:", connector.Is(gone, connector.KindNotFound))
	fmt.Println(app.Delete(ctx, "b-1"))
	var protected *connector.ProtectedError
	fmt.Println("protected:", errors.As(app.Disable(ctx, "b-2"), &protected))

	// Output:
	// open: invalid: setting "site" is missing; setting "sight" is not known (known are site)
	// offers: [disable]
	// found: b-1 by username
	// active: false
	// not there: true
	// delete: unsupported: the connector cannot do this: do it in the app by hand, then skip this step
	// protected: true
}
