package worker

import (
	"crypto/tls"
	"net/http"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/audit/exporter"
	"github.com/tenurehq/tenure/audit/sink"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/service"
)

// newExporters returns what sends the audit record to each place of audit.export.
func newExporters(cfg *config.Config, o Options, kafka *auditKafka, failed func(place string)) (all []*exporter.Exporter, err error) {
	client := &http.Client{Timeout: auditTimeout}
	for _, x := range cfg.Audit.Export {
		format, _ := export.Named(x.Format) // there is one of each name
		e := &exporter.Exporter{
			Ledger: o.Ledger, Origin: cfg.Audit.Origin, Place: x.Name, Format: format, Version: service.Version(),
			Every: cfg.Audit.Every, Clock: cfg.Clock(), Log: o.Log, Failed: failed,
		}
		switch {
		case x.File != "":
			e.Sink = sink.File{Path: x.File}
		case x.HTTPS != "":
			e.Sink = sink.HTTPS{URL: x.HTTPS, ContentType: format.ContentType, Token: x.Token, TokenType: x.TokenType, Signs: x.Signs, Client: client}
		case x.Syslog != "":
			e.Sink = sink.Syslog{Address: x.Syslog, TLS: func() (*tls.Config, error) { return x.TLS.Settings(x.Syslog, "audit.export."+x.Name+".tls") }}
		case x.Kafka != "":
			publisher, err := kafka.publisher()
			if err != nil {
				return nil, err
			}
			e.Sink = sink.Kafka{Topic: x.Kafka, Key: cfg.Audit.Origin, Publisher: publisher}
		}
		all = append(all, e)
	}
	return all, nil
}

// exportsOf lists the names of the places that the audit record is sent to.
func exportsOf(a config.Audit) (names []string) {
	for _, x := range a.Export {
		names = append(names, x.Name)
	}
	return names
}
