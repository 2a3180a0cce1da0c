// Package workday decodes what Workday's own Staffing web service says of workers:
// Get_Workers_Response, or one or more Worker elements of it, as XML
// (https://community.workday.com/sites/default/files/file-hosting/productionapi/Staffing/v44.1/Get_Workers.html).
//
// Workday sends no webhooks. What a company's integration sends (Studio,
// Orchestrate, a connector, a poller) is its own; Get_Workers is what all of them
// can produce, is documented, and has what a report lacks: the transaction log,
// with an ID for each transaction, its effective and entry moments, and what was
// rescinded or corrected. A Worker with a Worker_Reference and no Worker_Data is
// thin: the worker is fetched by the same operation.
//
// # What is made of it
//
//   - Each entry of Transaction_Log_Entry_Data is an event: its ID the
//     transaction's WID, its time the entry moment, its effective date that of the
//     effective moment, its type the business process (Hire Employee, Contract
//     Contingent Worker, Change Job, Terminate Employee, End Contingent Worker
//     Contract, ...). Processes that are not known are updates.
//   - The snapshot is the Worker_Data, which is as of the response's
//     As_Of_Effective_Date. A future-dated transaction says what will be: send
//     the worker as of its effective date. One that is effective after the
//     snapshot is refused.
//   - What Transaction_Log_Corrected_And_Rescinded_Data says is rescinded is
//     rescinded, by the WID of the main transaction. A correction rescinds it and
//     says it anew.
//   - A Worker may have several jobs (Worker_Job_Data). The primary one is the profile;
//     the others are hr.AdditionalJobs of the event that was entered last: the transaction
//     log does not say which job a transaction is of. A list is whole if the response says
//     that it was asked for with Include_Additional_Jobs, or has more than one job. Of a
//     record with one job and without that flag nothing is known of others. Where there
//     are other jobs, or a transaction changes which there are, the list is an event of its
//     own, so that a record which comes again may have another one.
//   - A job's ID is its Position_ID. That of the primary job is not read: it changes with
//     any move.
//   - A Worker may hold many transactions, and come again with the next one: the
//     IDs make repetitions harmless.
//   - Dates are civil dates, whatever offset they are written with. Sites have no
//     zone: settings.zones and settings.zone say which is meant.
package workday
