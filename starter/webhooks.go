package main

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/receiver"
	"github.com/tenurehq/tenure/service"
)

// webhooks holds the intake of webhooks, and the publisher that writes them to Kafka.
type webhooks struct {
	intake    *receiver.Intake
	publisher *broker.Publisher
	topics    []string
}

// openWebhooks opens the listener for webhooks; run takes them.
func openWebhooks(cfg *config.Config, cluster broker.Cluster, p *service.Process) (*webhooks, error) {
	w := &webhooks{publisher: broker.NewPublisher(cluster)}
	w.publisher.Waiting = func(reason error) { p.Log.Warn("Kafka does not take webhooks at the moment", zap.Error(reason)) }
	o := receiver.Options{
		Listen:  cfg.Webhooks.Listen,
		MaxBody: cfg.Webhooks.MaxBody,
		Publish: w.publish,
		Log:     p.Log,
		Metrics: p.Metrics,

		BehindProxy: cfg.Webhooks.BehindProxy, Certificate: cfg.Webhooks.Certificate,
	}
	for _, e := range cfg.Webhooks.Endpoints {
		var err error
		if e.Key, err = keyOf(cfg.Kafka, e.Topic); err != nil {
			return nil, err
		}
		o.Endpoints = append(o.Endpoints, e.Endpoint)
		w.topics = append(w.topics, e.Topic)
	}
	var err error
	w.intake, err = receiver.New(o)
	return w, err
}

// keyOf returns the function that finds the person's key in a record of a topic.
func keyOf(cfg config.Kafka, topic string) (func(map[string]string, []byte) string, error) {
	for _, t := range cfg.Topics {
		if t.Name != topic {
			continue
		}
		kind, ok := catalog.Lookup(t.Source)
		if !ok {
			return nil, fmt.Errorf("topic %s: there is no source %q", t.Name, t.Source)
		}
		return func(headers map[string]string, body []byte) string {
			return kind.KeyOf(source.Record{Headers: headers, Value: body})
		}, nil
	}
	return nil, fmt.Errorf("webhooks: topic %q is not consumed", topic)
}

func (w *webhooks) publish(ctx context.Context, topic string, m receiver.Message) error {
	err := w.publisher.Publish(ctx, topic, []broker.Message{{Key: m.Key, Value: m.Value, Headers: m.Headers}})
	if broker.RefusedForGood(err) {
		return fmt.Errorf("%w: %w", receiver.ErrRefused, err)
	}
	return err
}

// run takes webhooks until ctx is done and those under way are answered.
func (w *webhooks) run(ctx context.Context) error {
	return errors.Join(w.intake.Run(ctx), w.publisher.Close())
}

// ready returns an error unless webhooks are taken and Kafka can be reached.
func (w *webhooks) ready(ctx context.Context) error {
	if err := w.intake.Ready(ctx); err != nil {
		return err
	}
	for _, topic := range w.topics {
		if err := w.publisher.Reach(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}
