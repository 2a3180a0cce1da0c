package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/secret"
)

// Audit says how the audit record becomes a log that can be verified.
type Audit struct {
	Origin     string        // name of the log; default "tenure/audit"
	Every      time.Duration // pause between two looks for new rows; default 10s
	Checkpoint time.Duration // least time between two checkpoints; default 1m
	Key        secret.Secret // signs checkpoints; zero: they are not signed
	Publish    []AuditPlace
	Export     []AuditExport
}

// AuditPlace is where checkpoints are published; one of its fields is set.
type AuditPlace struct {
	File    string
	HTTP    string // URL
	Witness string // URL
	Kafka   string // topic
}

// readAudit reads the section audit.
func readAudit(v value) Audit {
	var a Audit
	var key value
	v.mapping(
		on("origin", func(v value) {
			if a.Origin = v.text(); strings.ContainsAny(a.Origin, " \t\r\n+") {
				v.failf("must be one word, without +")
			}
		}),
		into("every", &a.Every),
		into("checkpoint", &a.Checkpoint),
		on("key", func(v value) { key, a.Key = v, v.typed().(secret.Secret) }),
		on("publish", func(v value) {
			v.list(func(v value) { a.Publish = append(a.Publish, readPlace(v)) })
		}),
		on("export", func(v value) { a.Export = readExports(v) }),
	)
	if key.node != nil && key.needed() && !v.l.failedWithin(v.path) {
		checkAuditKey(key, a)
	}
	return a
}

// checkAuditKey checks that a key signs checkpoints of this log.
func checkAuditKey(v value, a Audit) {
	signs, err := a.Key.Reveal()
	if err != nil {
		return // reported
	}
	verifies, err := audit.Verifies(signs)
	if err != nil {
		v.failf("%s", err)
		return
	}
	if name, _, _ := strings.Cut(verifies, "+"); name != a.Origin {
		v.failf("is the key of the log %s, and audit.origin is %s", name, a.Origin)
	}
}

func readPlace(v value) AuditPlace {
	var p AuditPlace
	v.mapping(
		on("file", func(v value) {
			if path := v.text(); path != "" {
				p.File = v.l.relative(path)
			}
		}),
		on("http", func(v value) { p.HTTP = v.httpURL() }),
		on("witness", func(v value) { p.Witness = v.httpURL() }),
		on("kafka", func(v value) { p.Kafka = v.text() }),
	)
	set := 0
	for _, text := range []string{p.File, p.HTTP, p.Witness, p.Kafka} {
		if text != "" {
			set++
		}
	}
	if set != 1 && !v.l.failedWithin(v.path) && !v.l.failed(v.path) {
		v.failf("must have one of file, http, witness and kafka")
	}
	return p
}

// httpURL reads a URL of HTTP.
func (v value) httpURL() string {
	text := v.text()
	if text == "" || v.l.failed(v.path) {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		v.failf("must be a URL such as https://witness.example.com, without a password")
		return ""
	}
	return text
}

// auditKeys declares the section audit.
var auditKeys = []settings.Setting{
	{Name: "origin", Type: settings.TypeText, Default: "tenure/audit",
		Text: "Name of the log, which checkpoints and the key have: a name that nobody else uses, such as `example.com/tenure`. Choose it before the first checkpoint is published: a log with another name is another log.",
	},
	{Name: "every", Type: settings.TypeSpan, Default: "10s",
		Text: "How often new rows of the audit record are put into the log. Whoever can change the database can change a row unnoticed until then, and until the next checkpoint is published.",
	},
	{Name: "checkpoint", Type: settings.TypePeriod, Default: "1m",
		Text: "The least time between two checkpoints. One is made only if there are new rows.",
	},
	{Name: "key", Type: settings.TypeCredential,
		Text: "The key that signs checkpoints, as `tenure audit key` writes it. A worker that cannot read it leaves the log to workers that can, so it may be on one machine only. Without it, checkpoints are not signed, and prove only what those prove who keep them. Must be a secret.",
	},
	{Name: "publish", Type: settings.TypeList,
		Text: "Where checkpoints are published. Choose places that those who administer the ledger cannot change: that a part of the record is gone, or that all of it was made anew, is seen by who has a checkpoint from before.",
		Each: &settings.Setting{Type: settings.TypeMapping, Keys: []settings.Setting{
			{Name: "file", Type: settings.TypeText, Text: "Path of a file to which each checkpoint is added, such as one on storage that is written once. Every worker has its own."},
			{Name: "http", Type: settings.TypeText, Text: "URL to which each checkpoint is posted. Any status of 2xx says that it was kept."},
			{Name: "witness", Type: settings.TypeText, Text: "URL of a witness as C2SP tlog-witness has it, without `/add-checkpoint`. It signs only what goes on from what it has signed before. Its signature is kept."},
			{Name: "kafka", Type: settings.TypeText, Text: "Topic of `kafka.brokers` to which each checkpoint is written. Its key is the name of the log. Do not let the topic be compacted, and keep its records for as long as you keep the audit record."},
		}},
	},
	{Name: "export", Type: settings.TypeList, Text: "Where the rows of the audit record are sent: see [Export](export.md).", Each: &settings.Setting{Type: settings.TypeMapping, Keys: exportKeys}},
}
