// Package googletest is a stand-in for Google Workspace, for tests: the parts of the
// Directory API, the Data Transfer API and the Enterprise License Manager API that package
// google uses, and the token endpoint. It behaves as Google's reference and the discovery
// documents of the APIs say, refuses what they refuse, and has a switch for each trap that
// users report. It was written by us: that package google works with it proves nothing about
// Google.
package googletest
