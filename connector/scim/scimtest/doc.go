// Package scimtest is a small, strict SCIM 2.0 service (RFC 7643, RFC 7644): the
// app of the demo and of tests. It is an http.Handler and needs the standard
// library only.
//
// What it serves:
//
//	/scim/v2/...      users, groups and discovery, behind the bearer token
//	/admin/faults     GET, PUT, DELETE: the fault switches, behind the same token
//	/admin/deviations GET, PUT, DELETE: how it deviates from the RFCs, behind the same token
//	/admin/stats      GET: request counters, behind the same token
//	/                 a page for people: who has an account, in what state
//
// It knows filters, PATCH with paths and value filters, PUT, paging, versions
// (ETag, If-Match) and uniqueness. It is strict where other services are lax: a string
// "False" is no boolean, an unknown attribute is an error. Like many real services it
// repeats the request's values in the detail of its errors, so that tests find a client
// that passes personal data on.
//
// Deviations make it deviate from the RFCs as real services do. Vendors holds the
// deviations of services that cannot run here, taken from their vendors' references.
//
// Lookups by id, userName, externalId, a group's displayName or its members'
// value use indexes, so that it stays fast with 10,000 users.
//
// It is not for production: it knows one token and no roles, and a change that it
// has answered may be lost if the process dies shortly afterwards (see Options.File).
package scimtest
