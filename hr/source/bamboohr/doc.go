// Package bamboohr decodes BambooHR's webhooks, in both of the forms that it
// sends as JSON.
//
//   - Event-based (employee.created, .updated, .deleted) says who, and which
//     fields changed, but no values: the record is thin, and the employee is
//     fetched. https://documentation.bamboohr.com/docs/event-based-webhooks
//   - Field-based (a list of employees) brings the fields that the webhook was
//     told to post. If those that Tenure needs are among them nothing is fetched.
//     https://documentation.bamboohr.com/docs/field-based-webhooks
//
// The employee is what GET /api/v1/employees/{id}?fields=... answers:
// https://documentation.bamboohr.com/reference/get-employee, its fields those of
// https://documentation.bamboohr.com/docs/list-of-field-names.
//
// # What BambooHR leaves open, and what is made of it
//
//   - No event ID: it is a digest of type, company, employee, timestamp and
//     changed fields. What was fetched, which may be another thing at the next
//     delivery, is not part of it.
//   - A hire is sent twice, as created and as updated
//     (https://documentation.bamboohr.com/reference/employee-updated-webhook).
//     Both speak of one employment, and make one joiner.
//   - Only what has taken effect is sent, so an effective date is the day of the
//     timestamp in the person's zone, but not before the hire date. A hire date in
//     the future is known when it is written, and so is a termination date: it is
//     the end date of the snapshot, which a later one takes away or moves.
//   - There is no word for a rescind. Somebody whose status has become Active
//     again is rehired: on the hire date if that has changed too, else on the day
//     on which BambooHR says so. Either undoes the termination that was said before.
//   - Dates have no zone: settings.zones and settings.zone say which is meant.
package bamboohr
