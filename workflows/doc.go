// Package workflows is Tenure's business process as Temporal workflows. Each person
// has one workflow ID; each change is a run under that ID whose type names the change.
// Joiner, Mover and Leaver apply a change. Scheduled sleeps until the next date that
// matters. Sweep finds people for whom something is due and who have no run.
//
// A run decides nothing itself. It asks the Assess activity what has to be done, starts
// an activity for each step, waits for what needs a human, and asks again until nothing
// is left. So a change of policy cannot break a run that sleeps: its history holds
// results and no rules.
//
// Inputs, results, signals, search attributes and details hold person IDs, event
// numbers, names of apps and entitlements, and codes. They hold no personal data.
//
// Workflow code has to replay the histories of runs that are open, and those in
// testdata/replay: guard a change of what it does by workflow.GetVersion. What reaches
// runs from outside is in service/runs, what hosts them in service/worker.
//
// The package may import activities, provision, plan, hr and the Temporal SDK.
package workflows
