package config

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
)

const (
	deadLettersSuffix  = ".dlq"
	leastGiveUp        = 10 * time.Second
	sqliteScheme       = "sqlite:"
	postgresScheme     = "postgres://"
	postgresLongScheme = "postgresql://"
)

// document reads tenure.yaml as a whole. The defaults for all apps are read
// before the apps, wherever they stand.
func (l *loader) document(v value) (*Config, policy.Rules) {
	cfg := &Config{Path: l.file, Apps: make(map[string]App)}
	rules := policy.Rules{Apps: make(map[string]policy.AppRules)}
	var terms reconcile.Terms
	v.mapping(
		on(keyInclude, func(value) {}), // was read already
		on("kafka", func(v value) { cfg.Kafka = readKafka(v) }),
		on("webhooks", func(v value) { cfg.Webhooks = readWebhooks(v, cfg.Kafka.Topics) }),
		on("ledger", func(v value) { cfg.Ledger = readLedger(v) }),
		on("person", func(v value) { rules.Person = readPerson(v) }),
		on("joiner", func(v value) { rules.Joiner = readJoiner(v, rules.Joiner) }),
		on("mover", func(v value) { rules.Mover = readMover(v, rules.Mover) }),
		on("leaver", func(v value) { rules.Leaver = readLeaver(v, rules.Leaver) }),
		on("audit", func(v value) { cfg.Audit = readAudit(v) }),
		on("privacy", func(v value) { cfg.Privacy = readPrivacy(v) }),
		on("reconcile", func(v value) { terms = readReconcile(v, terms) }),
		on("apps", func(v value) {
			v.entries(func(name string, v value) {
				cfg.Apps[name], rules.Apps[name] = readApp(name, v, rules, terms)
			})
		}),
		on("roles", func(v value) {
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
		on("deciders", func(v value) {
			rules.Deciders = map[string][]string{}
			v.entries(func(name string, v value) { rules.Deciders[name] = v.texts() })
		}),
		on("governance", func(v value) {
			v.mapping(
				into("fallback", &rules.Fallback),
				on("timeZone", func(v value) {
					name := v.text()
					zone, err := time.LoadLocation(name)
					cfg.Governance.TimeZone = zone
					if err != nil && name != "" {
						v.failf("there is no time zone %q: it has a name such as Europe/Berlin", name)
					}
				}),
				into("freshness", &cfg.Governance.Freshness),
			)
		}),
		on("duties", func(v value) {
			v.list(func(v value) { rules.Duties = append(rules.Duties, readDuty(v)) })
		}),
		on("reviews", func(v value) { cfg.Reviews = readReviews(v, rules) }),
		on("attention", func(v value) {
			v.mapping(into("after", &cfg.Attention.After), into("recheck", &cfg.Attention.Recheck))
		}),
		on("sweep", func(v value) {
			v.mapping(into("every", &cfg.Sweep.Every), into("overdue", &cfg.Sweep.Overdue))
		}),
		on("breaker", func(v value) { cfg.Breaker = readBreaker(v) }),
		on("protected", func(v value) {
			v.mapping(into("persons", &rules.Protected))
		}),
		on("snapshot", func(v value) {
			if !isNull(v.node) {
				cfg.Snapshot = readSnapshot(v)
			}
		}),
		on("notices", func(v value) {
			if !isNull(v.node) {
				cfg.Notices = readNotices(v)
			}
		}),
		on("metrics", func(v value) {
			v.mapping(into("worker", &cfg.Metrics.Worker), into("starter", &cfg.Metrics.Starter))
		}),
		on("development", func(v value) { cfg.Development = readDevelopment(v) }),
	)
	return cfg, rules
}

func readKafka(v value) Kafka {
	var k Kafka
	v.mapping(
		on("brokers", func(v value) {
			v.list(func(v value) { k.Brokers = append(k.Brokers, v.typed().(string)) })
			if len(k.Brokers) == 0 && !v.l.failed(v.path) {
				v.failf("must name a broker at least")
			}
		}),
		on("tls", func(v value) { k.TLS = readTLS(v) }),
		on("sasl", func(v value) { k.SASL = readSASL(v) }),
		on("topics", func(v value) { k.Topics = readTopics(v) }),
		into("group", &k.Group),
		on("giveUpAfter", func(v value) {
			k.GiveUpAfter = v.typed().(time.Duration)
			if k.GiveUpAfter < leastGiveUp && !v.l.failed(v.path) {
				v.failf("must be %s at least: what is away for a moment is no fault of a record's", leastGiveUp)
			}
		}),
		into("readAhead", &k.ReadAhead),
	)
	checkAccess(v, k)
	return k
}

func readTopics(v value) []Topic {
	var topics []Topic
	names := make(map[string]value) // where each is named
	v.list(func(v value) {
		var topic Topic
		settings := value{l: v.l, node: v.node, path: join(v.path, "settings"), at: v.at} // if there are none
		v.mapping(
			on("name", func(v value) {
				topic.Name = v.text()
				if _, ok := names[topic.Name]; ok && topic.Name != "" {
					v.failf("topic %q is there twice", topic.Name)
				}
				names[topic.Name] = v
			}),
			into("source", &topic.Source),
			on("settings", func(v value) {
				settings = v
				topic.Settings = v.settings()
				topic.Channel = v.channelAmong(topic.Settings)
			}),
			into("deadLetters", &topic.DeadLetters),
			on("startOffset", func(v value) {
				topic.StartOffset = v.choice("start offset")
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
	v.mapping(on("url", func(v value) {
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
	v.mapping(into("username", &p.Username), into("email", &p.Email), into("usernameMaxLength", &p.LongestUsername))
	return p
}

func readRole(v value) policy.Role {
	var r policy.Role
	v.mapping(
		into("name", &r.Name),
		into("when", &r.When),
		on("grants", func(v value) {
			v.list(func(v value) { r.Grants = append(r.Grants, readGrant(v)) })
		}),
		into("title", &r.About.Title),
		into("about", &r.About.About),
		into("owner", &r.About.Owner),
		on("risk", func(v value) { r.About.Risk = policy.Risk(v.choice("risk")) }),
		on("request", func(v value) { r.Request = readRequest(v) }),
	)
	return r
}

func readRequest(v value) *policy.RequestRules {
	r := &policy.RequestRules{}
	v.mapping(
		into("most", &r.Most),
		into("usual", &r.Usual),
		into("ahead", &r.Ahead),
		on("approve", func(v value) {
			v.list(func(v value) { r.Approve = append(r.Approve, v.texts()) })
		}),
		on("needed", func(v value) {
			if r.Needed = v.typed().(int); r.Needed == 0 && !v.l.failed(v.path) {
				v.failf("must be 1 at least: write approve: [] if nobody has to approve")
			}
		}),
		into("answer", &r.Answer),
		into("escalate", &r.Escalate),
		into("ticket", &r.Ticket),
		on("extend", func(v value) { r.Extend = policy.Extension(v.choice("extension")) }),
		on("sessions", func(v value) { r.Sessions = policy.SessionRule(v.choice("session rule")) }),
		on("emergency", func(v value) {
			r.Emergency = &policy.EmergencyRules{}
			v.mapping(into("most", &r.Emergency.Most), into("confirm", &r.Emergency.Confirm))
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
	v.mapping(into("app", &g.App), into("entitlements", &g.Entitlements))
	return g
}

func readDuty(v value) policy.Duty {
	var d policy.Duty
	side := func(to *[]policy.Grant) func(value) {
		return func(v value) {
			v.list(func(v value) { *to = append(*to, readGrant(v)) })
		}
	}
	v.mapping(
		into("name", &d.Name),
		into("about", &d.About),
		on("one", side(&d.One)),
		on("other", side(&d.Other)),
		into("owner", &d.Owner),
		on("mode", func(v value) { d.Mode = policy.DutyMode(v.choice("mode")) }),
		into("since", &d.Since),
		on("waive", func(v value) {
			d.Waive = &policy.WaiveRules{}
			v.mapping(
				into("most", &d.Waive.Most),
				on("approve", func(v value) {
					v.list(func(v value) { d.Waive.Approve = append(d.Waive.Approve, v.texts()) })
				}),
				into("answer", &d.Waive.Answer),
				into("escalate", &d.Waive.Escalate),
			)
		}),
	)
	return d
}

// readJoiner, readMover and readLeaver change what they are given by what is
// written.
func readJoiner(v value, j policy.JoinerRules) policy.JoinerRules {
	v.mapping(into("leadTime", &j.LeadTime))
	return j
}

func readMover(v value, m policy.MoverRules) policy.MoverRules {
	v.mapping(into("overlap", &m.Overlap))
	return m
}

func readLeaver(v value, l policy.LeaverRules) policy.LeaverRules {
	v.mapping(
		into("retain", &l.Retain),
		into("delete", &l.Delete),
		on("approval", func(v value) { l.Approval = scalar(v, parseApproval) }),
		into("remind", &l.Remind),
		into("handOver", &l.HandOver),
		into("handOverBy", &l.HandOverBy),
		into("handOverNeeds", &l.HandOverNeeds),
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

func readDevelopment(v value) *Development {
	d := &Development{}
	v.mapping(on("clock", func(v value) { d.Clock = readClock(v) }))
	return d
}

func readClock(v value) *AcceleratedClock {
	c := &AcceleratedClock{}
	v.mapping(into("epoch", &c.Epoch), into("start", &c.Start), into("rate", &c.Rate))
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
