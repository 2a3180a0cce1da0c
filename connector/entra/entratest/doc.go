// Package entratest is a stand-in for a tenant of Microsoft Entra ID: the part of Microsoft
// Graph v1.0 that the connector uses, with a token endpoint. It behaves as Microsoft's
// documentation says, refuses what Graph refuses, and has a switch for each of Graph's traps.
// It is for tests only. Nobody has compared it with the real Graph.
package entratest
