// Package contracttest holds what connectors send, and what stand-ins answer, to the vendors'
// own machine-readable contracts. Only tests import it.
//
// A stand-in that we wrote proves that the connector agrees with us. The vendor's contract is
// not ours: a member that the vendor does not know, one that it requires and nobody sends, a
// wrong type, method, path, parameter or status is a breach on either side. A contract proves
// shapes only, and not how the vendor behaves.
//
// The vendors publish their contracts in different forms. Each is turned into JSON Schema 2020-12
// and a table of operations, so that one checker serves all. It is jsonschema, which the module needs anyway. kin-openapi would read one
// of these forms only, would add a dozen modules, and takes unknown members, as contracts leave
// their objects open: what is unknown is found by a walk of our own.
//
// No contract is committed. `make test-real` fetches them from their registry packages, pinned
// by version and digest (scripts/real/contracts), and runs the tests whose names begin with
// TestContract. Such a test wraps its stand-in:
//
//	//go:build real
//
//	func TestContractOfGitHub(t *testing.T) {
//		held := contracttest.Hold(t, contracttest.GitHub(t), contracttest.Options{})
//		server := httptest.NewServer(held.Handler(app))
//		...
//		target.Proof = held.Proof("")
//		connectortest.Run(t, target)
//	}
//
// Everything that a contract says is taken for true except what Options.Known lists, each with
// its reason. An entry that never applies fails the test, so that the list stays true.
package contracttest
