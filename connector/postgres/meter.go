package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

// The most that a server may send.
const (
	maxMessage = 1 << 20  // bytes of a message, such as a row, which holds one account
	maxSession = 16 << 20 // bytes of one call's connection: 500 accounts, or the names of 200,000 groups
	maxMatches = 100      // accounts that one look-up finds
)

var errTooMany = errors.New("more accounts than there may be")

// meter bounds what comes over the connections of one session.
type meter struct {
	answers *remote.Answers

	mu    sync.Mutex
	conns []*remote.Conn
	ends  []func()
}

// bound changes config so that its connections heed the bounds. ctx is the session's.
func (m *meter) bound(ctx context.Context, config *pgx.ConnConfig) {
	dial := config.DialFunc
	config.DialFunc = func(within context.Context, network, address string) (net.Conn, error) {
		raw, err := dial(within, network, address)
		if err != nil {
			return nil, err
		}
		conn := m.answers.Conn(raw)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.conns = append(m.conns, conn)
		m.ends = append(m.ends, conn.Begin(ctx, maxSession))
		return conn, nil
	}
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		frontend := pgproto3.NewFrontend(r, w)
		frontend.SetMaxBodyLen(maxMessage) // without it, pgproto3 allocates the length that a message claims
		return frontend
	}
}

// end releases what the session holds.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, end := range m.ends {
		end()
	}
}

// verdict returns err or, if a bound was crossed, an error that names the bound.
func (m *meter) verdict(op string, err error) error {
	var message *pgproto3.ExceededMaxBodyLenErr
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooMany):
		return connector.Invalid(op, "the server shows more accounts than were asked for, or more than %d to one look-up: check the url setting", maxMatches)
	case errors.As(err, &message):
		return connector.Invalid(op, "an account takes more than %d MB in the cluster: look at its comment, its parameters and its groups", maxMessage>>20)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.conns {
		if conn.TooLong() {
			return connector.Invalid(op, "the server sent more than %d MB in one call: check the url setting, and how many roles there are", maxSession>>20)
		}
	}
	return err
}
