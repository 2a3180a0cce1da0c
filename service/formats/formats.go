// Package formats opens the decoders of HR events by name, with the settings of a
// configuration.
package formats

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/service"
)

// Open returns the decoder of a source. If the source has settings, Open calls load and
// takes those of the topic of that name; if topic is empty, those of the first topic that
// has this source.
func Open(name, topic string, load func() (*config.Config, error)) (source.Kind, source.Source, error) {
	kind, ok := catalog.Lookup(name)
	if !ok {
		return kind, source.Source{}, service.UsageErrorf("there is no source %q; there is: %s", name, strings.Join(catalog.Names(), ", "))
	}
	var set source.Settings
	if len(kind.Settings) > 0 {
		cfg, err := load()
		if err != nil {
			return kind, source.Source{}, err
		}
		i := slices.IndexFunc(cfg.Kafka.Topics, func(t config.Topic) bool {
			return t.Source == kind.Name && (topic == "" || t.Name == topic)
		})
		if i < 0 {
			return kind, source.Source{}, service.UsageErrorf("no topic of the configuration has the source %q: add one, with its settings", kind.Name)
		}
		set = settings.Withhold(cfg.Kafka.Topics[i].Settings) // the decoder fetches nothing, so it needs no secrets
	}
	opened, err := kind.Open(set)
	if err != nil {
		return kind, source.Source{}, service.UsageErrorf("source %s: %w", name, err)
	}
	return kind, opened, nil
}
