// Package rippling decodes the webhooks of Rippling's partner applications:
// forms with event_name, company_id and id, and nothing of what happened
// (https://developer.rippling.com/documentation/developer-portal/v2-guides/webhooks).
// The employee is fetched: GET /platform/api/employees/{employeeId}
// (https://developer.rippling.com/documentation/base-api/reference/get-employee;
// the object is Employee of Rippling's OpenAPI document).
//
// # What Rippling leaves open, and what is made of it
//
//   - No event ID and no time: events come minutes late, once or more often. The
//     employee's updatedAt, the version of the record, says when HR said so and
//     tells happenings apart; without it, the time at which the topic got the
//     record does. Either way one that is sent twice says the same twice.
//   - Several events of one hire (created, hired, updated) speak of one employment.
//   - Nothing says what changed, so what counts is the employee as they are when
//     fetched: roleState TERMINATED is an end, whatever the event was called.
//   - An end date in the future is the end date of the snapshot: a later one takes
//     it away or moves it.
//   - Somebody with a start date in the past who is created or hired (again) is
//     rehired on the day on which Rippling says so: that undoes a termination.
//     (A rehire in the usual way is an employee with an ID of its own.)
//   - INIT is somebody whom nobody has hired yet: nothing comes of it.
//   - Dates have no zone: settings.zones and settings.zone say which is meant.
//   - Groups, companies, custom fields, deductions and requests for leave are no
//     news of an employment: nothing comes of them.
package rippling
