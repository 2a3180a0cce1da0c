// Package runs reaches people's runs in Temporal from outside: it starts and signals
// them, reports their state to the sweeper, and replaces those that cannot go on. It also
// prepares a namespace: search attributes and the sweeper's schedule.
//
// Package workflows says what a run does, and has the names of workflows, signals and
// task queues that this package uses.
package runs
