package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) dlqIndexCommand() *cobra.Command {
	var topic string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Look for dead letters that the ledger does not know of",
		Long: `Read the topics of dead letters, and let the ledger know of those that it does not
know of: written before Tenure kept an index, or by somebody else.

Running it again changes nothing.`,
		Example: `  tenure dlq index
  tenure dlq index --topic hr.events.dlq`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				topics := []string{topic}
				if topic == "" {
					topics = deadLetterTopics(cfg)
				}
				return c.withLetters(func(letters *ingest.Letters) error {
					ctx, cancel := context.WithTimeoutCause(cmd.Context(), wait,
						fmt.Errorf("not done within %s: check that Kafka is up, or give it longer with --wait; what was found is kept", wait))
					defer cancel()
					views := []indexedView{}
					for _, topic := range topics {
						v, err := c.index(ctx, letters, o, topic)
						if err != nil {
							return err
						}
						views = append(views, v)
					}
					return c.report(views)
				})
			})
		},
	}
	cmd.Flags().StringVar(&topic, "topic", "", "only this `topic` of dead letters (default: all that the configuration names)")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Minute, "how `long` it may take, with waiting for Kafka when it cannot be reached")
	return c.reads(cmd)
}

// indexedView is what was found on a topic of dead letters.
type indexedView struct {
	Topic string `json:"topic"`
	Found int    `json:"found"`
	New   int    `json:"new"` // to the ledger
}

// deadLetterTopics are the topics of dead letters that the configuration names.
func deadLetterTopics(cfg *config.Config) []string {
	var topics []string
	for _, t := range cfg.Kafka.Topics {
		topics = append(topics, t.DeadLetters)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func (c *cli) index(ctx context.Context, letters *ingest.Letters, o *operator.Operator, topic string) (indexedView, error) {
	v := indexedView{Topic: topic}
	err := letters.Each(ctx, topic, func(letter ingest.Letter) error {
		isNew, err := o.Index(ctx, letter.Entry())
		v.Found++
		if isNew {
			v.New++
		}
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return v, fmt.Errorf("topic %s: %w", topic, err)
	}
	c.say("%s: %s, %d of them new to the ledger\n", topic, count(v.Found, "dead letter"), v.New)
	return v, nil
}
