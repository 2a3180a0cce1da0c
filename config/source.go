package config

import "github.com/tenurehq/tenure/hr/source"

// The settings of a topic, and the keys of an endpoint, that say which events it may carry.
const (
	keySources = "sources"
	keyTypes   = "types"
)

// channelAmong reads which events a topic's records may carry, and removes those settings:
// every kind of HR system has them, and none reads them itself.
func (v value) channelAmong(settings map[string]any) (c source.Channel) {
	pairs, _ := v.pairs()
	for _, pair := range pairs {
		switch pair.name {
		case keySources:
			c.Sources = pair.value.texts()
		case keyTypes:
			c.Types = pair.value.texts()
		default:
			continue
		}
		delete(settings, pair.name)
	}
	v.checkChannel(c)
	return c
}

func (v value) checkChannel(c source.Channel) {
	if setting, err := c.Check(); err != nil {
		v.l.fail(v.at, join(v.path, setting), "%s", err)
	}
}

// checkSource checks a topic's settings by opening its kind of HR system, which makes no
// call. settings holds their place in the document.
func (v value) checkSource(topic Topic, settings value) {
	at := value{l: v.l, node: v.node, path: join(v.path, "source"), at: v.at}
	if named, ok := v.l.nodes[at.path]; ok {
		at.node = named
	}
	if v.l.failedWithin(at.path) || topic.Source == "" {
		return
	}
	names := make([]string, len(v.l.sources))
	for i, kind := range v.l.sources {
		names[i] = kind.Name
		if kind.Name != topic.Source {
			continue
		}
		if v.l.failedWithin(settings.path) {
			return // it would complain of what could not even be read
		}
		if _, err := kind.Open(source.Settings(settings.withheld(topic.Settings))); err != nil {
			v.l.fail(settings.at, settings.path, "%s", err)
		}
		settings.warnOfClearText(kind.Settings, topic.Settings)
		return
	}
	at.failf("there is no source %q%s", topic.Source, hint(topic.Source, names))
}
