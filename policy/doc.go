// Package policy says what access a person should have: birthright roles,
// attribute mappings and naming, as CEL expressions over the person, with
// retention, lead time and overlap per app.
//
// All expressions are compiled and type-checked by [Compile], which reports
// everything that is wrong at once; evaluating them has no side effects and
// needs no clock but the instant it is given. Policy knows nothing of what
// accounts exist: comparing is the plan package's job.
//
// # What expressions see
//
// Every expression sees person, with what HR says: id, workerType, givenName,
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
// What Tenure itself gives is seen only where it cannot go in circles:
//
//	person.username  person.email and apps.*.attributes
//	person.email     apps.*.attributes
//	manager.account  apps.*.attributes: the manager's account ID in that app, or ""
//
// So roles follow from what HR says alone, and the attributes may use all.
//
// # Functions
//
// Beside CEL's own and its string extension (substring, replace, split, join,
// trim, lowerAscii, format, ...) there are lower(s), lower case in any script,
// and ascii(s), which strips marks and transliterates: ascii('Łukasz Gößling')
// is 'Lukasz Gossling'. Letters that have no ASCII form are left out.
//
// The package may import hr, CEL, x/text and the standard library.
package policy
