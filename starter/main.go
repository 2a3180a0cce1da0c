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

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/internal/service"
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
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return service.UsageError(err)
	}
	var kafkaReady service.Later
	kafkaAlive := service.Later{Meanwhile: true}
	backing, err := p.Connect(ctx, cfg, cfg.Metrics.Starter, service.Checks{
		Alive: map[string]service.Check{"kafka": kafkaAlive.Check},
		Ready: map[string]service.Check{"kafka": kafkaReady.Check},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backing.Close()) }() //nolint:contextcheck // it has to work when ctx is done

	consumer, err := ingest.NewConsumer(ingest.Options{
		Cluster: cluster,
		Group:   cfg.Kafka.Group,
		Topics:  topics,
		Intake:  backing.Ledger,
		Nudger:  backing.Runs,
		Clock:   cfg.Clock(),
		Log:     p.Log,
		Metrics: p.Metrics,
	})
	if err != nil {
		return service.UsageError(err)
	}
	kafkaReady.Set(consumer.Ready)
	kafkaAlive.Set(consumer.Alive)
	p.Log.Info("consuming", zap.Strings("brokers", cfg.Kafka.Brokers), zap.String("group", cfg.Kafka.Group),
		zap.String("as", cluster.Identity()))
	return consumer.Run(ctx) // until a signal: then it finishes what is in flight, and commits
}

// topicsOf finds the decoder of each topic.
func topicsOf(cfg config.Kafka) ([]ingest.Topic, error) {
	topics := make([]ingest.Topic, len(cfg.Topics))
	for i, t := range cfg.Topics {
		kind, ok := catalog.Lookup(t.Source)
		if !ok {
			return nil, fmt.Errorf("topic %s: there is no source %q", t.Name, t.Source)
		}
		opened, err := kind.Open(t.Settings)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
		topics[i] = ingest.Topic{
			Name: t.Name, Source: t.Source, Decode: opened.Decode, Identify: opened.Identify, Fetch: opened.Fetch,
			DeadLetters: t.DeadLetters, FromEnd: t.StartOffset == config.StartLast,
		}
	}
	return topics, nil
}
