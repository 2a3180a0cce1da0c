package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/service"
)

// sendOptions are the flags of event send.
type sendOptions struct {
	brokers     []string
	cluster     ingest.Cluster
	topic       string
	source      string
	skipInvalid bool
	wait        time.Duration
}

func (c *cli) eventSendCommand() *cobra.Command {
	var (
		o  sendOptions
		so snapshotOptions
	)
	cmd := &cobra.Command{
		Use:   "send FILE | --snapshot FILE",
		Short: "Send HR events to Kafka, for the starter to consume",
		Long: `Send HR events to Kafka, for the starter to consume.

FILE holds structured CloudEvents, one JSON object after the other; "-" is
standard input. All are checked first, and nothing is sent if any is not valid, unless
--skip-invalid says to leave those out (then the exit status is 3).

Sending the same events again is harmless: an event is known by its source and
id.

With --snapshot, FILE is instead everybody whom HR knows, as CSV with a header
line or as JSONL, and the configuration says under "snapshot" what its columns
mean. It is compared with the ledger, and what never came is shown: hires,
changes, and terminations of people who are gone. It shows who and which fields;
--values shows what is in them. Nothing is sent without --apply, and nothing at
all (exit status 3) if more people would leave than the configuration allows, or
if a row cannot be read. A question that only a human can answer, such as whether
somebody who has left came back, is shown, and the exit status is 3.

The snapshot is of the instant at which its file was written, unless --as-of says
otherwise; whom HR has said something of since then is left alone. Who is gone
has the day of that instant as their last day.`,
		Example: `  tenure event send events.jsonl
  zcat company.jsonl.gz | tenure event send -
  tenure event send events.jsonl --brokers kafka-1:9092,kafka-2:9092 --topic hr.events
  tenure event send --snapshot people.csv
  tenure event send --snapshot people.csv --apply --rehire 10004`,
		Args: func(cmd *cobra.Command, args []string) error {
			if so.file != "" {
				return cobra.NoArgs(cmd, args)
			}
			return exactly("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := so.check(cmd.Flags()); err != nil {
				return err
			}
			if err := c.sendDefaults(&o); err != nil {
				return err
			}
			if so.file != "" {
				return c.sendSnapshot(cmd.Context(), o, so)
			}
			return c.send(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.brokers, "brokers", nil, "Kafka `brokers`, in place of the configuration's; how to encrypt and sign in is what it says")
	flags.StringVar(&o.topic, "topic", "", "`topic` to send to (default: the configuration's first one of this source)")
	flags.StringVar(&o.source, "source", "", "format of the events: a `source` as in kafka.topics (default: the topic's, else cloudevents)")
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "send the valid events, report the others")
	flags.DurationVar(&o.wait, "wait", time.Minute, "how `long` to wait for Kafka when it cannot be reached")
	so.flags(flags)
	return c.reads(cmd)
}

// sendDefaults takes what the flags leave open from the configuration; none is
// needed if they leave nothing open. How to encrypt and sign in only a
// configuration can say: one that is there is used whatever the flags say.
func (c *cli) sendDefaults(o *sendOptions) error {
	o.cluster.Brokers = o.brokers
	if len(o.brokers) == 0 || o.topic == "" || c.configPath != "" || exists(c.findConfig()) {
		cfg, err := c.config(config.PartKafka)
		if err != nil {
			return err
		}
		if o.cluster, err = service.Cluster(cfg.Kafka); err != nil {
			return usagef("%w", err)
		}
		if len(o.brokers) > 0 {
			o.cluster.Brokers = o.brokers
		}
		if err := pickTopic(o, cfg.Kafka.Topics); err != nil {
			return err
		}
	}
	if o.source == "" {
		o.source = defaultSource
	}
	return nil
}

// pickTopic settles topic and source, each of which may be given.
func pickTopic(o *sendOptions, topics []config.Topic) error {
	wanted := o.source
	if wanted == "" {
		wanted = defaultSource
	}
	i := slices.IndexFunc(topics, func(t config.Topic) bool {
		return t.Name == o.topic || o.topic == "" && t.Source == wanted
	})
	switch {
	case i >= 0 && o.source == "":
		o.topic, o.source = topics[i].Name, topics[i].Source
	case i >= 0:
		o.topic = topics[i].Name
	case o.topic == "":
		return usagef("no topic of the configuration has the source %q: name one with --topic", wanted)
	}
	return nil
}

// sendChunk is how many events are sent between two steps of the progress bar.
const sendChunk = 500

func (c *cli) send(ctx context.Context, name string, o sendOptions) error {
	format, err := c.formatOf(o.source, o.topic) //nolint:contextcheck // the configuration connects to nothing
	if err != nil {
		return err
	}
	file, events, err := c.readEvents(name, format)
	if err != nil {
		return err
	}
	valid, invalid := report(c.err, file, events)
	if invalid > 0 && !o.skipInvalid {
		return fmt.Errorf("%d of %d events are not valid, so none was sent (--skip-invalid sends the others)", invalid, len(events))
	}
	messages := make([]ingest.Message, 0, valid)
	for _, in := range events {
		if in.problem == nil {
			messages = append(messages, in.message())
		}
	}
	began := time.Now()
	sent, err := c.publish(ctx, o, messages)
	if err != nil {
		return fmt.Errorf("%w\n%d of %d events were sent; sending all of them again is harmless", err, sent, len(messages))
	}
	if err := c.report(sentView{Topic: o.topic, Sent: sent, LeftOut: invalid}); err != nil {
		return err
	}
	c.tell("sent %s to %s in %s", count(sent, "event"), o.topic, time.Since(began).Round(time.Millisecond))
	if invalid > 0 {
		c.tell(", left out %d that are not valid\n", invalid)
		return errAttention
	}
	c.tell("\n")
	return nil
}

// sentView is how many events were sent.
type sentView struct {
	Topic   string `json:"topic"`
	Sent    int    `json:"sent"`
	LeftOut int    `json:"leftOut,omitempty"` // that are not valid
}

func (in input) message() ingest.Message {
	return ingest.Message{Key: in.key, Value: in.value, Headers: in.record().Headers}
}

// publish sends the messages in order and says how many were certainly sent.
func (c *cli) publish(ctx context.Context, o sendOptions, messages []ingest.Message) (sent int, err error) {
	publisher := ingest.NewPublisher(o.cluster)
	defer func() { err = errors.Join(err, publisher.Close()) }()
	var waitingFor error
	publisher.Waiting = func(reason error) {
		waitingFor = reason
		c.tell("waiting: %v\n", reason)
	}
	bar := c.progress(len(messages), "sending", "events")
	defer func() { _ = bar.Exit() }()
	for chunk := range slices.Chunk(messages, sendChunk) {
		err := publishWithin(ctx, o.wait, publisher, o.topic, chunk)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && waitingFor != nil:
			return sent, fmt.Errorf("gave up after %s: %w (check kafka.brokers, or --brokers and --topic)", o.wait, waitingFor)
		case err != nil:
			return sent, err
		}
		sent += len(chunk)
		_ = bar.Add(len(chunk))
	}
	_ = bar.Finish()
	return sent, nil
}

func publishWithin(ctx context.Context, wait time.Duration, p *ingest.Publisher, topic string, chunk []ingest.Message) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return p.Publish(ctx, topic, chunk)
}

// progress is a bar on a terminal, and nothing elsewhere. A total of -1 is not
// known yet.
func (c *cli) progress(total int, doing, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(doing),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(what),
		progressbar.OptionThrottle(65*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(c.errTTY),
	)
}
