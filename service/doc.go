// Package service holds what Tenure's long-running programs (worker and starter) have in
// common: flags, logger, signals and exit codes ([Main]); the ledger and Temporal, which
// it waits for ([Process.Connect]); the HTTP endpoints for metrics and probes
// ([ServeHTTP]); the Kafka cluster ([Cluster]); and the version of the build.
//
// A main function is then one line, and the program is another function:
//
//	func main() { os.Exit(service.Main("worker", "Hosts workflows and activities.", run)) }
//
//	func run(ctx context.Context, p *service.Process) error {
//		cfg, err := config.Load(p.ConfigPath)
//		if err != nil {
//			return service.UsageError(err) // exit code 2, printed as it is
//		}
//		backing, err := p.Connect(ctx, cfg, cfg.Metrics.Worker, service.Checks{})
//		if err != nil {
//			return err // exit code 1
//		}
//		...
//		<-ctx.Done() // a signal: take no more work, finish what is under way, close
//		return backing.Close()
//	}
//
// The packages below it are wiring too: worker hosts workflows and activities, runs
// reaches people's runs in Temporal, apps and formats open what the configuration names,
// redrive reads dead letters from Kafka. Only programs import any of them.
package service
