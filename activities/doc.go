// Package activities runs the engine (package provision) as Temporal activities. It chooses
// the task queue of a step and divides the time of an attempt, has attempts wait for a place
// in their app, and translates the engine's errors. It also holds the sweeper, which finds
// people who are due and makes sure that they have a run.
//
// It may import everything but workflows, ingest and the programs.
package activities
