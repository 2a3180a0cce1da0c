package config

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/policy"
)

// The defaults, where they are not zero. schemas/config.schema.json has them too.
const (
	defaultTopic       = "hr.events"
	defaultSource      = catalog.Default
	deadLettersSuffix  = ".dlq"
	defaultGroup       = "tenure"
	defaultGiveUp      = 5 * time.Minute
	leastGiveUp        = 10 * time.Second
	defaultRetain      = 30 * 24 * time.Hour
	defaultDelete      = true
	defaultRemind      = 7 * 24 * time.Hour
	defaultAttention   = 15 * time.Minute
	defaultRecheck     = time.Hour
	defaultSweep       = time.Minute
	defaultOverdue     = 10 * time.Minute
	sqliteScheme       = "sqlite:"
	postgresScheme     = "postgres://"
	postgresLongScheme = "postgresql://"
)

// document reads tenure.yaml as a whole. The defaults for all apps are read
// before the apps, wherever they stand.
func (l *loader) document(v value) (*Config, policy.Rules) {
	cfg := &Config{
		Path:      l.file,
		Apps:      make(map[string]App),
		Attention: Attention{After: defaultAttention, Recheck: defaultRecheck},
		Sweep:     Sweep{Every: defaultSweep, Overdue: defaultOverdue},
		Breaker:   defaultBreaker(),
	}
	rules := policy.Rules{
		Apps:   make(map[string]policy.AppRules),
		Leaver: policy.LeaverRules{Retain: defaultRetain, Delete: defaultDelete, Remind: defaultRemind},
	}
	v.mapping(
		optional(keyInclude, func(value) {}), // was read already
		required("kafka", func(v value) { cfg.Kafka = readKafka(v) }),
		optional("webhooks", func(v value) { cfg.Webhooks = readWebhooks(v, cfg.Kafka.Topics) }),
		required("ledger", func(v value) { cfg.Ledger = readLedger(v) }),
		optional("person", func(v value) { rules.Person = readPerson(v) }),
		optional("joiner", func(v value) { rules.Joiner = readJoiner(v, rules.Joiner) }),
		optional("mover", func(v value) { rules.Mover = readMover(v, rules.Mover) }),
		optional("leaver", func(v value) { rules.Leaver = readLeaver(v, rules.Leaver) }),
		optional("apps", func(v value) {
			v.entries(func(name string, v value) {
				cfg.Apps[name], rules.Apps[name] = readApp(name, v, rules)
			})
		}),
		optional("roles", func(v value) {
			first := map[string]value{}
			v.list(func(v value) {
				role := readRole(v)
				if earlier, ok := first[role.Name]; ok {
					l.sameName(role.Name, earlier, v)
				} else {
					first[role.Name] = v
				}
				rules.Roles = append(rules.Roles, role)
			})
		}),
		optional("attention", func(v value) { cfg.Attention = readAttention(v, cfg.Attention) }),
		optional("sweep", func(v value) { cfg.Sweep = readSweep(v, cfg.Sweep) }),
		optional("breaker", func(v value) { cfg.Breaker = readBreaker(v) }),
		optional("protected", func(v value) {
			v.mapping(optional("persons", func(v value) { rules.Protected = v.texts() }))
		}),
		optional("snapshot", func(v value) {
			if !isNull(v.node) {
				cfg.Snapshot = readSnapshot(v)
			}
		}),
		optional("metrics", func(v value) { cfg.Metrics = readMetrics(v) }),
		optional("development", func(v value) { cfg.Development = readDevelopment(v) }),
	)
	return cfg, rules
}

func readKafka(v value) Kafka {
	k := Kafka{
		Group: defaultGroup, GiveUpAfter: defaultGiveUp,
		Topics: []Topic{{Name: defaultTopic, Source: defaultSource, DeadLetters: defaultTopic + deadLettersSuffix, StartOffset: StartFirst}},
	}
	v.mapping(
		required("brokers", func(v value) {
			v.list(func(v value) { k.Brokers = append(k.Brokers, v.address(true)) })
			if len(k.Brokers) == 0 && !v.l.failed(v.path) {
				v.failf("must name a broker at least")
			}
		}),
		optional("tls", func(v value) { k.TLS = readTLS(v) }),
		optional("sasl", func(v value) { k.SASL = readSASL(v) }),
		optional("topics", func(v value) {
			k.Topics = readTopics(v)
		}),
		optional("group", func(v value) { k.Group = v.text() }),
		optional("giveUpAfter", func(v value) {
			k.GiveUpAfter = scalar(v, ParseDuration)
			if k.GiveUpAfter < leastGiveUp && !v.l.failed(v.path) {
				v.failf("must be %s at least: what is away for a moment is no fault of a record's", leastGiveUp)
			}
		}),
	)
	checkAccess(v, k)
	return k
}

func readTopics(v value) []Topic {
	var topics []Topic
	names := make(map[string]value) // where each is named
	v.list(func(v value) {
		topic := Topic{Source: defaultSource, StartOffset: StartFirst}
		settings := value{l: v.l, node: v.node, path: join(v.path, "settings"), at: v.at} // if there are none
		v.mapping(
			required("name", func(v value) {
				topic.Name = v.text()
				if _, ok := names[topic.Name]; ok && topic.Name != "" {
					v.failf("topic %q is there twice", topic.Name)
				}
				names[topic.Name] = v
			}),
			optional("source", func(v value) { topic.Source = v.text() }),
			optional("settings", func(v value) {
				settings = v
				topic.Settings = v.settings()
				topic.Channel = v.channelAmong(topic.Settings)
			}),
			optional("deadLetters", func(v value) { topic.DeadLetters = v.text() }),
			optional("startOffset", func(v value) {
				topic.StartOffset = v.choice("start offset", []string{StartFirst, StartLast})
			}),
		)
		v.checkSource(topic, settings)
		if topic.DeadLetters == "" {
			topic.DeadLetters = topic.Name + deadLettersSuffix
		}
		topics = append(topics, topic)
	})
	for _, topic := range topics {
		if read, ok := names[topic.DeadLetters]; ok {
			read.failf("topic %q is for the dead letters of %q: reading it would go round in circles", topic.DeadLetters, topic.Name)
		}
	}
	if len(topics) == 0 && !v.l.failed(v.path) {
		v.failf("must name a topic at least")
	}
	return topics
}

func readLedger(v value) Ledger {
	var ledger Ledger
	v.mapping(required("url", func(v value) {
		url := v.secretText() // it may hold a password: never print it
		path, isSQLite := strings.CutPrefix(url, sqliteScheme)
		path = strings.TrimPrefix(path, "//") // the form with slashes
		switch {
		case url == "": // reported
		case !v.needed() && reference.MatchString(url): // whose secrets are not looked at
			if scheme, _, _ := strings.Cut(url, "${"); !isSQLite && !begins(scheme, postgresScheme) && !begins(scheme, postgresLongScheme) {
				v.failf("must begin with %s or %s", sqliteScheme, postgresScheme)
			}
		case isSQLite && path == "":
			v.failf("the file is missing: sqlite:PATH")
		case isSQLite:
			ledger.URL = sqliteScheme + v.l.relative(filepath.FromSlash(path))
		case strings.HasPrefix(url, postgresScheme), strings.HasPrefix(url, postgresLongScheme):
			ledger.URL = url
		default:
			v.failf("must begin with %s or %s", sqliteScheme, postgresScheme)
		}
	}))
	return ledger
}

// begins reports whether a text may go on so that it has a prefix.
func begins(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) || strings.HasPrefix(prefix, text)
}

func readPerson(v value) policy.PersonRules {
	var p policy.PersonRules
	v.mapping(
		optional("username", func(v value) { p.Username = v.expression() }),
		optional("email", func(v value) { p.Email = v.expression() }),
		optional("usernameMaxLength", func(v value) { p.LongestUsername = scalar(v, parseLength) }),
	)
	return p
}

func readRole(v value) policy.Role {
	var r policy.Role
	v.mapping(
		required("name", func(v value) { r.Name = v.text() }),
		required("when", func(v value) { r.When = v.expression() }),
		required("grants", func(v value) {
			v.list(func(v value) { r.Grants = append(r.Grants, readGrant(v)) })
		}),
	)
	return r
}

// sameName reports two roles of one name where they are in two files; else policy says
// it.
func (l *loader) sameName(name string, earlier, later value) {
	if name == "" || earlier.node.Line/stride == later.node.Line/stride {
		return
	}
	path := join(later.path, "name")
	at := l.placeAt(path)
	l.fail(at, path, "a role is called %q already (%s)", name, l.lineOf(earlier.node.Line, at.line))
}

func readGrant(v value) policy.Grant {
	var g policy.Grant
	v.mapping(
		required("app", func(v value) { g.App = v.text() }),
		optional("entitlements", func(v value) { g.Entitlements = v.texts() }),
	)
	return g
}

// readJoiner, readMover and readLeaver change what they are given by what is
// written.
func readJoiner(v value, j policy.JoinerRules) policy.JoinerRules {
	v.mapping(optional("leadTime", func(v value) { j.LeadTime = scalar(v, ParseDuration) }))
	return j
}

func readMover(v value, m policy.MoverRules) policy.MoverRules {
	v.mapping(optional("overlap", func(v value) { m.Overlap = scalar(v, ParseDuration) }))
	return m
}

func readLeaver(v value, l policy.LeaverRules) policy.LeaverRules {
	v.mapping(
		optional("retain", func(v value) { l.Retain = scalar(v, ParseDuration) }),
		optional("delete", func(v value) { l.Delete = v.boolean() }),
		optional("approval", func(v value) { l.Approval = scalar(v, parseApproval) }),
		optional("remind", func(v value) { l.Remind = scalar(v, parseSpan) }),
	)
	return l
}

func parseApproval(text string) (required bool, err error) {
	switch text {
	case "required":
		return true, nil
	case "none":
		return false, nil
	}
	return false, errors.New("must be required or none")
}

func readAttention(v value, a Attention) Attention {
	v.mapping(
		optional("after", func(v value) { a.After = scalar(v, ParseDuration) }),
		optional("recheck", func(v value) { a.Recheck = scalar(v, parseSpan) }),
	)
	return a
}

func readSweep(v value, s Sweep) Sweep {
	v.mapping(
		optional("every", func(v value) { s.Every = scalar(v, parseSpan) }),
		optional("overdue", func(v value) { s.Overdue = scalar(v, parseSpan) }),
	)
	return s
}

func readMetrics(v value) Metrics {
	var m Metrics
	v.mapping(
		optional("worker", func(v value) { m.Worker = v.address(false) }),
		optional("starter", func(v value) { m.Starter = v.address(false) }),
	)
	return m
}

func readDevelopment(v value) *Development {
	d := &Development{}
	v.mapping(optional("clock", func(v value) { d.Clock = readClock(v) }))
	return d
}

func readClock(v value) *AcceleratedClock {
	c := &AcceleratedClock{}
	v.mapping(
		required("epoch", func(v value) { c.Epoch = scalar(v, parseInstant) }),
		required("start", func(v value) { c.Start = scalar(v, parseInstant) }),
		required("rate", func(v value) { c.Rate = scalar(v, parseFactor) }),
	)
	return c
}

// address reads host:port.
func (v value) address(hostRequired bool) string {
	address := v.text()
	if address == "" {
		return ""
	}
	if err := checkAddress(address, hostRequired); err != nil {
		v.failf("%s", err)
	}
	return address
}
