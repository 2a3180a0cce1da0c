// Package workflows is Tenure's business process as Temporal workflows: one
// workflow ID per person, and per change one run whose type names it. Joiner,
// Mover and Leaver apply a change; Scheduled sleeps until the next date that
// matters; Sweep finds people who have neither.
//
// A run never decides anything itself. It asks the Assess activity what has to
// be done, does it step by step, waits for what needs a human, and asks again
// until nothing is left. What policy or HR say tomorrow can therefore never
// break a run that sleeps today: results are in its history, rules are not.
//
// Inputs, results, signals, search attributes and details hold person IDs, event
// numbers, app names, entitlement names and codes: no personal data.
//
// The package may import activities, plan, hr and the Temporal SDK.
package workflows
