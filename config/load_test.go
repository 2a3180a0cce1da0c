package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr/snapshot"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/receiver"
	"github.com/tenurehq/tenure/receiver/scheme"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/review"
	"github.com/tenurehq/tenure/secret"
)

func TestLoadReadsEveryKey(t *testing.T) {
	cfg, err := read(everyKey(t))
	require.NoError(t, err)

	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	p, s := cfg.Policy, cfg.Snapshot
	cfg.Policy, cfg.Snapshot = nil, nil
	assertSASL(t, "scram-sha-512", "tenure-t0ken", "s3cret", cfg.Kafka.SASL)
	cfg.Kafka.SASL = nil // secrets cannot be compared
	assertSecret(t, "0123456789abcdef", cfg.Webhooks.Endpoints[0].Secrets)
	cfg.Webhooks.Endpoints[0].Secrets = nil
	assertSecret(t, auditKey, []secret.Secret{cfg.Audit.Key})
	assertSecret(t, "s3cret", []secret.Secret{cfg.Audit.Export[2].Token})
	assertSecret(t, pepper, []secret.Secret{cfg.Privacy.Pepper})
	cfg.Privacy.Pepper = secret.Secret{}
	cfg.Audit.Key, cfg.Audit.Export[2].Token, cfg.Audit.Export[2].Signs = secret.Secret{}, secret.Secret{}, secret.Secret{}
	assertNotices(t, cfg.Notices)
	cfg.Notices = nil
	assert.Equal(t, &Config{
		Path: "etc/tenure.yaml",
		Kafka: Kafka{
			Brokers: []string{"localhost:9092"},
			TLS: &broker.TLS{
				CA: "etc/kafka/ca.pem", Certificate: "etc/kafka/tenure.pem", Key: "etc/kafka/tenure.key",
				ServerName: "kafka.example.com",
			},
			Topics: []Topic{{Name: "hr.events", Source: "bamboohr", Settings: map[string]any{"zone": "Europe/Berlin"}, Channel: source.Channel{Sources: []string{"/hr"}, Types: []string{"worker.*"}}, DeadLetters: "hr.events.dlq", StartOffset: StartLast}},
			Group:  "tenure", GiveUpAfter: 10 * time.Minute, ReadAhead: 200,
		},
		Webhooks: &Webhooks{
			Listen:      ":8443",
			Certificate: &receiver.Certificate{Certificate: "etc/kafka/tenure.pem", Key: "etc/kafka/tenure.key"},
			MaxBody:     64 << 10,
			Endpoints: []WebhookEndpoint{{
				Endpoint: receiver.Endpoint{
					Path: "/hr", Topic: "hr.events", Rate: 10, Burst: 10,
					Verifier: scheme.HMAC{
						Header: "X-Hr-Signature", Prefix: "v0=", Encoding: scheme.Base64, Timestamp: "X-Hr-Time",
						Signs: "{timestamp}.{body}", Window: 10 * time.Minute,
					},
				},
				Channel: source.Channel{Sources: []string{"/hr"}, Types: []string{"worker.hired", "worker.terminated"}},
			}},
		},
		Ledger: Ledger{URL: "sqlite:etc/tenure.db"},
		Audit: Audit{Origin: "example.com/tenure", Every: 20 * time.Second, Checkpoint: 2 * time.Minute, Publish: []AuditPlace{
			{File: "etc/checkpoints"}, {HTTP: "https://archive.example.com/checkpoints"}, {Witness: "https://witness.example.com/w"}, {Kafka: "checkpoints"},
		}, Export: []AuditExport{
			{Name: "archive", Format: "jsonl", File: "etc/audit.jsonl", TokenType: "Bearer", TLS: &broker.TLS{}},
			{Name: "lake", Format: "ocsf", Kafka: "tenure.audit", TokenType: "Bearer", TLS: &broker.TLS{}},
			{Name: "splunk", Format: "ocsf", HTTPS: "https://splunk.example.com/services/collector/raw", TokenType: "Splunk", TLS: &broker.TLS{}},
			{Name: "siem", Format: "cef", Syslog: "siem.example.com:6514", TokenType: "Bearer", TLS: &broker.TLS{
				CA: "etc/kafka/ca.pem", Certificate: "etc/kafka/tenure.pem", Key: "etc/kafka/tenure.key", ServerName: "siem",
			}},
		}},
		Privacy: Privacy{Keep: 1095 * 24 * time.Hour, KeptAccounts: KeptIgnore},
		Apps: map[string]App{
			"directory": {Connector: "memory", Settings: map[string]any{"name": "directory"}, Rate: pace.Rate{Calls: 10, Per: time.Second}, AtOnce: 7, Settling: ptr(20 * time.Minute), LongestOperation: 72 * time.Hour, Licences: ledger.EnoughSeats{Seats: 12, Ahead: 14 * 24 * time.Hour}, Reconcile: reconcile.Terms{
				Every: 6 * time.Hour, Share: 0.2, Shrink: 0.05, Grace: 3, Flapping: 1,
				Reactions: map[reconcile.Kind]reconcile.Reaction{
					reconcile.State: reconcile.Ask, reconcile.Off: reconcile.Repair, reconcile.Missing: reconcile.Ask, reconcile.Attributes: reconcile.Report,
					reconcile.Lacking: reconcile.Ask, reconcile.Stray: reconcile.Repair, reconcile.Unlinked: reconcile.Ask, reconcile.Disputed: reconcile.Report,
					reconcile.Orphan: reconcile.End, reconcile.Duty: reconcile.Report,
				},
			}},
			"wiki": {Connector: "memory", LongestOperation: 24 * time.Hour, Licences: ledger.EnoughSeats{Share: 0.05, Ahead: 30 * 24 * time.Hour}, Reconcile: reconcile.Terms{
				Every: 12 * time.Hour, Share: 0.4, Shrink: 0.15, Grace: 4, Flapping: 2,
				Reactions: map[reconcile.Kind]reconcile.Reaction{
					reconcile.State: reconcile.Report, reconcile.Off: reconcile.Report, reconcile.Missing: reconcile.Report, reconcile.Attributes: reconcile.Ask,
					reconcile.Lacking: reconcile.Report, reconcile.Stray: reconcile.Report, reconcile.Unlinked: reconcile.Report, reconcile.Disputed: reconcile.Ask,
					reconcile.Orphan: reconcile.Report, reconcile.Duty: reconcile.Report,
				},
			}},
		},
		Attention: Attention{After: 5 * time.Minute, Recheck: 30 * time.Minute},
		Sweep:     Sweep{Every: 10 * time.Second, Overdue: 20 * time.Minute},
		Breaker: &ledger.Limits{
			Window: 12 * time.Hour, Settle: 2 * time.Minute, SettleImmediate: 10 * time.Second,
			Of: map[ledger.WithdrawalKind]ledger.Limit{
				ledger.Leavers:     {Share: 0.05, Count: 10, Most: 50, Window: time.Hour},
				ledger.Disables:    {Share: 0.06, Count: 11, Most: 51, Window: 2 * time.Hour},
				ledger.Deletions:   {Share: 0.07, Count: 12, Most: 52, Window: 3 * time.Hour},
				ledger.Suspensions: {Share: 0.08, Count: 13, Most: 53, Window: 30 * time.Minute},
				ledger.Losses:      {Share: 0.09, Count: 14, Most: 54, Window: 4 * time.Hour},
				ledger.Grants:      {Share: 0.11, Count: 15, Most: 55, Window: 5 * time.Hour},
				ledger.Orphans:     {Share: 0.12, Count: 16, Most: 56, Window: 6 * time.Hour},
			},
		},
		Reviews: []review.Terms{{
			Name: "privileged", On: []review.Day{{Month: time.January, Day: 15}, {Month: time.July, Day: 15}}, Days: 21,
			After:  review.After{Moved: true, Returned: 30 * 24 * time.Hour, Wait: 3 * 24 * time.Hour},
			Covers: "item.risk == 'privileged' || person.department == 'Finance'", Explain: review.ExplainEach,
			Reviewers: map[review.Kind][]string{
				review.ByRole: {"security"}, review.ByGrant: {"manager"}, review.Kept: {"manager"}, review.Accepted: {"owner"}, review.Stray: {"owner"},
				review.Unlinked: {"owner"}, review.Orphan: {"owner"}, review.Service: {"owner"}, review.Duty: {"owner"}, review.Withheld: {"security"},
			},
			Remind: []time.Duration{5 * 24 * time.Hour, 24 * time.Hour}, Escalate: 10 * 24 * time.Hour, Undecided: review.SilenceRevokes,
			Settle: 12 * time.Hour, KeepReason: review.ReasonAlways, RevokeReason: review.ReasonNever, UnusedAfter: 60 * 24 * time.Hour,
		}},
		Governance: Governance{TimeZone: berlin, Freshness: 24 * time.Hour},
		Metrics:    Metrics{Worker: "127.0.0.1:9464", Starter: ":9465"},
		Development: &Development{Clock: &AcceleratedClock{
			Epoch: time.Date(2026, time.November, 2, 8, 0, 0, 0, time.UTC),
			Start: cfg.Development.Clock.Start,
			Rate:  1440.5,
		}},
	}, cfg)
	assert.True(t, cfg.Development.Clock.Start.Equal(time.Date(2025, time.December, 31, 23, 0, 0, 0, time.UTC)))

	format, err := snapshot.ParseDateFormat("DD.MM.YYYY")
	require.NoError(t, err)
	assert.NotNil(t, s.Covers)
	s.Covers = nil
	assert.Equal(t, &Snapshot{
		Source: "/hr/example",
		Mapping: snapshot.Mapping{
			Columns: map[string]string{
				"workerId": "ID", "worker.givenName": "First name", "worker.familyName": "Last name",
				"worker.startDate": "Hired", "worker.location.timeZone": "Office",
			},
			Defaults:   map[string]string{"worker.workerType": "employee"},
			Values:     map[string]map[string]string{"worker.location.timeZone": {"Berlin": "Europe/Berlin"}},
			DateFormat: format,
			Left:       snapshot.Marker{Column: "Status", Values: []string{"Terminated"}, Present: []string{"Probation"}},
			Primary:    snapshot.Marker{Column: "Main job", Values: []string{"Yes"}},
		},
		MaxLeavers: snapshot.Limit{Share: 0.02, Count: 2},
	}, s)

	directory, _ := p.App("directory")
	assert.Equal(t, policy.ResolvedApp{
		Adopt: policy.AdoptNever,
		Owner: []string{"10006"},
		Name:  "directory", After: []string{"wiki"}, Attributes: []string{"title"}, Ignore: []string{"title"},
		Joiner: policy.JoinerRules{LeadTime: 24 * time.Hour},
		Mover:  policy.MoverRules{Overlap: 24 * time.Hour},
		Leaver: policy.LeaverRules{Retain: 24 * time.Hour, Approval: true, Remind: 72 * time.Hour, HandOver: "everyone", HandOverBy: "archive", HandOverNeeds: []string{"seat"}},
	}, directory)
	librarian, _ := p.Requestable("librarian")
	assert.Equal(t, policy.RequestRules{
		Most: 8 * time.Hour, Usual: 2 * time.Hour, Ahead: 14 * 24 * time.Hour,
		Approve: [][]string{{"manager"}, {"owner", "security"}}, Needed: 2, Answer: 36 * time.Hour, Escalate: 6 * time.Hour,
		Ticket: "^INC-", Extend: policy.ExtendAgain, Sessions: policy.SessionsEnd, Emergency: &policy.EmergencyRules{Most: time.Hour, Confirm: 12 * time.Hour},
	}, librarian)
	facts, _ := p.Facts("librarian")
	assert.Equal(t, policy.RoleFacts{Title: "Librarian", About: "Lends books", Owner: []string{"10002"}, Risk: policy.RiskPrivileged}, facts)
	facts, _ = p.Facts("everyone")
	assert.Equal(t, policy.RoleFacts{Title: "everyone", Owner: []string{"10005"}, Risk: policy.RiskStandard}, facts)
	assert.Equal(t, []string{"10003", "10004"}, p.Deciders("security"))
	assert.Equal(t, []string{"10005"}, p.Fallback())
	assert.Equal(t, []policy.Duty{{
		Name: "keep-and-lend", About: "Who keeps the books does not lend them.",
		One: []policy.Grant{{App: "directory", Entitlements: []string{"staff"}}}, Other: []policy.Grant{{App: "wiki", Entitlements: []string{"lenders"}}},
		Owner: []string{"10001"}, Mode: policy.DutyDetect, Since: time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC),
		Waive: &policy.WaiveRules{
			Most: 90 * 24 * time.Hour, Approve: [][]string{{"owner"}, {"security"}}, Answer: 36 * time.Hour, Escalate: 6 * time.Hour,
		},
	}}, p.Duties())
	assert.Equal(t, 20, p.LongestUsername())
	assert.True(t, p.ProtectsPerson("10001"))
	assert.True(t, p.ProtectsAccount("directory", "breakglass"))
	wiki, _ := p.App("wiki")
	assert.Equal(t, 48*time.Hour, wiki.Joiner.LeadTime)
	assert.Equal(t, 12*time.Hour, wiki.Mover.Overlap)
	assert.Equal(t, policy.LeaverRules{Retain: 36 * time.Hour, Remind: 48 * time.Hour, HandOver: "none", HandOverBy: "it"}, wiki.Leaver)
}

func TestLoadFillsInTheDefaults(t *testing.T) {
	cfg, err := read(base + "apps: {wiki: {connector: memory}}")
	require.NoError(t, err)
	assert.Equal(t, []Topic{{Name: "hr.events", Source: "cloudevents", DeadLetters: "hr.events.dlq", StartOffset: StartFirst}}, cfg.Kafka.Topics)
	assert.Equal(t, "tenure", cfg.Kafka.Group)
	assert.Equal(t, Attention{After: 15 * time.Minute, Recheck: time.Hour}, cfg.Attention)
	assert.Equal(t, Audit{Origin: "tenure/audit", Every: 10 * time.Second, Checkpoint: time.Minute}, cfg.Audit)
	assert.Equal(t, Sweep{Every: time.Minute, Overdue: 10 * time.Minute}, cfg.Sweep)
	usual := ledger.Limit{Share: 0.1, Count: 20, Most: 200}
	suspensions := usual
	suspensions.Window = time.Hour
	assert.Equal(t, &ledger.Limits{
		Window: 24 * time.Hour, Settle: time.Minute,
		Of: map[ledger.WithdrawalKind]ledger.Limit{
			ledger.Leavers: usual, ledger.Disables: usual, ledger.Deletions: usual,
			ledger.Suspensions: suspensions, ledger.Losses: usual, ledger.Grants: usual, ledger.Orphans: usual,
		},
	}, cfg.Breaker, "it is on by itself")
	assert.Zero(t, cfg.Metrics)
	assert.Nil(t, cfg.Development)
	wiki, ok := cfg.Policy.App("wiki")
	assert.True(t, ok)
	assert.Equal(t, policy.ResolvedApp{
		Adopt: policy.AdoptAsk, Name: "wiki", Leaver: policy.LeaverRules{Retain: 30 * 24 * time.Hour, Delete: true, Remind: 7 * 24 * time.Hour, HandOver: "manager"}}, wiki)

	cfg, err = read("kafka: {brokers: [\"a:1\"], topics: [{name: people}]}\nledger: {url: \"sqlite:x\"}")
	require.NoError(t, err)
	assert.Equal(t, []Topic{{Name: "people", Source: "cloudevents", DeadLetters: "people.dlq", StartOffset: StartFirst}}, cfg.Kafka.Topics)
}

// What an app does not say of leavers is as for all, wherever "leaver" stands.
func TestAppsOverridePartOfTheDefaults(t *testing.T) {
	cfg, err := read(base + `
apps:
  wiki: {connector: memory, leaver: {retain: 7d, approval: none, remind: 12h, handOver: manager, handOverBy: it, handOverNeeds: [seat]}}
  chat: {connector: memory, leaver: {delete: true}}
  crm: {connector: memory, joiner: {}, leaver: }
leaver: {retain: 90d, delete: false, approval: required, handOver: none}
joiner: {leadTime: 5d}
`)
	require.NoError(t, err)
	leaver := func(app string) policy.LeaverRules {
		resolved, _ := cfg.Policy.App(app)
		return resolved.Leaver
	}
	assert.Equal(t, policy.LeaverRules{Retain: 7 * 24 * time.Hour, Remind: 12 * time.Hour,
		HandOver: "manager", HandOverBy: "it", HandOverNeeds: []string{"seat"}}, leaver("wiki"))
	assert.Equal(t, policy.LeaverRules{Retain: 90 * 24 * time.Hour, Delete: true, Approval: true, Remind: 7 * 24 * time.Hour, HandOver: "none"}, leaver("chat"))
	assert.Equal(t, policy.LeaverRules{Retain: 90 * 24 * time.Hour, Approval: true, Remind: 7 * 24 * time.Hour, HandOver: "none"}, leaver("crm"))
	crm, _ := cfg.Policy.App("crm")
	assert.Equal(t, 5*24*time.Hour, crm.Joiner.LeadTime, "an empty override overrides nothing")
}

func TestSecrets(t *testing.T) {
	cfg, err := read(`
kafka: {brokers: ["localhost:9092"]}
ledger: {url: "postgres://tenure:${env:TOKEN}@db.example.com/tenure"}
apps:
  wiki: {connector: scim, settings: {url: "https://wiki.example.com", token: "${file:secrets/token}"}}
  chat: {connector: scim, settings: {url: "https://chat.example.com", token: "a-${env:TOKEN}-${file:/run/secrets/token}"}}
`)
	require.NoError(t, err)
	assert.Equal(t, "postgres://tenure:t0ken@db.example.com/tenure", cfg.Ledger.URL)
	assert.Equal(t, "s3cret", reveal(t, cfg.Apps["wiki"].Settings["token"]))
	assert.Equal(t, "a-t0ken-absolute", reveal(t, cfg.Apps["chat"].Settings["token"]))
}

// A secret is rotated where it is kept, and the next use has the new one; while
// it cannot be had, the error says where and why, and not what it was.
func TestSecretsAreReadAnew(t *testing.T) {
	now := map[string]string{"TOKEN": "old"}
	l := &loader{file: "tenure.yaml", lookupEnv: func(name string) (string, bool) { v, ok := now[name]; return v, ok }}
	root, err := l.parse([]byte(`{token: "a-${env:TOKEN}"}`))
	require.NoError(t, err)
	l.nodes = nodes{}
	token := value{l: l, node: root, path: "apps.wiki.settings"}.settings()["token"]
	assert.Equal(t, "a-old", reveal(t, token))
	now["TOKEN"] = "new"
	assert.Equal(t, "a-new", reveal(t, token))
	delete(now, "TOKEN")
	_, err = token.(secret.Secret).Reveal()
	require.EqualError(t, err, "apps.wiki.settings.token: secret ${env:TOKEN} is missing: the environment has no variable TOKEN")
}

func reveal(t *testing.T, setting any) string {
	t.Helper()
	require.IsType(t, secret.Secret{}, setting)
	text, err := setting.(secret.Secret).Reveal()
	require.NoError(t, err)
	return text
}

func TestSettingsKeepTheirTypes(t *testing.T) {
	l := &loader{file: "tenure.yaml", lookupEnv: func(name string) (string, bool) { return environment[name], true }}
	root, err := l.parse([]byte(`{text: a, number: 7, factor: 0.5, yes: true, none: null, day: 2026-01-02, list: [a, {b: c}], same: &x [1], again: *x}`))
	require.NoError(t, err)
	l.nodes = nodes{}
	assert.Equal(t, map[string]any{
		"text": "a", "number": 7, "factor": 0.5, "yes": true, "none": nil, "day": "2026-01-02",
		"list": []any{"a", map[string]any{"b": "c"}}, "same": []any{1}, "again": []any{1},
	}, value{l: l, node: root}.settings())
	assert.Empty(t, l.problems)
}

func TestLedgerPathsAreRelativeToTheFile(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:tenure.db":            "sqlite:etc/tenure.db",
		"sqlite:../data/tenure.db":    "sqlite:data/tenure.db",
		"sqlite:/var/lib/tenure.db":   "sqlite:/var/lib/tenure.db",
		"sqlite://tenure.db":          "sqlite:etc/tenure.db",
		"sqlite:///var/lib/tenure.db": "sqlite:/var/lib/tenure.db",
		"postgresql://db/tenure":      "postgresql://db/tenure",
	} {
		cfg, err := read("kafka: {brokers: [\"a:1\"]}\nledger: {url: \"" + url + "\"}")
		require.NoError(t, err)
		assert.Equal(t, want, cfg.Ledger.URL)
	}
}

func TestLoadReadsFilesAndTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tenure.yaml")
	t.Setenv("TENURE_TEST_TOKEN", "from the environment")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("from-a-file\n"), 0o600))
	require.NoError(t, os.WriteFile(path, []byte(base+`
apps:
  wiki: {connector: scim, settings: {url: "https://wiki.example.com", token: "${file:token}"}}
  chat: {connector: memory, settings: {name: "${env:TENURE_TEST_TOKEN}"}}
`), 0o600))

	cfg, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, path, cfg.Path)
	assert.Equal(t, "from-a-file", reveal(t, cfg.Apps["wiki"].Settings["token"]))
	assert.Equal(t, "from the environment", reveal(t, cfg.Apps["chat"].Settings["name"]))
	assert.Equal(t, "sqlite:"+filepath.Join(dir, "tenure.db"), cfg.Ledger.URL)

	_, err = Load(filepath.Join(dir, "absent.yaml"))
	assert.EqualError(t, err, filepath.Join(dir, "absent.yaml")+": no such file or directory")
}

func TestClock(t *testing.T) {
	near := func(want time.Time, c clock.Clock) {
		t.Helper()
		assert.WithinDuration(t, want, c.Now(), time.Hour)
	}
	near(time.Now(), (&Config{}).Clock())
	near(time.Now(), (&Config{Development: &Development{}}).Clock())

	start := time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)
	accelerated := (&Config{Development: &Development{Clock: &AcceleratedClock{
		Epoch: time.Now().Add(-time.Minute), Start: start, Rate: 1440,
	}}}).Clock()
	near(start.AddDate(0, 0, 1), accelerated)
	assert.Equal(t, time.Minute, accelerated.Wait(24*time.Hour))
}
