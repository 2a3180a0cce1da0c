// Command starter consumes HR events from Kafka: it writes each event to the ledger and
// tells the person's workflow. You may run several of them; they share the partitions of
// the topics. If the configuration says so, it also takes webhooks of HR systems and
// writes them to Kafka.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
	_ "time/tzdata" // people live in zones that a slim container image does not know

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/service"
)

// The two parts of a starter. Each of them may run alone.
const (
	onlyConsumer = "consumer"
	onlyWebhooks = "webhooks"
)

// needs maps --only to the parts of the configuration that the starter then uses. Secrets
// and files of other parts do not have to exist.
var needs = map[string][]config.Part{
	"":           {config.PartKafka, config.PartSources, config.PartWebhooks, config.PartLedger},
	onlyConsumer: {config.PartKafka, config.PartSources, config.PartLedger},
	onlyWebhooks: {config.PartKafka, config.PartWebhooks},
}

func main() {
	var only string
	os.Exit(service.Main("starter", "Consumes HR events from Kafka, and starts what they call for. Takes webhooks, if there are any in the configuration.",
		func(ctx context.Context, p *service.Process) error { return run(ctx, p, only) },
		func(flags *flag.FlagSet) {
			flags.StringVar(&only, "only", "", "run one `part` only: "+onlyConsumer+" (take no webhooks), or "+onlyWebhooks+" (which needs Kafka alone, and no secret but its and the endpoints')")
		}))
}

// run runs both parts of a starter, or only one of them.
func run(ctx context.Context, p *service.Process, only string) error {
	parts, ok := needs[only]
	if !ok {
		return service.UsageErrorf("--only %s: must be %s or %s", only, onlyConsumer, onlyWebhooks)
	}
	cfg, err := config.LoadFor(p.ConfigPath, parts...) //nolint:contextcheck // it connects to nothing
	if err != nil {
		return service.UsageError(err)
	}
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return service.UsageError(err)
	}
	ready := map[string]service.Check{}
	if cfg.Webhooks != nil && only != onlyConsumer {
		taken, err := openWebhooks(cfg, cluster, p)
		if err != nil {
			return err
		}
		ready["webhooks"] = taken.ready
		if only == onlyWebhooks {
			return serveWebhooks(ctx, p, cfg, taken, ready)
		}
		ctx, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() {
			defer stop() // the starter does not go on with one part alone
			ended <- taken.run(ctx)
		}()
		err = consume(ctx, p, cfg, cluster, ready)
		stop()
		return errors.Join(err, <-ended)
	}
	if only == onlyWebhooks {
		return service.UsageErrorf("%s: there are no webhooks to take: add them, or leave --only out", p.ConfigPath)
	}
	return consume(ctx, p, cfg, cluster, ready)
}

// serveWebhooks takes webhooks and does not consume.
func serveWebhooks(ctx context.Context, p *service.Process, cfg *config.Config, taken *webhooks, ready map[string]service.Check) error {
	http, err := p.ServeHTTP(cfg.Metrics.Starter, service.Checks{Ready: ready})
	if err != nil {
		return err
	}
	return errors.Join(taken.run(ctx), http.Close()) //nolint:contextcheck // closing has to work when ctx is done
}

// consume connects to ledger, Temporal and Kafka, and consumes HR events until ctx is done.
func consume(ctx context.Context, p *service.Process, cfg *config.Config, cluster broker.Cluster, ready map[string]service.Check) (err error) {
	topics, err := topicsOf(cfg)
	if err != nil {
		return service.UsageError(err)
	}
	var kafkaReady service.Later
	kafkaAlive := service.Later{Meanwhile: true}
	ready["kafka"] = kafkaReady.Check
	backing, err := p.Connect(ctx, cfg, cfg.Metrics.Starter, service.Checks{
		Alive: map[string]service.Check{"kafka": kafkaAlive.Check},
		Ready: ready,
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
		Turns:   backing.Ledger, ReadAhead: cfg.Kafka.ReadAhead,
		Clock:   cfg.Clock(),
		Log:     p.Log,
		Metrics: p.Metrics,
		Settle:  settle(cfg),
		Tuning:  ingest.Tuning{GiveUp: cfg.Kafka.GiveUpAfter},
	})
	if err != nil {
		return service.UsageError(err)
	}
	kafkaReady.Set(consumer.Ready)
	kafkaAlive.Set(consumer.Alive)
	p.Log.Info("consuming", zap.Strings("brokers", cfg.Kafka.Brokers), zap.String("group", cfg.Kafka.Group),
		zap.String("as", cluster.Identity()))
	return consumer.Run(ctx) // at a signal it finishes what is under way, and commits
}

// settle returns how long (product time) leavers wait, so that a mass change is seen before
// any of it is done.
func settle(cfg *config.Config) time.Duration {
	if cfg.Breaker == nil {
		return 0
	}
	return cfg.Breaker.Settle
}

// topicsOf returns the topics of the configuration, each with its decoder.
func topicsOf(cfg *config.Config) ([]ingest.Topic, error) {
	topics := make([]ingest.Topic, len(cfg.Kafka.Topics))
	for i, t := range cfg.Kafka.Topics {
		kind, ok := catalog.Lookup(t.Source)
		if !ok {
			return nil, fmt.Errorf("topic %s: there is no source %q", t.Name, t.Source)
		}
		opened, err := kind.Open(t.Settings)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
		topics[i] = ingest.Topic{
			Name: t.Name, Source: t.Source, Decode: opened.Decode, Identify: opened.Identify, Fetch: opened.Fetch, Snapshot: opened.Snapshot,
			DeadLetters: t.DeadLetters, FromEnd: t.StartOffset == config.StartLast,
			Channel: t.Channel, Endpoints: endpointsOf(cfg.Webhooks, t.Name),
		}
	}
	return topics, nil
}

// endpointsOf returns which events the webhooks that are written to a topic may carry, by
// endpoint.
func endpointsOf(cfg *config.Webhooks, topic string) map[string]source.Channel {
	channels := map[string]source.Channel{}
	if cfg == nil {
		return channels
	}
	for _, e := range cfg.Endpoints {
		if e.Topic == topic {
			channels[e.Path] = e.Channel
		}
	}
	return channels
}
