// Package memory is an app that lives in the process: for tests, benchmarks and
// trying out a policy without any real app.
//
// Settings:
//
//	name    which app; every connector of one name, in one process, shares it
//	        (default: the app's name in the configuration)
//
// It can do everything that the contract knows, accepts any entitlement name and
// any attribute, and keeps usernames (whatever their case) and external IDs
// unique. Shared gives tests the app behind the connectors: its accounts, its
// fault switches, and hooks around every call.
package memory
