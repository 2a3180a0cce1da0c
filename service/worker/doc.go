// Package worker is a worker without its command line. [Run] opens the connectors of all
// apps, hosts Tenure's workflows and activities on their task queues, keeps the sweeper's
// schedule, and exports the worker's metrics. The command worker calls it, and a Go
// program of your own can call it too.
package worker
