// Package assess says what has to be done for one person at one instant: all that
// HR has said becomes a timeline, policy says what somebody in that standing has,
// and comparing this with the linked accounts gives a plan.
//
// The worker decides so before it does anything, and a rehearsal (package
// preview) to show what it would do: there is one decision, and not two that
// could differ. Deciding calls no app and writes nothing; of what is outside it
// knows only what its Registry tells it.
package assess
