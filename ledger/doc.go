// Package ledger is the contract of Tenure's own database: what HR said, who has which
// account, what was tried, what was decided, and the audit record.
//
// # What it does
//
// The ledger is the truth for all of these. Temporal holds only what is running: a run
// that is lost is started again from the ledger, and a signal only says "look again"
// (docs/adr/0026). [Ledger] is the interface; it is made of smaller ones by who needs
// them:
//
//   - [Intake] stores HR events and dead letters for the starter.
//   - [Work] is what the engine needs: a [Person] in one consistent read, the intents
//     and outcomes of steps, links, and who is due.
//   - [Steps], [Tasks], [Holds], [Retentions], [Approvals], [Breaker] and [Identities]
//     hold what operators see and decide.
//   - [Query] and [Census] answer questions and count.
//   - [Pacer] shares the rates of apps between processes, and [Mover] exports a ledger
//     and imports it into another database.
//
// # What it promises
//
//   - A method may be called by several processes at once, and may be repeated: a second
//     call with the same arguments changes nothing. So a caller that does not know
//     whether its call was done makes it again.
//   - A method that returns without error has written what survives a crash of the
//     process and of the machine. One that fails has changed nothing, except that after
//     [ErrUnreachable] this is not known.
//   - An attempt to call an app is written before the call (BeginStep). Its outcome, the
//     link and the audit row are written in one transaction after it (FinishStep).
//   - An assessment is saved only if nobody has saved a newer one since the person was
//     read ([ErrStale]). What made the person due meanwhile keeps them due.
//   - A link to an account that another person's link names is refused ([TakenError]), and
//     no two people hold the same username.
//   - Audit rows are added and never changed. They hold IDs, names of apps and codes,
//     and no names of people.
//
// # How the parts fit
//
// relational implements the interface once, in SQL that SQLite and PostgreSQL both
// understand; sqlite and postgres bring tables, transactions and the few texts in which
// they differ (docs/adr/0017). ledgertest is the suite that both pass, with random
// histories, races and killed processes. open chooses the store by the URL in the
// configuration. pace makes calls to apps wait for their turn.
//
// # Where to begin
//
// Read the interface [Ledger] and the types [Person] and [Link]; then BeginStep and
// FinishStep in [Work], with [Attempt] and [Outcome]. To add a method, begin in
// ledgertest: it is where a promise is written down as a test.
//
// The package may import hr, clock and the standard library. Stores never import each
// other.
package ledger
