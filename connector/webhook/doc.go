// Package webhook is the connector for a service of your own that speaks the
// contract of docs/webhook-connector.md: one URL, one signed POST for each
// operation, JSON both ways. It imports the connector contract and how HTTP
// answers become errors (internal/remote).
//
// What a connector can do is what its type implements. A service need not offer
// everything, so there is a type for each set of what it may leave out: shapes.go,
// which shapes_test.go writes.
package webhook
