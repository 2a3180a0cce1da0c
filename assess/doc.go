// Package assess decides what has to be done for one person at one instant.
//
// # What it does
//
// [Rules.For] takes all that the ledger knows of a person and makes a [Decision] in four
// steps. The packages hr, policy and plan, which do most of the work, are pure:
//
//  1. hr merges what HR has said, under all IDs of the human, into a timeline
//     ([TimelineOf]), and says where the person stands now.
//  2. The person gets a username and an e-mail address, if they may have accounts and
//     have none yet.
//  3. policy says which accounts, attributes and entitlements somebody in that standing
//     should have.
//  4. plan compares that with the linked accounts, and with what operators have decided
//     (holds, retentions, approvals, skips), and lists the steps and the next date that
//     matters.
//
// Around these it looks for earlier IDs of the same human (SameHumans), so that nobody
// gets a second set of accounts, and leaves out what is protected.
//
// # What it promises
//
//   - There is one decision, and not two that could differ. The worker decides before
//     it plans and again right before each call to an app (docs/adr/0002); `tenure plan`
//     decides by the same code to show what would be done (docs/adr/0022).
//   - Deciding calls no app, reads no clock and logs nothing. What it needs besides the
//     person comes from a [Registry], a small part of the ledger, and the only thing
//     that it may write there is the claim of a username. A rehearsal passes a registry
//     that claims nothing.
//   - If policy cannot be evaluated for somebody, nothing is planned for them, except to
//     cut off those who must not have access ([CutsOff]). PolicyErr says what is wrong.
//   - A username that some account of a person may have is never given to anybody else.
//   - [Guard] wraps a connector so that no call changes a protected person or account,
//     whatever led to the call.
//
// # How the parts fit
//
// decide.go is the decision. input.go translates between the ledger's types and those
// of plan, and [Traits] tells plan what an app's connector can do. after.go computes what
// a link becomes once a step is done ([After]). earlier.go and
// samehuman.go are about humans with several IDs (docs/adr/0029, 0030), username.go about
// usernames, protect.go about protection (docs/adr/0023).
//
// Two packages lie below it: preview rehearses a change from date to date, and
// correlation finds out whose the accounts of an app are.
//
// # Where to begin
//
// Read [Decision], then [Rules.For] from top to bottom: it is one page. Package
// provision shows what the worker does with a decision.
//
// The package imports contracts (connector, ledger) and the core (hr, policy, plan).
// Nothing of Temporal, and nothing that applies changes, may be imported here.
package assess
