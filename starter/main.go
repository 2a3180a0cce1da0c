// Command starter consumes HR events from Kafka: it writes each into the ledger
// and tells the person's workflow. Any number of them may run at once; they
// share the topics' partitions.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	_ "time/tzdata" // people live in zones that a slim container image does not know

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/workflows"
)

func main() {
	os.Exit(service.Main("starter", "Consumes HR events from Kafka, and starts what they call for.", run))
}

func run(ctx context.Context, p *service.Process) (err error) {
	cfg, err := config.Load(p.ConfigPath) //nolint:contextcheck // it connects to nothing
	if err != nil {
		return service.UsageError(err)
	}
	topics, err := topicsOf(cfg.Kafka)
	if err != nil {
		return service.UsageError(err)
	}
	store, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	// The probes answer while Temporal is waited for, and say that it is.
	var temporalReady, kafkaReady service.Later
	http, err := p.ServeHTTP(cfg.Metrics.Starter, map[string]service.Check{
		"ledger":   store.Ping,
		"temporal": temporalReady.Check,
		"kafka":    kafkaReady.Check,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, http.Close()) }() //nolint:contextcheck // it has to work when ctx is done

	var address, namespace string
	temporal, err := service.DialTemporal(ctx, p.Log, func(o *client.Options) {
		address, namespace = o.HostPort, o.Namespace
	})
	if err != nil {
		return err
	}
	defer temporal.Close()
	temporalReady.Set(func(ctx context.Context) error { return service.ProbeTemporal(ctx, temporal, namespace) })
	if err := service.CheckClock(cfg, address, p.Log); err != nil {
		return service.UsageError(err)
	}
	runs := workflows.NewClient(temporal, namespace)
	if err := runs.RegisterAttributes(ctx); err != nil {
		return err
	}

	consumer, err := ingest.NewConsumer(ingest.Options{
		Brokers: cfg.Kafka.Brokers,
		Group:   cfg.Kafka.Group,
		Topics:  topics,
		Intake:  store,
		Nudger:  runs,
		Clock:   cfg.Clock(),
		Log:     p.Log,
		Metrics: p.Metrics,
	})
	if err != nil {
		return service.UsageError(err)
	}
	kafkaReady.Set(consumer.Ready)
	p.Log.Info("consuming", zap.Strings("brokers", cfg.Kafka.Brokers), zap.String("group", cfg.Kafka.Group))
	return consumer.Run(ctx) // until a signal: then it finishes what is in flight, and commits
}

// topicsOf finds the decoder of each topic.
func topicsOf(cfg config.Kafka) ([]ingest.Topic, error) {
	topics := make([]ingest.Topic, len(cfg.Topics))
	for i, t := range cfg.Topics {
		decode, ok := catalog.Lookup(t.Source)
		if !ok {
			return nil, fmt.Errorf("topic %s: there is no source %q", t.Name, t.Source)
		}
		topics[i] = ingest.Topic{Name: t.Name, Source: t.Source, Decode: decode, DeadLetters: t.DeadLetters}
	}
	return topics, nil
}
