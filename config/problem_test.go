package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/catalog"
)

// Each of these follows the three lines of base: its first line is line 4.
func TestLoadRefuses(t *testing.T) {
	const wiki = "apps:\n  wiki: {connector: memory}\n"
	tests := []struct{ name, text, want string }{
		{"unknown key", "joiners: {leadTime: 1d}",
			`4:1: joiners: unknown key; did you mean "joiner"?`},
		{"unknown key like no other", "leaver: {retain: 1d, quota: 7}",
			`4:22: leaver.quota: unknown key; known are approval, delete, handOver, handOverBy, handOverNeeds, remind, retain`},
		{"unknown key of an app", "apps:\n  wiki:\n    conector: memory\n    connector: memory",
			`6:5: apps.wiki.conector: unknown key; did you mean "connector"?`},
		{"unknown key of a grant", wiki + "roles:\n  - name: a\n    when: true\n    grants:\n      - {app: wiki, entitlement: [x]}",
			`10:21: roles[0].grants[0].entitlement: unknown key; did you mean "entitlements"?`},
		{"key twice", "mover: {overlap: 1d}\nleaver: {}\nmover: {overlap: 2d}",
			`6:1: mover: is there twice (first in line 4)`},
		{"app twice", wiki + "  wiki: {connector: memory}",
			`6:3: apps.wiki: is there twice (first in line 5)`},
		{"missing key", "apps:\n  wiki: {rate: 10/s}",
			`5:3: apps.wiki.connector: is missing`},
		{"missing keys of a role", "roles:\n  - {}",
			"5:5: roles[0].name: is missing\n5:5: roles[0].when: is missing\n5:5: roles[0].grants: is missing"},

		{"protected, a number", wiki + "protected: {persons: [10001]}",
			`6:23: protected.persons[0]: must be a text: put it in quotes`},
		{"protected, a key that is not known", wiki + "protected: {people: [\"10001\"]}",
			`6:13: protected.people: unknown key; known are persons`},
		{"protected twice", "apps:\n  wiki:\n    connector: memory\n    protected: [root, Root]",
			`7:23: apps.wiki.protected[1]: "Root" is there twice`},

		{"ignoring what is not mapped", "apps:\n  wiki:\n    connector: memory\n    attributes: {title: person.jobTitle}\n    ignore: [title, department]",
			`8:21: apps.wiki.ignore[1]: there is no attribute "department" among those that are mapped for the app`},

		{"unknown app in a role", wiki + "roles:\n  - name: a\n    when: \"true\"\n    grants: [{app: wikki}]",
			`9:20: roles[0].grants[0].app: there is no app "wikki"; did you mean "wiki"?`},
		{"roles of one name", "roles:\n  - {name: a, when: true, grants: []}\n  - {name: a, when: true, grants: []}",
			`6:12: roles[1].name: roles[0] is called "a" too`},
		{"after an unknown app", "apps:\n  wiki:\n    connector: memory\n    after:\n      - wiki\n      - chat",
			"8:9: apps.wiki.after[0]: apps wait for each other: wiki after wiki\n" +
				`9:9: apps.wiki.after[1]: there is no app "chat"`},
		{"name of an app", "apps:\n  my wiki: {connector: memory}",
			`5:3: apps.my wiki: an app's name must be at most 63 letters, digits, dots, dashes and underscores`},
		{"unknown connector", "apps:\n  wiki:\n    connector: scmi",
			`6:16: apps.wiki.connector: there is no connector "scmi"; did you mean "scim"?`},
		{"unknown connector like no other", "apps:\n  wiki: {connector: telepathy}",
			`5:21: apps.wiki.connector: there is no connector "telepathy"; known are ` + kinds()},
		{"settings", "apps:\n  wiki:\n    connector: memory\n    settings: {nam: x}",
			`7:5: apps.wiki.settings: setting "nam" is not known (known are handOverNeeds, licences, long, name, recycleBin, settling)`},
		{"no settings", "apps:\n  wiki: {connector: scim}",
			`5:3: apps.wiki.settings: setting "url" is missing`},
		{"settings of the wrong form", "apps:\n  wiki: {connector: scim, settings: [a]}",
			`5:37: apps.wiki.settings: must be a mapping (key: value), not a list`},
		{"settings within themselves", "apps:\n  wiki: {connector: memory, settings: &s {name: [*s]}}",
			`5:49: apps.wiki.settings.name[0].name: is part of itself`},

		{"wrong CEL, plain", "person:\n  email: person.usrname",
			`5:17: person.email: there is no field "usrname" here; did you mean person.username?`},
		{"wrong CEL, quoted", "person:\n  email: \"'ä' + person.usrname\"",
			`5:24: person.email: there is no field "usrname" here; did you mean person.username?`},
		{"wrong CEL, quoted with escapes", "person:\n  email: \"\\\"a\\\" + person.usrname\"",
			`5:10: person.email: there is no field "usrname" here; did you mean person.username?`},
		{"wrong CEL, literal", "roles:\n- name: a\n  grants: []\n  when: |\n    true &&\n      person.jobTitel == ''",
			`9:14: roles[0].when: there is no field "jobTitel" here; did you mean person.jobTitle?`},
		{"wrong CEL, folded", "roles:\n- name: a\n  grants: []\n  when: >\n    true &&\n    person.jobTitel == ''",
			`7:9: roles[0].when: there is no field "jobTitel" here; did you mean person.jobTitle?`},
		{"wrong CEL, plain over two lines", "roles:\n- name: a\n  grants: []\n  when: true &&\n    person.jobTitel == ''",
			`7:9: roles[0].when: there is no field "jobTitel" here; did you mean person.jobTitle?`},
		{"wrong CEL of an attribute", "apps:\n  wiki:\n    connector: memory\n    attributes:\n      name.given: person.givenNam",
			`8:26: apps.wiki.attributes.name.given: there is no field "givenNam" here; did you mean person.givenName?`},
		{"CEL of the wrong type", "roles:\n  - {name: a, when: person.jobTitle, grants: []}",
			`5:21: roles[0].when: the expression gives string, but must give bool`},
		{"empty CEL", "roles:\n  - {name: a, when: '', grants: []}",
			`5:21: roles[0].when: an expression is missing`},
		{"CEL that is none", "roles:\n  - {name: a, when: [true], grants: []}",
			`5:21: roles[0].when: must be an expression, not a list`},

		{"secret missing in the environment", "apps:\n  wiki:\n    connector: scim\n    settings:\n      url: https://wiki\n      token: ${env:NOPE}",
			`9:14: apps.wiki.settings.token: secret ${env:NOPE} is missing: the environment has no variable NOPE`},
		{"secret empty in the environment", "apps: {wiki: {connector: scim, settings: {token: \"${env:EMPTY}\"}}}",
			`4:50: apps.wiki.settings.token: secret ${env:EMPTY} is missing: the environment has no variable EMPTY`},
		{"secret file missing", "apps: {wiki: {connector: scim, settings: {token: \"${file:nope}\"}}}",
			`4:50: apps.wiki.settings.token: secret ${file:nope} is missing: file does not exist`},
		{"secret file empty", "apps: {wiki: {connector: scim, settings: {token: \"${file:secrets/empty}\"}}}",
			`4:50: apps.wiki.settings.token: secret ${file:secrets/empty} is missing: the file is empty`},
		{"secrets, one of them missing", "apps: {wiki: {connector: scim, settings: {token: \"${env:TOKEN}${env:NOPE}\"}}}",
			`4:50: apps.wiki.settings.token: secret ${env:NOPE} is missing: the environment has no variable NOPE`},
		{"secret of an unknown kind", "apps: {wiki: {connector: scim, settings: {token: \"${vault:x}\"}}}",
			`4:50: apps.wiki.settings.token: ${vault:x} is no secret: must be ${env:NAME} or ${file:PATH}`},
		{"secret without an end", "apps: {wiki: {connector: scim, settings: {token: \"${env:TOKEN\"}}}",
			`4:50: apps.wiki.settings.token: ${env:TOKEN is no secret: must be ${env:NAME} or ${file:PATH}`},
		{"secret without a name", "apps: {wiki: {connector: scim, settings: {token: \"${env:}\"}}}",
			`4:50: apps.wiki.settings.token: ${env:} is no secret: must be ${env:NAME} or ${file:PATH}`},
		{"secret where none is known", "roles:\n  - {name: \"${env:TOKEN}\", when: true, grants: []}",
			`5:12: roles[0].name: secrets are known in apps.*.settings, kafka.topics[].settings, ledger.url, kafka.sasl, webhooks, audit and notices only`},

		{"duration", "mover: {overlap: 1w}",
			`4:18: mover.overlap: must be a duration such as "30d", "12h", "90s" or "1d12h"`},
		{"an approval of no kind", "leaver: {approval: true}", `4:20: leaver.approval: must be required or none`},
		{"data for the holders of no role", "leaver: {handOver: manger}",
			`4:20: leaver.handOver: must be manager, none or the name of a role: there is no role "manger"; did you mean "manager"?`},
		{"data for the holders of no role, inherited once", "apps: {wiki: {connector: memory, leaver: {retain: 1d}}}\nleaver: {handOver: heirs}",
			`5:20: leaver.handOver: must be manager, none or the name of a role: there is no role "heirs"`},
		{"data of an app for the holders of no role", "apps: {wiki: {connector: memory, leaver: {handOver: heirs}}}\nleaver: {handOver: none}",
			`4:53: apps.wiki.leaver.handOver: must be manager, none or the name of a role: there is no role "heirs"`},
		{"duration without a unit", "leaver:\n  retain: 30",
			`5:11: leaver.retain: must be a duration such as "30d", "12h", "90s" or "1d12h"`},
		{"duration that is a list", "joiner: {leadTime: [1d]}",
			`4:20: joiner.leadTime: must be a scalar, not a list`},
		{"no waiting at all", "sweep: {every: 0s}\nattention: {after: 0s, recheck: 0s}",
			"4:16: sweep.every: must be above zero\n5:33: attention.recheck: must be above zero"},
		{"rate", "apps: {wiki: {connector: memory, rate: 10}}",
			`4:40: apps.wiki.rate: must be a number of calls above zero per s, m or h, such as "10/s" or "180/m"`},
		{"bool", "leaver: {delete: sometimes}",
			`4:18: leaver.delete: must be true or false`},
		{"text that is a number", "roles:\n  - {name: 7, when: true, grants: []}",
			`5:12: roles[0].name: must be a text: put it in quotes`},
		{"text that is a list", "roles:\n  - {name: [a], when: true, grants: []}",
			`5:12: roles[0].name: must be a text, not a list`},
		{"text that is nothing", "roles:\n  - {name: , when: true, grants: []}",
			`5:12: roles[0].name: must be a text, not nothing`},
		{"text that is empty", "roles:\n  - {name: '', when: true, grants: []}",
			`5:12: roles[0].name: is empty`},
		{"mapping that is a list", "apps: [wiki]",
			`4:7: apps: must be a mapping (key: value), not a list`},
		{"list that is a mapping", "roles: {a: b}",
			`4:8: roles: must be a list ([a, b]), not a mapping`},
		{"list that is a scalar", "roles: s3cret",
			`4:8: roles: must be a list ([a, b]), not a scalar`},
		{"address", "metrics: {worker: 9464, starter: \"localhost\"}",
			"4:19: metrics.worker: must be a text: put it in quotes\n" +
				`4:34: metrics.starter: "localhost" is no address: must be host:port`},
		{"port", "metrics: {worker: \":http\"}",
			`4:19: metrics.worker: ":http" is no address: the port must be a number up to 65535`},
		{"clock", "development:\n  clock: {start: yesterday, rate: 0, epoch: 2026-01-01}",
			"5:18: development.clock.start: must be an instant such as \"2026-11-02T08:00:00Z\"\n" +
				"5:35: development.clock.rate: must be a number above zero\n" +
				`5:45: development.clock.epoch: must be an instant such as "2026-11-02T08:00:00Z"`},
		{"half a clock", "development:\n  clock: {rate: .inf}",
			"5:3: development.clock.epoch: is missing\n5:3: development.clock.start: is missing\n" +
				`5:17: development.clock.rate: must be a number above zero`},

		{"second document", "---\nkafka: {}",
			`4:1: a second document begins here: there must be one only`},
		{"no YAML", "roles: [",
			`4:1: no YAML near here: did not find expected node content`},
		{"no YAML in the second document", "---\nroles: ]",
			`4:1: no YAML near here: did not find expected node content`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(base + test.text)
			require.Error(t, err)
			assert.Equal(t, test.want, strings.ReplaceAll(err.Error(), "etc/tenure.yaml:", ""))
			for _, secret := range []string{"s3cret", "t0ken"} {
				assert.NotContains(t, err.Error(), secret)
			}
		})
	}
}

// These are about what base has.
func TestLoadRefusesWhatIsRequired(t *testing.T) {
	const ledger = "ledger: {url: \"sqlite:x\"}\n"
	tests := []struct{ name, text, want string }{
		{"nothing", "", "1:1: kafka: is missing\n1:1: ledger: is missing"},
		{"comments", "# nothing\n", "1:1: kafka: is missing\n1:1: ledger: is missing"},
		{"a list", "- a", "1:1: must be a mapping (key: value), not a list"},
		{"empty sections", "kafka:\nledger: {}", "1:1: kafka.brokers: is missing\n2:1: ledger.url: is missing"},
		{"no brokers", ledger + "kafka: {brokers: []}", "2:18: kafka.brokers: must name a broker at least"},
		{"broker", ledger + "kafka: {brokers: [\":9092\"]}", `2:19: kafka.brokers[0]: ":9092" is no address: must be host:port`},
		{"no topics", ledger + "kafka: {brokers: [\"a:1\"], topics: []}", "2:35: kafka.topics: must name a topic at least"},
		{"topic without a name", ledger + "kafka: {brokers: [\"a:1\"], topics: [{source: cloudevents}]}",
			"2:36: kafka.topics[0].name: is missing"},
		{"unknown source", ledger + "kafka: {brokers: [\"a:1\"], topics: [{name: a, source: cloudevent}]}",
			`2:54: kafka.topics[0].source: there is no source "cloudevent"; did you mean "cloudevents"?`},
		{"topic twice", ledger + "kafka: {brokers: [\"a:1\"], topics: [{name: a}, {name: b}, {name: a}]}",
			`2:65: kafka.topics[2].name: topic "a" is there twice`},
		{"dead letters as events", ledger + "kafka: {brokers: [\"a:1\"], topics: [{name: a}, {name: a.dlq}]}",
			`2:54: kafka.topics[1].name: topic "a.dlq" is for the dead letters of "a": reading it would go round in circles`},
		{"ledger", "kafka: {brokers: [\"a:1\"]}\nledger: {url: \"mysql://u:${env:TOKEN}@db\"}",
			"2:15: ledger.url: must begin with sqlite: or postgres://"},
		{"ledger without a file", "kafka: {brokers: [\"a:1\"]}\nledger: {url: \"sqlite:\"}",
			"2:15: ledger.url: the file is missing: sqlite:PATH"},
		{"ledger's secret", "kafka: {brokers: [\"a:1\"]}\nledger:\n  url: \"postgres://u:${env:NOPE}@db\"",
			"3:8: ledger.url: secret ${env:NOPE} is missing: the environment has no variable NOPE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(test.text)
			require.Error(t, err)
			assert.Equal(t, test.want, strings.ReplaceAll(err.Error(), "etc/tenure.yaml:", ""))
			assert.NotContains(t, err.Error(), "t0ken")
		})
	}
}

func TestLoadReportsEverythingInTheOrderOfTheFile(t *testing.T) {
	_, err := read(`roles:
  - {name: a, when: person.x, grants: [{app: b}]}
kafka: {brokers: [a]}
ledgr: {}
apps:
  b: {conector: memory}
mover: {overlap: soon}
`)
	require.Error(t, err)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	var places [][2]int
	for _, problem := range joined.Unwrap() {
		p := new(FieldError)
		require.ErrorAs(t, problem, &p)
		assert.Equal(t, "etc/tenure.yaml", p.File)
		places = append(places, [2]int{p.Line, p.Column})
	}
	assert.Equal(t, [][2]int{{1, 1}, {2, 28}, {3, 19}, {4, 1}, {6, 3}, {6, 7}, {7, 18}}, places, err)
}

// kinds are those of the catalog, as an error lists them.
func kinds() string {
	var names []string
	for _, kind := range catalog.Kinds() {
		names = append(names, kind.Name)
	}
	return strings.Join(names, ", ")
}
