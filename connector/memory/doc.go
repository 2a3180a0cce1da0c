// Package memory is an app that lives in the process: for tests, benchmarks and
// trying out a policy without any real app.
//
// Settings:
//
//	name    which app; all connectors of one name, in one process, share it
//	        (default: the app's name in the configuration)
//
// It accepts any entitlement name and any attribute. Usernames (their case ignored) and
// external IDs are unique. Shared gives tests the app behind the connectors: its accounts,
// its fault switches, and hooks around every call.
package memory
