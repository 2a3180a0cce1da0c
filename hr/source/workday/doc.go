// Package workday decodes answers of Workday's Staffing web service: Get_Workers_Response,
// or one or more Worker elements of it, as XML
// (https://community.workday.com/sites/default/files/file-hosting/productionapi/Staffing/v44.1/Get_Workers.html).
//
// Workday sends no webhooks. Every company builds its own integration (Studio, Orchestrate,
// a connector, a poller). All of them can produce Get_Workers, and it is documented. Unlike
// a report it has the transaction log: an ID for each transaction, its effective and entry
// moments, and the transactions that were rescinded or corrected. A Worker with a
// Worker_Reference and without Worker_Data is thin: the worker is fetched by the same
// operation.
//
// # What Tenure makes of it
//
//   - Each entry of Transaction_Log_Entry_Data is an event. Its ID is the transaction's WID,
//     its recorded time the entry moment, its effective date the day of the effective
//     moment. Its type follows from the business process (Hire Employee, Contract
//     Contingent Worker, Change Job, Terminate Employee, End Contingent Worker Contract,
//     ...). Unknown processes are updates.
//   - The snapshot is the Worker_Data, as of the response's As_Of_Effective_Date. For a
//     transaction with a later date, the integration has to send the worker as of that
//     date. A transaction that takes effect after the snapshot is refused.
//   - An entry of Transaction_Log_Corrected_And_Rescinded_Data rescinds its main
//     transaction, by that one's WID. A correction also gives the corrected event.
//   - A Worker may have several jobs (Worker_Job_Data). The primary one is the profile. The
//     others become hr.AdditionalJobs of the event that was entered last, because the
//     transaction log does not say which job a transaction is about. A list is whole if the
//     response says that it was requested with Include_Additional_Jobs, or has more than
//     one job. A record with one job and without that flag says nothing about other jobs.
//     If there are other jobs, or a transaction adds or ends one, the list becomes an event
//     of its own, so that a later copy of the record may have another list.
//   - A job's ID is its Position_ID. The one of the primary job is not read, because it
//     changes with every move.
//   - A Worker may have many transactions, and may come again with the next one. The IDs
//     make repetitions harmless.
//   - Dates are civil dates; an offset in them is ignored. Sites have no zone. The settings
//     zones and zone give it.
package workday
