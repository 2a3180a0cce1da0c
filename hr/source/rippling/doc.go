// Package rippling decodes the webhooks of Rippling's partner applications. They are forms
// with event_name, company_id and id, and do not say what happened
// (https://developer.rippling.com/documentation/developer-portal/v2-guides/webhooks).
// So the employee is fetched by GET /platform/api/employees/{employeeId}
// (https://developer.rippling.com/documentation/base-api/reference/get-employee;
// the object is Employee of Rippling's OpenAPI document).
//
// # What Rippling leaves open, and what Tenure makes of it
//
//   - Webhooks have no event ID and no time, and come minutes late, once or more often. The
//     employee's updatedAt, which is the version of the record, is the recorded time and
//     tells events apart. Without it, the time at which the topic got the record is used.
//     In both cases a repetition has the same effect as the first one.
//   - Several events of one hire (created, hired, updated) are about one employment.
//   - No webhook says what changed, so the employee's data count as they are when fetched:
//     roleState TERMINATED is a termination, whatever the name of the event is.
//   - An end date in the future becomes the end date of the snapshot. A later snapshot
//     removes or moves it.
//   - Somebody with a start date in the past who is created or hired (again) is rehired on
//     the day on which Rippling says so. That undoes a termination. (Normally a rehire is a
//     new employee with an ID of its own.)
//   - An employee with roleState INIT is not hired yet, and gives no event.
//   - Dates have no zone. The settings zones and zone give it.
//   - Webhooks about groups, companies, custom fields, deductions and requests for leave
//     give no event, because they are not about an employment.
package rippling
