package service

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service/runs"
)

// Elsewhere lists what is held of a person elsewhere than in the ledger, as the configuration has
// it, and how long. It asks the brokers and Temporal; noKafka says why the configuration has no
// secrets for Kafka.
func Elsewhere(ctx context.Context, cfg *config.Config, noKafka error, person ledger.Person) []report.Elsewhere {
	places := append(topics(ctx, cfg, noKafka), temporal(ctx, person.PersonID))
	for _, l := range person.Links {
		if l.State == ledger.LinkPlanned && l.AccountID == "" {
			continue
		}
		what := "their account, and what they made there"
		if l.State == ledger.LinkDeleted {
			what = "what they made there, if the app keeps it: the account was deleted"
		}
		places = append(places, report.Elsewhere{Where: "app " + l.App, What: what, Until: "as the app has it"})
	}
	for _, x := range cfg.Audit.Export {
		places = append(places, report.Elsewhere{
			Where: "export " + x.Name + " (" + cmp.Or(x.File, x.Kafka, x.HTTPS, x.Syslog) + ")",
			What:  "rows of the audit record: their ID, and what humans wrote about them", Until: "as the place has it: an erasure does not reach it",
		})
	}
	if n := cfg.Notices; n != nil {
		if n.Mail != nil {
			places = append(places, report.Elsewhere{Where: "mail through " + n.Mail.Server, What: "mails to them, and about them", Until: "as mailboxes keep them"})
		}
		for _, name := range slices.Sorted(maps.Keys(n.Chats)) {
			places = append(places, report.Elsewhere{Where: "chat " + name, What: "messages with their ID, and no name", Until: "as the chat keeps them"})
		}
	}
	return append(places, report.Elsewhere{Where: "backups of the ledger", What: "all that it held then", Until: "as you keep them: erase again what was erased since, if you restore one"})
}

// topics tells how long the brokers keep what HR said, and what could not be read of it.
func topics(ctx context.Context, cfg *config.Config, noKafka error) []report.Elsewhere {
	what := map[string]string{}
	var names []string
	for _, t := range cfg.Kafka.Topics {
		names = append(names, t.Name, t.DeadLetters)
		what[t.Name], what[t.DeadLetters] = "HR's events about them, whole", "their events that could not be read, whole"
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	kept, err := map[string]broker.Retention(nil), noKafka
	if err == nil {
		var cluster broker.Cluster
		if cluster, err = Cluster(cfg.Kafka); err == nil {
			kept, err = cluster.Retentions(ctx, names)
		}
	}
	places := make([]report.Elsewhere, len(names))
	for i, name := range names {
		places[i] = report.Elsewhere{Where: "Kafka topic " + name, What: what[name], Until: "not known: the brokers do not tell"}
		switch r, told := kept[name]; {
		case err != nil:
			places[i].Until, places[i].Problem = "not known", strings.Join(strings.Fields(err.Error()), " ")
		case told:
			places[i].Until = retained(r)
		}
	}
	return places
}

func retained(r broker.Retention) string {
	switch {
	case r.Compact && r.For == 0:
		return "for ever (compacted): write a record without a value under their key to remove them"
	case r.For == 0:
		return "for ever: the topic has no retention"
	case r.Compact:
		return words.Span(r.For) + ", and the newest of each key for ever (compacted)"
	}
	return words.Span(r.For) + " after each was written"
}

func temporal(ctx context.Context, personID string) report.Elsewhere {
	place := report.Elsewhere{Where: "Temporal", What: "runs with their ID, and neither names nor addresses"}
	t, namespace, err := OpenTemporal(ctx)
	if err == nil {
		defer t.Close()
		var kept runs.Kept
		if kept, err = runs.New(t, namespace).KeptOf(ctx, personID); err == nil {
			place.Where = "Temporal, namespace " + namespace
			place.What = fmt.Sprintf("%d open and %d closed runs with their ID, and neither names nor addresses", kept.Open, kept.Closed)
			place.Until = words.Span(kept.Retention.Truncate(time.Second)) + " after a run has ended"
			return place
		}
	}
	place.Until, place.Problem = "not known", strings.Join(strings.Fields(err.Error()), " ")
	return place
}

// ErasureTerms returns who is erased, as the configuration has it.
func ErasureTerms(cfg *config.Config) erase.Terms {
	t := erase.Terms{Keep: cfg.Privacy.Keep}
	if cfg.Privacy.KeptAccounts == config.KeptIgnore {
		t.KeptAccounts = erase.Kept(cfg.Policy)
	}
	return t
}
