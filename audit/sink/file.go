// Package sink takes the exported audit record to where it belongs: into a file, to an HTTPS
// endpoint, to a syslog receiver over TLS, into a Kafka topic.
package sink

import (
	"bytes"
	"context"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/internal/durable"
)

// lines returns messages with a line feed after each.
func lines(messages []export.Message) []byte {
	var out bytes.Buffer
	for _, m := range messages {
		out.Write(m.Text)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// File adds messages to a file, one a line: see durable.Append. Of a line that was cut when the
// machine stopped, what it said comes again.
type File struct{ Path string }

// Send implements exporter.Sink. The messages are on the disk when it returns.
func (f File) Send(_ context.Context, messages []export.Message) error {
	return durable.Append(f.Path, 0o600, lines(messages))
}
