package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/service"
)

func TestConfigCheckConnect(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "hr.events", "hr.events.dlq"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	broker := cluster.ListenAddrs()[0]
	s.write("tenure.yaml", "kafka: {brokers: [\""+broker+"\"], topics: [{name: hr.events}, {name: no.such}]}\nledger: {url: \"sqlite:ledger.db\"}\n")

	r := s.run("config", "check", "--connect", "--timeout", "10s", "-o", "json")
	assert.Equal(t, service.ExitFailed, r.code)
	assert.Equal(t, "configuration: tenure.yaml\ntenure: not reached: Temporal\n", r.err)
	var v struct{ Systems []checkup.Report }
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &v), r.stdout)
	require.Len(t, v.Systems, 3)
	kafka, temporal, ledger := v.Systems[0], v.Systems[1], v.Systems[2]
	assert.True(t, kafka.Reached)
	assert.Equal(t, "User:ANONYMOUS (nobody signs in)", kafka.Identity)
	assert.Equal(t, 2, kafka.Count(checkup.Missing), "%v", kafka.Findings)
	assert.False(t, temporal.Reached)
	assert.True(t, ledger.Reached)
	assert.Equal(t, 1, ledger.Count(checkup.Note))
	_, err = os.Stat("ledger.db")
	assert.ErrorIs(t, err, os.ErrNotExist, "looking at a ledger makes none")

	r = s.run("config", "check", "--connect")
	assert.Contains(t, r.stdout, "  missing  topic no.such: it does not exist\n           kafka-topics.sh --bootstrap-server "+broker+" --create --topic no.such --partitions 6 --replication-factor 3\n")
	assert.Contains(t, r.stdout, "Temporal at 127.0.0.1:1 as nobody in particular (nobody signs in, and connections are not encrypted): not reached\n")
}

func TestVerdict(t *testing.T) {
	report := func(reached bool, verdicts ...checkup.Verdict) []checkup.Report {
		r := checkup.Report{System: "Kafka", Reached: reached}
		for _, v := range verdicts {
			r.Add("", v, "", "")
		}
		return []checkup.Report{{System: "ledger", Reached: true}, r}
	}
	assert.NoError(t, verdict(nil))
	assert.NoError(t, verdict(report(true, checkup.OK, checkup.Note)))
	assert.ErrorIs(t, verdict(report(true, checkup.Missing)), errAttention)
	assert.ErrorIs(t, verdict(report(true, checkup.Unknown)), errAttention)
	assert.EqualError(t, verdict(report(false, checkup.Missing)), "not reached: Kafka")
}

// secretless is the configuration of the test site, with secrets and files that do not
// exist in every place.
const secretless = `
kafka:
  brokers: ["localhost:9092"]
  tls: {ca: nowhere/ca.pem, certificate: nowhere/tenure.pem, key: nowhere/tenure.key}
  sasl: {mechanism: plain, username: "${env:NOT_THERE}", password: "${file:nowhere/password}"}
  topics: [{name: hr.events, source: bamboohr, settings: {zone: Europe/Berlin, url: "${env:NOT_THERE}", apiKey: "${env:NOT_THERE}"}}]
webhooks:
  listen: ":8443"
  tls: {certificate: nowhere/tenure.pem, key: nowhere/tenure.key}
  endpoints: [{path: /hr, topic: hr.events, scheme: hmac, signature: {header: X-Signature}, secrets: ["${env:NOT_THERE}"]}]
ledger: {url: "sqlite:tenure.db"}
apps:
  chat: {connector: webhook, settings: {url: "${env:NOT_THERE}", secret: "${file:nowhere/secret}"}}
  wiki: {connector: scim, settings: {url: "https://${env:NOT_THERE}/scim", token: "${env:NOT_THERE}"}}
  wifi: {connector: postgres, settings: {url: "postgres://tenure@db/postgres?sslrootcert=nowhere/ca.pem", password: "${env:NOT_THERE}"}}
  office: {connector: jit, settings: {directory: wiki, inner: {connector: scim, settings: {url: "${env:NOT_THERE}", username: tenure, password: "${env:NOT_THERE}"}}}}
roles:
  - {name: everyone, when: "true", grants: [{app: chat}, {app: wiki, entitlements: [staff]}, {app: wifi}, {app: office}]}
`

// A command that only reads the ledger needs no secret of an app, of Kafka or of
// webhooks. A command that calls one of them needs its secrets, and says which is
// missing.
func TestReadingNeedsNoSecretOfAnApp(t *testing.T) {
	s := newSite(t)
	s.people()
	s.write("tenure.yaml", secretless)
	s.write("next.yaml", secretless)
	s.write("event.json", "{}")
	for _, args := range [][]string{
		{"person", "list"}, {"person", "show", "10001"}, {"person", "timeline", "10001"}, {"person", "why", "10001", "wiki"},
		{"access", "who", "wiki"}, {"app", "list"}, {"run", "list", "--attention"}, {"plan"}, {"plan", "--with", "next.yaml"},
		{"breaker", "list"}, {"hold", "list"}, {"deletion", "list"}, {"task", "list"}, {"dlq", "list"},
		{"ledger", "export", "-"}, {"config", "check", "--without-secrets"},
	} {
		got := s.run(args...)
		assert.Contains(t, []int{service.ExitDone, service.ExitAttention}, got.code, "%v: %s", args, got.err)
		assert.NotContains(t, got.err+got.stdout, "is missing", "%v", args)
	}
	for want, args := range map[string][]string{
		"apps.wiki.settings.token: secret ${env:NOT_THERE} is missing":         {"app", "test", "wiki"},
		"apps.wifi.settings.password: secret ${env:NOT_THERE} is missing":      {"app", "accounts", "wifi"},
		"apps.office.settings.inner.settings.url: secret ${env:NOT_THERE} is ": {"app", "test", "office"},
		"kafka.sasl.password: secret ${file:nowhere/password} is missing":      {"event", "send", "event.json", "--source", "cloudevents"},
		"kafka.tls.ca: the file cannot be read":                                {"dlq", "index"},
		"webhooks.tls.certificate: the file cannot be read":                    {"config", "check"},
	} {
		got := s.run(args...)
		assert.Equal(t, service.ExitUsage, got.code, "%v", args)
		assert.Contains(t, got.err, want, "%v", args)
	}
	assert.NotContains(t, s.run("app", "test", "wiki").err, "chat", "the others' are not needed")
}

func TestConfigCheckWithoutSecrets(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", secretless+"sweep: {evry: 1m}\n")
	got := s.run("config", "check", "--without-secrets")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `sweep.evry: unknown key; did you mean "every"?`)
	assert.NotContains(t, got.err, "NOT_THERE")

	s.write("tenure.yaml", "kafka: {brokers: [\"localhost:9092\"]}\nledger: {url: \"postgres://tenure:${env:NOT_THERE}@db/tenure\"}\n")
	got = s.run("config", "check", "--without-secrets")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "as its secret says")
	s.write("tenure.yaml", "kafka: {brokers: [\"localhost:9092\"]}\nledger: {url: \"postgres://tenure@db/tenure?sslrootcert=nowhere.pem&sslmode=maybe\"}\n")
	assert.Contains(t, s.run("config", "check", "--without-secrets").err, "sslmode")
	s.write("tenure.yaml", "kafka: {brokers: [\"localhost:9092\"]}\nledger: {url: \"postgres://tenure@db/tenure?sslrootcert=nowhere.pem\"}\n")
	assert.Equal(t, service.ExitDone, s.run("config", "check", "--without-secrets").code)

	assert.Equal(t, service.ExitUsage, s.run("config", "check", "--without-secrets", "--connect").code)
}

// A configuration that is probably not as somebody meant it is not called good.
func TestConfigCheckWarns(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", configuration+`  - {name: tried, when: "person.department == 'IT'", grants: [{app: chat}]}
`)
	assert.Equal(t, service.ExitDone, s.run("config", "check").code)
	s.write("tenure.yaml", `kafka: {brokers: ["localhost:9092"]}
ledger: {url: "sqlite:tenure.db"}
apps: {wiki: {connector: scim, settings: {url: "https://wiki.example.com", token: s3cret}}}
`)
	got := s.run("config", "check")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.stdout, "tenure.yaml can be used, and is probably not what is meant:\n  tenure.yaml:3:14: apps.wiki: no role grants it: nobody gets an account there\n"+
		"  tenure.yaml:3:83: apps.wiki.settings.token: a secret is written here")
	assert.NotContains(t, got.stdout, "good")
	assert.NotContains(t, got.stdout, "s3cret")
}
