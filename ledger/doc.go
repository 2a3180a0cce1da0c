// Package ledger is the contract of Tenure's own database. It holds HR events, links,
// steps and attempts, decisions, and the audit record.
//
// # What it does
//
// The ledger is the truth for all of these. Temporal holds only what is running: a run
// that is lost is started again from the ledger, and a signal only says "look again"
// (docs/adr/0026). [Ledger] is the interface. It consists of smaller ones, each for one
// group of callers:
//
//   - [Intake] stores HR events and dead letters for the starter.
//   - [Work] serves the engine: a [Person] in one consistent read, the intents and
//     outcomes of steps, links, and the people who are due.
//   - [Steps], [Tasks], [Holds], [Retentions], [Approvals], [Breaker] and [Identities]
//     serve operators, who look at these things and decide about them.
//   - [Scans] keeps what apps show and how it differs from links, and [Identifiers] what
//     people and accounts are called.
//   - [Notices] is the outbox of what people are told.
//   - [Query] and [Census] answer questions and count, and [Licences] keeps how many seats
//     apps have.
//   - [Pacer] shares the rates of apps between processes, [Leases] give one of them at a
//     time the right to do something, and [Mover] exports a ledger and imports it into
//     another database.
//
// # What it promises
//
//   - A method may be called by several processes at once, and may be repeated: a second
//     call with the same arguments changes nothing. So a caller that does not know
//     whether its call succeeded repeats it.
//   - When a method returns without error, its changes survive a crash of the process and
//     of the machine. A method that fails has changed nothing, except that this is not
//     known after [ErrUnreachable].
//   - An attempt to call an app is written before the first call that may have an effect
//     (BeginStep). Its outcome, the link and the audit row are written in one transaction
//     after it (FinishStep).
//   - An assessment is saved only if nobody has saved a newer one since the person was
//     read ([ErrStale]). If something made the person due meanwhile, they stay due.
//   - A link to an account that another person's link names is refused ([TakenError]), and
//     no two people hold the same username.
//   - Audit rows are added and never changed. They hold IDs, names of apps and codes,
//     and no names of the people whom they are about.
//
// # How the parts fit
//
// Package relational implements the interface once, in SQL that SQLite and PostgreSQL both
// understand. Packages sqlite and postgres add tables, transactions and the few statements
// in which they differ (docs/adr/0017). Package ledgertest holds the test suite that both
// pass, with random histories, races and killed processes. Package open chooses the store
// by the URL in the configuration. Package pace makes calls to apps wait for their turn.
//
// # Where to begin
//
// Read the interface [Ledger] and the types [Person] and [Link]; then BeginStep and
// FinishStep in [Work], with [Attempt] and [Outcome]. To add a method, begin in
// ledgertest: each promise of the interface is a test there.
//
// The package may import hr, clock and the standard library. Stores never import each
// other.
package ledger
