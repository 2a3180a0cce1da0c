package relational

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// SaveLicences implements ledger.Licences.
func (s *Store) SaveLicences(ctx context.Context, app string, at time.Time, licences []ledger.Licence) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.exec(`DELETE FROM licences WHERE app = ?`, app); err != nil {
			return err
		}
		for _, l := range licences {
			if err := t.exec(`INSERT INTO licences (app, name, seats, used, awaited, counted_at) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (app, name) DO UPDATE SET seats = excluded.seats, used = excluded.used, awaited = excluded.awaited, counted_at = excluded.counted_at`,
				app, l.Name, l.Seats, l.Used, l.Awaited, micros(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Licences implements ledger.Licences.
func (s *Store) Licences(ctx context.Context) ([]ledger.Licence, error) {
	all, err := list(ctx, s.engine, `SELECT app, name, seats, used, awaited, counted_at FROM licences ORDER BY app, name`, nil,
		func(l *ledger.Licence) []any {
			return []any{&l.App, &l.Name, &l.Seats, &l.Used, &l.Awaited, instant{&l.CountedAt}}
		})
	return all, s.explain(err)
}
