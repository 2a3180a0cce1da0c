// Package provision is the engine: it gives people accounts and takes them away.
//
// # What it does
//
// An [Engine] has three methods:
//
//   - [Engine.Assess] decides what has to be done for a person (package assess), asks the
//     breaker for what takes access, stores the steps, and says what a run does next.
//   - [Engine.Apply] makes one attempt at one step, for one account in one app.
//   - [Engine.CutOff] disables all accounts of a person from this process, when there is
//     no Temporal to run steps (break-glass).
//
// # What it promises
//
// Every method may run any number of times, may be killed at any point, and may run
// again, in another process too. Three rules make that safe:
//
//   - Intent: an attempt is written to the ledger before any call that may have an effect in
//     the app. Its outcome is written after the call, in one transaction with the link and the
//     audit row. Only the first search for an account comes before the intent, which then goes
//     by it if nothing has changed (docs/adr/0067).
//   - Planning again: an attempt begins by deciding afresh from the ledger
//     (docs/adr/0002). A step that the plan does not ask for at that moment is not
//     applied, whoever asked for it and however late. Neither is one that the breaker
//     has not admitted (docs/adr/0020).
//   - Proof: a step is done when the app, read again, shows the change. Retention counts
//     from that proof.
//
// A call whose answer was lost is in doubt until it can no longer take effect
// (docs/adr/0007): a later attempt looks at the app before it does anything else, and a
// person who must be off is proven off once more after that time. An account is taken
// for a person's without asking only if that is certain (it has their external ID, or an
// attempt of Tenure's made it), or if the configuration says so (docs/adr/0025).
//
// Errors are *[Error]: a code, a message without personal data, and whether another
// attempt may help. A final one is in the ledger as attention, which an operator sees.
//
// # How the parts fit
//
// Apply (attempt.go) is the frame: intent, decision, admission, calls, outcome; ahead.go has
// what a first attempt finds out before its intent. The
// calls of each kind of step are one method, found by a table (performers):
// provision.go and attributes.go give, deprovision.go disables, strips, hands over and
// deletes, relabel.go renames. account.go and ownership.go find the account and say
// whose it is; byhand.go asks a human where an app has no interface (docs/adr/0018).
// admission.go and withdrawals.go tell the breaker what a plan would take.
//
// Package activities calls the engine for Temporal: it chooses task queues, divides the
// time of an attempt and translates errors. Package operator calls CutOff.
//
// # Where to begin
//
// Read Apply in attempt.go, then the disable method in deprovision.go: it is the step
// that must not fail, and all others have its shape. The method fail decides whether
// another attempt follows or the step needs attention. The tests that exercise the engine
// as a whole are in package workflows, with apps in memory and a ledger in SQLite.
//
// The engine knows nothing of who runs it. It may import what is below it, and nothing
// of Temporal (docs/adr/0034); the linter holds it to that.
package provision
