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
// (ETag, If-Match) and uniqueness. It is strict where the field is lax: a string
// "False" is no boolean, an unknown attribute is an error. Like many a real
// service it puts what it was sent into the detail of its errors, so that a
// client which repeats that is found out.
//
// It can be made to deviate as services in the field do (Deviations), up to the
// services of vendors that cannot run here (Vendors), strictly by what their
// references say.
//
// Lookups by id, userName, externalId, a group's displayName or its members'
// value use indexes: 10,000 users are no burden.
//
// It is not for production: it knows one token and no roles, and what it
// answers may be lost if the process dies within the next moments (see
// Options.File).
package scimtest
