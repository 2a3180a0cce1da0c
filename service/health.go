package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/operator/health"
	"github.com/tenurehq/tenure/service/runs"
)

// Health returns where to look at all parts of the Tenure that the configuration
// describes. noKafka says why the configuration has no secrets for Kafka; nil if it has
// them.
func Health(cfg *config.Config, noKafka error) health.Tenure {
	enough := map[string]ledger.EnoughSeats{}
	for name, app := range cfg.Apps {
		enough[name] = app.Licences
	}
	return health.Tenure{
		Temporal: withTemporal,
		NoKafka:  noKafka,
		Kafka:    func(ctx context.Context) (group.Status, error) { return groupStatus(ctx, cfg.Kafka) },
		Ledger: func(ctx context.Context, use func(ledger.Reader) error) error {
			return withLedger(ctx, cfg.Ledger.URL, use)
		},
		Apps:         slices.Sorted(maps.Keys(cfg.Apps)),
		Group:        cfg.Kafka.Group,
		SweepEvery:   cfg.Sweep.Every,
		OverdueAfter: cfg.OverdueAfter(),
		EnoughSeats:  enough,
		Clock:        cfg.Clock(),
	}
}

// withTemporal asks the Temporal server of the environment once, and calls use if it
// answers.
func withTemporal(ctx context.Context, use func(health.Runs) error) error {
	opts, err := TemporalOptions(zap.NewNop())
	if err != nil {
		return err
	}
	t, err := client.NewLazyClient(opts)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := ProbeTemporal(ctx, t, opts.Namespace); err != nil {
		return fmt.Errorf("no answer from Temporal at %s: %w", opts.HostPort, err)
	}
	return use(runs.New(t, opts.Namespace))
}

func groupStatus(ctx context.Context, cfg config.Kafka) (group.Status, error) {
	cluster, err := Cluster(cfg)
	if err != nil {
		return group.Status{}, err
	}
	var topics []group.Topic
	for _, t := range cfg.Topics {
		topics = append(topics, group.Topic{Name: t.Name, FromEnd: t.StartOffset == config.StartLast})
	}
	in, err := group.StatusOf(ctx, cluster, topics, cfg.Group)
	if err != nil {
		return in, fmt.Errorf("no answer from Kafka at %s: %w", strings.Join(cfg.Brokers, ", "), err)
	}
	return in, nil
}

// withLedger calls use with the ledger at a URL, which it only reads.
func withLedger(ctx context.Context, url string, use func(ledger.Reader) error) error {
	there, err := open.Exists(ctx, url)
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("there is no ledger at %s", open.Address(url))
	}
	l, err := open.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // it was only read
	return use(l)
}
