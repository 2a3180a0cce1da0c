// Package connectortest is the suite that every connector passes. It checks the rules
// of package connector on a live app, either a test double or a real one.
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
// The app need not be empty, and need not be emptied afterwards: the suite creates
// accounts of its own, with names never used before. It searches every error for the
// personal data and secrets that it sent.
package connectortest
