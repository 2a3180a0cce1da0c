// Package activities runs the engine (package provision) as Temporal's activities. It
// decides over which task queue a step goes and how long an attempt may take, has attempts
// wait for a place in their app, and translates the engine's errors. The sweeper is here
// too, which finds people who are due and sees to it that they have a run.
//
// It may import everything but workflows, ingest and the mains.
package activities
