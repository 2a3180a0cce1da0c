package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/bench/sheet"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/postgres"
	"github.com/tenurehq/tenure/ledger/relational"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// LedgerCost is what the ledger asked of its database for one change of some people.
type LedgerCost struct {
	Store  string           `json:"store"`
	Change string           `json:"change"`
	Apps   int              `json:"apps"`
	Steps  int              `json:"steps"` // of one person
	People int              `json:"people"`
	Spent  relational.Spent `json:"spent"` // for all of them
}

// metered is a ledger that counts what it asks of its database.
type metered interface {
	ledger.Ledger
	Spent() relational.Spent
}

// openLedger opens a new ledger: a file in a folder, or a database of the server at a URL, which
// end removes.
func openLedger(ctx context.Context, dir, server string) (_ metered, end func() error, err error) {
	if server == "" {
		l, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"))
		return l, func() error { return nil }, err
	}
	at, err := url.Parse(server)
	if err != nil {
		return nil, nil, errors.New("the URL of the PostgreSQL server cannot be read") // it has a password
	}
	name := fmt.Sprintf("tenure_bench_%d", time.Now().UnixNano())
	if err := ask(ctx, server, `CREATE DATABASE `+name); err != nil {
		return nil, nil, err
	}
	end = func() error {
		return ask(context.WithoutCancel(ctx), server, `DROP DATABASE `+name+` WITH (FORCE)`)
	}
	at.Path = "/" + name
	l, err := postgres.Open(ctx, at.String())
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return l, end, nil
}

// ask executes a statement on a connection of its own.
func ask(ctx context.Context, server, statement string) (err error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func (c LedgerCost) perStep(n int64) string {
	return fmt.Sprintf("%.1f", float64(n)/float64(c.People*c.Steps))
}

// printLedger prints what the ledger asked of its database.
func (r Report) printLedger(out io.Writer) {
	fmt.Fprintln(out, "\nWhat the ledger asks of its database for each step, with all that the change needs besides: events, assessments, delivery.")
	costs := sheet.Table(out, table.Row{"change", "apps", "ledger", "steps", "writing transactions", "synced commits", "reads", "statements", "round trips"})
	for _, c := range r.Ledger {
		costs.AppendRow(table.Row{
			c.Change, c.Apps, c.Store, c.Steps, c.perStep(c.Spent.Writes), c.perStep(c.Spent.Commits), c.perStep(c.Spent.Reads),
			c.perStep(c.Spent.Statements), c.perStep(c.Spent.RoundTrips),
		})
	}
	costs.Render()
}
