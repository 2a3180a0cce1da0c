// Package sink takes the exported audit record to where it belongs: into a file, to an HTTPS
// endpoint, to a syslog receiver over TLS, into a Kafka topic.
package sink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/tenurehq/tenure/audit/export"
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

// File adds messages to a file, one a line. It opens the file each time: whoever renames it, as
// logrotate does, gets a new one with the next messages. The file may be one to which can
// only be added.
type File struct{ Path string }

// Send implements exporter.Sink. The messages are on the disk when it returns.
func (f File) Send(_ context.Context, messages []export.Message) error {
	_, err := os.Lstat(f.Path)
	made := errors.Is(err, os.ErrNotExist)
	file, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = add(file, lines(messages))
	if err = errors.Join(err, file.Close()); err != nil || !made {
		return err
	}
	folder, err := os.Open(filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// add adds text and makes it durable. A line that was cut when the machine stopped is ended
// first; what it said comes again.
func add(file *os.File, text []byte) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	return file.Sync()
}
