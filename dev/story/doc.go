// Package story is the small company of which the demo plays seven weeks: who is in it,
// what HR says when, what goes wrong meanwhile, and how every account must stand
// in the end. The last is written down by hand, not computed: it is what the
// policy of the embedded stack means for these people.
//
// A day of the story takes as long as the stage's clock says (a second in the
// demo). Nothing is told before what was told earlier has come true: on a busy machine the
// story takes more days. The end-to-end tests play the same story while they kill processes.
package story
