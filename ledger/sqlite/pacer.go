package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// ReserveCalls implements ledger.Pacer. Processes that share the file share the
// machine's clock too. It is read when the write's turn has come.
func (s *Store) ReserveCalls(ctx context.Context, r ledger.CallReservation) (time.Duration, error) {
	if r.App == "" || r.Calls < 1 || r.Every <= 0 || r.Saved < 0 {
		return 0, fmt.Errorf("ledger: reserve calls of app %q: %w", r.App, errors.New("calls and time between them must be above zero"))
	}
	var from time.Duration
	err := s.write(ctx, func(t *tx) error {
		now, taken := time.Now().UnixNano(), int64(r.Calls)*int64(r.Every)
		var next int64
		_, err := t.get(`INSERT INTO app_pace (app, next_at) VALUES (?1, ?2 + ?3)
			ON CONFLICT (app) DO UPDATE SET next_at = max(next_at, ?2) + ?3
			RETURNING next_at`, []any{r.App, now - int64(r.Saved), taken}, &next)
		from = time.Duration(next - taken - now)
		return err
	})
	return from, err
}

// PauseCalls implements ledger.Pacer.
func (s *Store) PauseCalls(ctx context.Context, app string, pause time.Duration) error {
	return s.write(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO app_pace (app, next_at) VALUES (?1, ?2)
			ON CONFLICT (app) DO UPDATE SET next_at = max(next_at, ?2)`, app, time.Now().Add(pause).UnixNano())
	})
}
