// Package worker is a worker without its command line: Run opens the connector of every
// app, hosts Tenure's workflows and activities on their task queues, keeps the sweeper's
// schedule, and exports the worker's metrics. The command worker calls it; so can a
// program of your own.
package worker
