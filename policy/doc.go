// Package policy computes the access that a person should have. A policy has birthright roles,
// attribute mappings and naming, as CEL expressions over the person, with retention, lead time
// and overlap per app.
//
// [Compile] compiles and type-checks all expressions, and reports every fault at once.
// Evaluating them has no side effects and needs no clock: the instant is an argument. The
// package does not know which accounts exist. Package plan compares them.
//
// # What expressions see
//
// Every expression sees person, with HR's data: id, workerType, givenName,
// familyName, preferredName, workEmail, personalEmail, phone, employeeNumber,
// jobTitle, department, costCenter, company, location.site, location.country,
// location.timeZone, managerId, startDate, endDate and attributes. All are
// strings but attributes, a map from string to string. Dates are YYYY-MM-DD, so
// they compare as strings do: person.startDate < '2026-01-01'.
//
// Empty and absent mean the same, as in the event format: has(person.department)
// asks whether there is one, and person.attributes['badge'] of somebody who has
// no badge is "" (in a list or map of the expression's own making, a missing
// element is an error as always in CEL).
//
// Names that Tenure itself gives can be used only where they cannot depend on themselves:
//
//	person.username  person.email and apps.*.attributes
//	person.email     apps.*.attributes
//	manager.account  apps.*.attributes: the manager's account ID in that app, or ""
//
// So roles depend on HR's data alone, and attributes may use everything.
//
// # Functions
//
// Besides CEL's own functions and its string extension (substring, replace, split, join,
// trim, lowerAscii, format, ...) there are two more. lower(s) returns s in lower case, in any
// script. ascii(s) strips marks and transliterates: ascii('Łukasz Gößling') is
// 'Lukasz Gossling'. It leaves out letters without an ASCII form.
//
// The package may import hr, CEL, x/text and the standard library.
package policy
