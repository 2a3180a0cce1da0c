// Package bamboohr decodes BambooHR's webhooks, in both of the forms that it
// sends as JSON.
//
//   - The event-based form (employee.created, .updated, .deleted) names the employee and
//     the fields that changed, without values. The record is thin, and the employee is
//     fetched. https://documentation.bamboohr.com/docs/event-based-webhooks
//   - The field-based form (a list of employees) has the fields that the webhook is set
//     up to post. If all fields that Tenure needs are among them, nothing is fetched.
//     https://documentation.bamboohr.com/docs/field-based-webhooks
//
// An employee is fetched by GET /api/v1/employees/{id}?fields=...
// (https://documentation.bamboohr.com/reference/get-employee). The fields are described at
// https://documentation.bamboohr.com/docs/list-of-field-names.
//
// # What BambooHR leaves open, and what Tenure makes of it
//
//   - Notifications have no event ID. Tenure makes one: a digest of type, company, employee,
//     timestamp, changed fields and posted values. Fetched data are not part of it, because
//     they may be different at the next delivery.
//   - BambooHR sends a hire twice, as created and as updated
//     (https://documentation.bamboohr.com/reference/employee-updated-webhook).
//     Both are about one employment, and make one joiner.
//   - BambooHR sends a change only when it takes effect. So the effective date is the day of
//     the timestamp in the person's zone, but not before the hire date. A hire date or a
//     termination date in the future is known when HR enters it. The termination date
//     becomes the end date of the snapshot, and a later snapshot removes or moves it.
//   - There is no notification for a rescind. Somebody whose status becomes Active again is
//     rehired: on the hire date if that has changed too, else on the day on which BambooHR
//     says so. Either undoes an earlier termination.
//   - Dates have no zone. The settings zones and zone give it.
package bamboohr
