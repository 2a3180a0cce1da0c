package config

import (
	"net/url"
	"slices"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/signature"
	"github.com/tenurehq/tenure/secret"
)

// AuditExport is a place that the rows of the audit record are sent to. Of File, Kafka, HTTPS and
// Syslog one is set.
type AuditExport struct {
	Name   string
	Format string // name of an export.Format
	File   string // path
	Kafka  string // topic
	HTTPS  string // URL
	Syslog string // host:port

	Token     secret.Secret // of HTTPS; zero: none
	TokenType string
	Signs     secret.Secret // of HTTPS; zero: requests are not signed
	TLS       *broker.TLS   // of Syslog
}

var exportKeys = []settings.Setting{
	{Name: "name", Type: settings.TypeText, Required: true,
		Text: "Name of the place, for metrics. The ledger keeps by it how far the place has got the record: with another name, it gets everything again.",
	},
	{Name: "format", Type: settings.TypeText, Default: export.JSONL.Name, Choices: export.Names(),
		Text: "`jsonl`: a row with its leaf, as JSON. `ocsf`: events of the Open Cybersecurity Schema Framework 1.8.0, as JSON. `cef`: the Common Event Format.",
	},
	{Name: "file", Type: settings.TypeText,
		Text: "Path of a file to which rows are added, one a line. It is opened anew each time, so it may be renamed by whoever rotates it. It is on the machine of the worker that exports; if there are several, put it where all of them reach it.",
	},
	{Name: "kafka", Type: settings.TypeText,
		Text: "Topic of `kafka.brokers`. All rows have the same key, so that they are in one partition, in their order.",
	},
	{Name: "https", Type: settings.TypeText,
		Text: "URL to which rows are posted, one a line. Any status of 2xx says that they were taken.",
	},
	{Name: "token", Type: settings.TypeCredential, Text: "With `https`: sent in the header `Authorization`. Must be a secret."},
	{Name: "tokenType", Type: settings.TypeText, Default: "Bearer", Text: "What stands before the token, such as `Splunk`."},
	{Name: "secret", Type: settings.TypeCredential,
		Text: "With `https`: signs each request, as Standard Webhooks specify: `whsec_` and 24 to 64 bytes in base64. Must be a secret.",
	},
	{Name: "syslog", Type: settings.TypeAddress,
		Text: "Address of a syslog receiver, host:port, that speaks TLS (RFC 5425) and RFC 5424. Allow it messages of 200 KB.",
	},
	{Name: "tls", Type: settings.TypeMapping,
		Text: "With `syslog`: whose certificates are trusted, and who signs in. The files are read again for each new connection.",
		Keys: []settings.Setting{
			{Name: "enabled", Type: settings.TypeBool, Default: true, Text: "Must be true: the record is sent encrypted only."},
			{Name: "ca", Type: settings.TypeFile, Text: "PEM file of the certificate authorities of the receiver. Default: those that the system trusts."},
			{Name: "certificate", Type: settings.TypeFile, With: "key", Text: "PEM file of the client certificate, with its chain. Needs `key`."},
			{Name: "key", Type: settings.TypeFile, With: "certificate", Text: "PEM file of the certificate's private key."},
			{Name: "serverName", Type: settings.TypeText, Text: "The name that the receiver's certificate has to have. Default: the host of its address."},
		},
	},
}

// readExports reads the list audit.export.
func readExports(v value) (all []AuditExport) {
	v.list(func(v value) {
		x := readExport(v)
		if x.Name != "" && slices.ContainsFunc(all, func(other AuditExport) bool { return other.Name == x.Name }) {
			v.failf("there are two places with the name %q", x.Name)
		}
		all = append(all, x)
	})
	return all
}

func readExport(v value) AuditExport {
	x := AuditExport{TLS: &broker.TLS{}}
	v.mapping(
		into("name", &x.Name),
		on("format", func(v value) { x.Format = v.choice("format") }),
		on("file", func(v value) {
			if path := v.text(); path != "" {
				x.File = v.l.relative(path)
			}
		}),
		on("kafka", func(v value) { x.Kafka = v.text() }),
		on("https", func(v value) {
			x.HTTPS = v.httpURL()
			if u, err := url.Parse(x.HTTPS); err == nil && u.Scheme == "http" && remote.Exposed(u.Hostname()) {
				v.failf("must begin with https://: the record would be sent for everybody on the way to read")
			}
		}),
		into("token", &x.Token),
		into("tokenType", &x.TokenType),
		on("secret", func(v value) {
			x.Signs = v.typed().(secret.Secret)
			v.checkSecret(x.Signs, func(text string) string {
				if _, err := signature.Key(text); err != nil {
					return err.Error()
				}
				return ""
			})
		}),
		into("syslog", &x.Syslog),
		on("tls", func(v value) {
			if x.TLS = readTLS(v); x.TLS == nil && !v.l.failedWithin(v.path) {
				v.failf("must be enabled: the record is sent encrypted only")
			}
		}),
	)
	if v.l.failedWithin(v.path) || v.l.failed(v.path) {
		return x
	}
	set := 0
	for _, text := range []string{x.File, x.Kafka, x.HTTPS, x.Syslog} {
		if text != "" {
			set++
		}
	}
	switch {
	case set != 1:
		v.failf("must have one of file, kafka, https and syslog")
	case x.HTTPS == "" && (!x.Token.IsZero() || !x.Signs.IsZero()):
		v.failf("token and secret are of use with https only")
	case x.Syslog == "" && *x.TLS != (broker.TLS{}):
		v.failf("tls is of use with syslog only")
	}
	return x
}
