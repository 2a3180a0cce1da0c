// Package vendortest is what the stand-ins of vendors share, for tests: a [Door] before each
// of them, which counts the requests, keeps the vendor's quotas and makes it fail, and a
// signing key.
//
// A stand-in says how its vendor refuses a request, and what kind of request it is: see
// [Options]. Everything else that all vendors have in common is here. A trap that only one
// vendor has is in that vendor's stand-in.
package vendortest
