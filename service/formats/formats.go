// Package formats opens the decoders of HR events by name, as a configuration sets them.
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

// Open returns how events of a source are read. Settings, if the source has any, are
// those of the configuration's topic of that name, or else (empty) of its first topic of
// that source: load is called for them only.
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
		set = settings.Withhold(cfg.Kafka.Topics[i].Settings) // nothing is fetched
	}
	opened, err := kind.Open(set)
	if err != nil {
		return kind, source.Source{}, service.UsageErrorf("source %s: %w", name, err)
	}
	return kind, opened, nil
}
