package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// server describes a cluster and how to sign in to it.
type server struct {
	url      string
	password secret.Secret
	timeout  time.Duration // of a connection's work
	answers  *remote.Answers
	pace     func(context.Context) error
}

// transact calls work in a transaction on a connection of its own. An empty database stands
// for the one in the url. Every error that it returns is a *connector.Error.
func (s *server) transact(ctx context.Context, op, database string, work func(context.Context, pgx.Tx) error) error {
	return s.session(ctx, op, database, func(ctx context.Context, conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return work(ctx, tx) })
	})
}

// session calls work on a connection of its own, like transact without the transaction.
func (s *server) session(ctx context.Context, op, database string, work func(context.Context, *pgx.Conn) error) error {
	if s.pace != nil {
		if err := s.pace(ctx); err != nil {
			return s.failure(ctx, op, err)
		}
	}
	within, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	bounds := &meter{answers: s.answers}
	defer bounds.end()
	conn, err := s.connect(within, op, database, bounds)
	if err == nil {
		err = work(within, conn)
		const goodbye = time.Second
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		_ = conn.Close(end) // the server has answered all that was asked
	}
	return s.failure(ctx, op, bounds.verdict(op, err))
}

func (s *server) connect(ctx context.Context, op, database string, bounds *meter) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		return nil, connector.Invalid(op, "the url setting cannot be used any more: check the files that it names")
	}
	if config.Password, err = s.password.Reveal(); err != nil {
		return nil, remote.NoSecret(op, "password", err)
	}
	if database != "" {
		config.Database = database
	}
	config.RuntimeParams["application_name"] = "tenure"
	// Lets the server end statements that nobody waits for any more.
	config.RuntimeParams["statement_timeout"] = strconv.FormatInt(max(s.timeout.Milliseconds(), 1), 10)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // nothing is asked twice on a connection
	bounds.bound(ctx, config)
	return pgx.ConnectConfig(ctx, config)
}
