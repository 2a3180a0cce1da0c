// Package service is what Tenure's long-running processes (worker and starter)
// have in common: flags, configuration, logger, signals and exit codes (Main),
// the connection to Temporal (DialTemporal, which waits until it is there), the
// HTTP endpoints for metrics and probes (ServeHTTP), the way to Kafka (Cluster),
// and the build's version.
//
// A main is then one line and a function:
//
//	func main() { os.Exit(service.Main("worker", "Hosts workflows and activities.", run)) }
//
//	func run(ctx context.Context, p *service.Process) error {
//		cfg, err := config.Load(p.ConfigPath)
//		if err != nil {
//			return service.UsageError(err) // exit code 2, printed as it is
//		}
//		temporal, err := service.DialTemporal(ctx, p.Log)
//		...
//		http, err := p.ServeHTTP(cfg.Metrics.Worker, service.Checks{
//			Ready: map[string]service.Check{"ledger": l.Ping},
//		})
//		...
//		<-ctx.Done() // a signal: stop intake, finish what is in flight, close
//		return http.Close()
//	}
//
// It is wiring: it may import config and the Temporal SDK, and nothing imports
// it but mains and the command line.
package service
