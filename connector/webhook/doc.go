// Package webhook is the connector for a service of your own that speaks the
// contract of docs/webhook-connector.md: one URL, one signed POST for each
// operation, JSON both ways. It imports the connector contract, and internal/remote for
// HTTP.
//
// A service need not offer everything: what a connector offers depends on its setting
// operations (see offered in kind.go).
package webhook
