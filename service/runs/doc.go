// Package runs reaches people's runs in Temporal from outside: it starts and signals
// them, looks at how they are for the sweeper, and ends those that cannot go on. It also
// sets up what a namespace needs before there is work: search attributes and the
// sweeper's schedule.
//
// What a run does is in package workflows. The names of workflows, signals and task
// queues are there too; this package only uses them.
package runs
