package sink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/audit/export"
)

// Syslog sends messages to a syslog receiver over TLS: RFC 5425, with headers of RFC 5424.
//
// Syslog has no acknowledgement. So each batch has a connection of its own, which Syslog closes
// for writing; the messages count as sent when the receiver has closed it too, for it reads
// all that is there before it does. One that gives up closes TLS just so: but its system resets the
// connection if anything was left to read.
type Syslog struct {
	Address string                      // host:port
	TLS     func() (*tls.Config, error) // the settings of a new connection
}

// The facility is that of security and authorization messages (10); severities are notice and
// alert.
const (
	priorityNotice = 10*8 + 5
	priorityAlert  = 10*8 + 1
)

// Send implements exporter.Sink.
func (s Syslog) Send(ctx context.Context, messages []export.Message) (err error) {
	settings, err := s.TLS()
	if err != nil {
		return err
	}
	dialer := tls.Dialer{Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // what matters was said before
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	out := bufio.NewWriter(conn)
	for _, m := range messages {
		line := frame(m)
		_, _ = out.WriteString(strconv.Itoa(len(line)) + " " + line) // Flush returns the error
	}
	if err := out.Flush(); err != nil {
		return errors.Join(err, ctx.Err())
	}
	if err := conn.(*tls.Conn).CloseWrite(); err != nil {
		return errors.Join(err, ctx.Err())
	}
	_, err = io.Copy(io.Discard, conn)
	if err == nil {
		_, err = io.Copy(io.Discard, conn.(*tls.Conn).NetConn())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the receiver has not closed the connection after the last message: %w", err), ctx.Err())
	}
	return nil
}

// frame returns a message with its header.
func frame(m export.Message) string {
	priority := priorityNotice
	if m.Alarm {
		priority = priorityAlert
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return fmt.Sprintf("<%d>1 %s %s tenure - %s - %s", priority, m.At.UTC().Format("2006-01-02T15:04:05.000000Z"), word(host, 255), word(m.Action, 32), visibleText(string(m.Text)))
}

// word returns a text as a field of the header: visible ASCII without spaces.
func word(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return '_'
		}
		return c
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}

// visibleText returns a text without control characters. The formats have none; a receiver
// that writes lines must not depend on it.
func visibleText(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return ' '
		}
		return c
	}, text)
}
