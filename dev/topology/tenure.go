package topology

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"text/template"
	"time"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/workflows"
)

//go:embed tenure.yaml.tmpl
var configuration string

// rendering holds the values that the template of tenure.yaml uses.
type rendering struct {
	Brokers                      string
	Secure                       bool
	CA, KafkaUser, KafkaPassword string // the password is a file
	Ledger                       string
	Metrics                      string
	DirectoryURL, DirectoryCA    string
	WikiURL, DatabaseAddress     string
	Allowed                      int // before the breaker holds
	Decider                      string
}

// Run runs Tenure's command line as an operator, and returns what it prints.
func (t *Topology) Run(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, filepath.Join(t.opts.Bin, "tenure"), append(args, "--config", t.Config("worker-1"))...)
	command.Env = append(t.Env(), "TENURE_OPERATOR=chaos")
	return command.Output()
}

// Config is the path of the tenure.yaml of one of Tenure's processes: they differ
// in where they serve metrics. Any of them will do for the command line.
func (t *Topology) Config(name string) string { return filepath.Join(t.dir, name+".yaml") }

// LedgerURL returns the ledger's URL.
func (t *Topology) LedgerURL() string {
	if t.opts.SQLite {
		return "sqlite:" + filepath.Join(t.dir, "tenure.db")
	}
	return t.postgresURL("postgresql", databaseTenure, databaseTenure)
}

// kafkaPasswordFile returns the path of the file with the password with which Tenure signs in to Kafka.
func (t *Topology) kafkaPasswordFile() string { return filepath.Join(t.dir, "kafka-password") }

func (t *Topology) configure(name string) error {
	if err := os.WriteFile(t.kafkaPasswordFile(), []byte(t.kafkaPassword), 0o600); err != nil {
		return err
	}
	return t.render(name, t.Config(name), t.directoryCA())
}

func (t *Topology) render(name, path, directoryCA string) error {
	r := rendering{
		Brokers: t.ports.address("kafka"), Secure: t.opts.Secure, KafkaUser: kafkaUser, KafkaPassword: t.kafkaPasswordFile(),
		Ledger: t.LedgerURL(), Metrics: t.ports.address(name),
		DirectoryURL: t.directoryURL(), DirectoryCA: directoryCA,
		WikiURL:         t.wikiURL(),
		DatabaseAddress: t.ports.address(AppDatabase),
		Allowed:         cmp.Or(t.opts.Allowed, 5000),
		Decider:         t.opts.Decider,
	}
	if t.opts.Secure {
		r.Brokers, r.CA = t.ports.address("kafka-clients"), t.certs.ca()
	}
	parsed, err := template.New("tenure.yaml").Option("missingkey=error").Parse(t.opts.Configuration)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, r); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}

// startTenure runs workers and starters, all at once: the first one creates the
// ledger's tables.
func (t *Topology) startTenure(ctx context.Context) error {
	if t.opts.Confined {
		if err := t.makeImage(); err != nil {
			return err
		}
	}
	var all []func(context.Context) error
	for program, count := range map[string]int{"worker": t.opts.Workers, "starter": t.opts.Starters} {
		for i := range count {
			name := numbered(program, i)
			if err := t.configure(name); err != nil {
				return err
			}
			opts := process.Options{
				Name: name, Path: filepath.Join(t.opts.Bin, program), Args: []string{"--config", t.Config(name)}, Env: t.Env(),
				Grace: workflows.StopTimeout + 5*time.Second,
				Ready: func(ctx context.Context) error { return t.Ready(ctx, name) },
			}
			if t.opts.Confined {
				if err := t.confine(&opts, program); err != nil {
					return err
				}
			}
			all = append(all, func(ctx context.Context) error { return t.run(ctx, opts) })
		}
	}
	return t.together(ctx, all)
}

// Reconfigure stops Tenure's processes, and starts them with another configuration: see
// Options.Configuration.
func (t *Topology) Reconfigure(ctx context.Context, configuration string) error {
	t.opts.Configuration = configuration
	var stop sync.WaitGroup
	var start []func(context.Context) error
	for program, count := range map[string]int{"worker": t.opts.Workers, "starter": t.opts.Starters} {
		for i := range count {
			p := t.processes[numbered(program, i)]
			stop.Go(p.Stop)
			start = append(start, func(ctx context.Context) error {
				return errors.Join(t.configure(p.Name()), p.Start(ctx))
			})
		}
	}
	stop.Wait()
	return t.together(ctx, start)
}

// Ready asks one of Tenure's processes whether it is ready.
func (t *Topology) Ready(ctx context.Context, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.ports.address(name)+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := scimClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		var said bytes.Buffer
		_, _ = said.ReadFrom(answer.Body)
		return fmt.Errorf("%s is not ready: %s", name, said.String())
	}
	return nil
}
