// Package connectortest is the suite that every connector passes: it proves the
// rules of package connector on a live app, be it a test double or a real one.
//
// A connector's own test is a Target and one line:
//
//	connectortest.Run(t, connectortest.Target{
//		Open:         func(t *testing.T) connector.Connector { ... },
//		Capabilities: connector.Capabilities{Create: true, Disable: true},
//		Entitlements: [2]string{"staff", "engineers"},
//		Attributes:   [2]string{"title", "displayName"},
//	})
//
// The app need not be empty, and need not be emptied afterwards: the suite makes
// accounts of its own, with names never used before. Every error that it provokes
// is searched for the personal data and secrets that went into it.
package connectortest
