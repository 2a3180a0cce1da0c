package postgres_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/postgres"
)

// hostile returns a connector to a server that lets a client sign in, and calls answer to
// answer each query.
func hostile(t *testing.T, answer func(net.Conn)) connector.Connector {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go talk(conn, answer)
		}
	}()
	c, err := postgres.Kind.Open(t.Context(), connector.Env{App: "db"}, connector.Settings{
		"url": fmt.Sprintf("postgres://tenure@%s/postgres?sslmode=disable", listener.Addr()), "password": "abc", "grantable": []any{"*"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func talk(conn net.Conn, answer func(net.Conn)) {
	defer func() { _ = conn.Close() }()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if backend.Flush() != nil {
		return
	}
	for {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, asked := message.(*pgproto3.Sync); asked {
			answer(conn)
			backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			if backend.Flush() != nil {
				return
			}
		}
	}
}

func encode(messages ...pgproto3.BackendMessage) (raw []byte) {
	for _, message := range messages {
		raw, _ = message.Encode(raw)
	}
	return raw
}

func send(conn net.Conn, messages ...pgproto3.BackendMessage) { _, _ = conn.Write(encode(messages...)) }

// flood sends a message until nobody listens any more.
func flood(conn net.Conn, message pgproto3.BackendMessage) {
	raw := encode(message)
	raw = bytes.Repeat(raw, 64<<10/len(raw))
	for {
		if _, err := conn.Write(raw); err != nil {
			return
		}
	}
}

const (
	oidOID       = 26
	textOID      = 25
	boolOID      = 16
	int8OID      = 20
	textArrayOID = 1009
)

// shape describes columns of these types.
func shape(format int16, types ...uint32) *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{}
	for i, oid := range types {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: fmt.Appendf(nil, "c%d", i), DataTypeOID: oid, Format: format, DataTypeSize: -1})
	}
	return d
}

var accounts = shape(0, oidOID, textOID, textOID, boolOID, int8OID, textOID, textOID, textOID)

func row(values ...string) *pgproto3.DataRow {
	d := &pgproto3.DataRow{}
	for _, value := range values {
		d.Values = append(d.Values, []byte(value))
	}
	return d
}

func begin(conn net.Conn, d *pgproto3.RowDescription) {
	send(conn, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, d)
}

func account(oid int, comment, groups string) *pgproto3.DataRow {
	return row(fmt.Sprint(oid), "ada", comment, "t", "-1", "", "[]", groups)
}

// Whatever a hostile server sends, it makes only its own call fail and uses bounded memory.
func TestHostileServersAreBounded(t *testing.T) {
	const megabyte = 1 << 20
	find := func(t *testing.T, c connector.Connector) error {
		_, err := c.Find(t.Context(), connector.Keys{PersonID: "10004", Username: "ada"})
		return err
	}
	entitlements := func(t *testing.T, c connector.Connector) error {
		for _, err := range c.Entitlements(t.Context()) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		answer func(net.Conn)
		call   func(*testing.T, connector.Connector) error
		want   string
	}{
		"a message that claims a gigabyte": {
			answer: func(conn net.Conn) {
				begin(conn, accounts)
				claim := append([]byte{'D'}, binary.BigEndian.AppendUint32(nil, 1<<30-16)...)
				_, _ = conn.Write(claim)
			},
			call: find, want: "an account takes more than 1 MB",
		},
		"an account of 15 MB": {
			answer: func(conn net.Conn) {
				begin(conn, accounts)
				send(conn, account(20000, strings.Repeat("x", 15*megabyte), "[]"))
			},
			call: find, want: "an account takes more than 1 MB",
		},
		"accounts without end": {
			answer: func(conn net.Conn) {
				begin(conn, accounts)
				flood(conn, account(20000, "tenure:10004", "[]"))
			},
			call: find, want: "more than 100 to one look-up",
		},
		"names without end": {
			answer: func(conn net.Conn) {
				begin(conn, shape(0, textOID))
				flood(conn, row(strings.Repeat("g", 63)))
			},
			call: entitlements, want: "more than 16 MB in one call",
		},
		"parameters without end": {
			answer: func(conn net.Conn) {
				for i := range 17_000 {
					send(conn, &pgproto3.ParameterStatus{Name: fmt.Sprint("p", i), Value: strings.Repeat("x", 1000)})
				}
			},
			call: find, want: "more than 16 MB in one call",
		},
		"notices without end": {
			answer: func(conn net.Conn) {
				flood(conn, &pgproto3.NotificationResponse{Channel: "x", Payload: strings.Repeat("x", 1000)})
			},
			call: find, want: "more than 16 MB in one call",
		},
		"an array that claims two thousand million": {
			answer: func(conn net.Conn) {
				var array []byte
				for _, word := range []uint32{1, 0, textOID, 1<<31 - 1, 1} {
					array = binary.BigEndian.AppendUint32(array, word)
				}
				begin(conn, shape(1, oidOID, textOID, textOID, boolOID, int8OID, textOID, textArrayOID, textArrayOID))
				send(conn, row("\x00\x00\x40\x00", "ada", "", "\x01", "\x00\x00\x00\x00\x00\x00\x00\x01", "", string(array), string(array)), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			},
			call: find, want: "the server",
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := hostile(t, c.answer)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.call(t, client)
			runtime.ReadMemStats(&after)
			var failed *connector.Error
			require.True(t, errors.As(err, &failed), "%v", err)
			assert.Contains(t, failed.Message, c.want)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200*megabyte))
		})
	}
}

// The bounds let the answers of an ordinary server through.
func TestAnOrdinaryServerIsHeard(t *testing.T) {
	client := hostile(t, func(conn net.Conn) {
		begin(conn, accounts)
		send(conn, account(20000, "Ada\ntenure:10004", `["writers","readers","readers"]`), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
	})
	found, err := client.Find(t.Context(), connector.Keys{PersonID: "10004"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, []string{"readers", "writers"}, found[0].Account.Entitlements)
	assert.Equal(t, "10004", found[0].Account.ExternalID)
}
