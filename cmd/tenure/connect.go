package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service"
)

// checkOptions are the flags of config check.
type checkOptions struct {
	connect        bool
	timeout        time.Duration
	withoutSecrets bool
}

// parts are those whose secrets have to be there.
func (o checkOptions) parts() []config.Part {
	if o.withoutSecrets {
		return nil
	}
	return config.Parts()
}

// look looks at all that Tenure depends on, at once.
func (o checkOptions) look(ctx context.Context, cfg *config.Config) ([]checkup.Report, error) {
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return nil, usagef("%w", err)
	}
	topics := make([]ingest.Topic, len(cfg.Kafka.Topics))
	for i, t := range cfg.Kafka.Topics {
		topics[i] = ingest.Topic{Name: t.Name, DeadLetters: t.DeadLetters}
	}
	looks := []func(context.Context) checkup.Report{
		func(ctx context.Context) checkup.Report { return cluster.Probe(ctx, topics, cfg.Kafka.Group) },
		func(ctx context.Context) checkup.Report {
			return service.CheckTemporal(ctx, zap.NewNop(), slices.Sorted(maps.Keys(cfg.Apps)))
		},
		func(ctx context.Context) checkup.Report { return open.Check(ctx, cfg.Ledger.URL) },
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	reports := make([]checkup.Report, len(looks))
	var all sync.WaitGroup
	for i, look := range looks {
		all.Go(func() { reports[i] = look(ctx) })
	}
	all.Wait()
	return reports, nil
}

// verdict is how the command ends: with an error if a system is not reached, with
// attention if something there needs somebody.
func verdict(reports []checkup.Report) error {
	var unreached []string
	needsSomebody := false
	for _, r := range reports {
		if !r.Reached {
			unreached = append(unreached, r.System)
		}
		needsSomebody = needsSomebody || r.Count(checkup.Missing)+r.Count(checkup.Unknown) > 0
	}
	switch {
	case len(unreached) > 0:
		return fmt.Errorf("not reached: %s", strings.Join(unreached, ", "))
	case needsSomebody:
		return errAttention
	default:
		return nil
	}
}

// drawReport shows what was found at a system. It is no table: a command must not
// be broken into lines, since somebody will copy it.
func drawReport(p *page, r checkup.Report) {
	as := ""
	if r.Identity != "" {
		as = " as " + r.Identity
	}
	if !r.Reached {
		p.note("\n%s at %s%s: %s", r.System, r.Address, as, p.paint("not reached"))
		for line := range strings.Lines(r.Problem) {
			p.note("  %s", strings.TrimSpace(line))
		}
	} else {
		p.note("\n%s at %s%s: %s", r.System, r.Address, as, p.paint("reached"))
	}
	for _, f := range r.Findings {
		pad := strings.Repeat(" ", max(0, len(checkup.Unknown)-len(f.Verdict)))
		p.note("  %s%s  %s: %s", p.paint(string(f.Verdict)), pad, f.About, f.Text)
		if f.Do != "" && f.Verdict != checkup.OK {
			p.note("           %s", f.Do)
		}
	}
}
