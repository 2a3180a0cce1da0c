package worker_test

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // people live in zones that a slim container image does not know

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
	"github.com/tenurehq/tenure/service/worker"
)

// A program of yours hosts the worker, with its own connection to Temporal, logger and
// metrics. The example is compiled and not run, because it needs a Temporal server.
func ExampleRun() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := host(ctx, "tenure.yaml", client.Options{HostPort: "localhost:7233", Namespace: "hr"}); err != nil {
		log.Println(err)
	}
}

// host hosts the worker until ctx is done.
func host(ctx context.Context, path string, temporal client.Options) (err error) {
	// A worker needs neither Kafka nor the HR systems.
	cfg, err := config.LoadFor(path, config.PartLedger)
	if err != nil {
		return err // the error says what is wrong, and where in the file
	}
	logger := zap.NewExample()
	if err := service.CheckClock(cfg, temporal.HostPort, logger); err != nil {
		return err
	}
	store, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	connection, err := client.DialContext(ctx, temporal)
	if err != nil {
		return err
	}
	defer connection.Close()
	people := runs.New(connection, temporal.Namespace)
	if err := people.RegisterAttributes(ctx); err != nil {
		return err
	}
	return worker.Run(ctx, worker.Options{
		Config:   cfg,
		Ledger:   store,
		Temporal: connection,
		Runs:     people,
		Log:      logger,
		Metrics:  prometheus.DefaultRegisterer,
	})
}
