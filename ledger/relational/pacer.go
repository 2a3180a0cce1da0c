package relational

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// ReserveCalls implements ledger.Pacer.
func (s *Store) ReserveCalls(ctx context.Context, r ledger.CallReservation) (ledger.CallTurn, error) {
	if r.App == "" || r.Calls < 1 || r.Every <= 0 || r.Saved < 0 || r.Ahead < 0 {
		return ledger.CallTurn{}, fmt.Errorf("ledger: reserve calls of app %q: %w", r.App, errors.New("calls and time between them must be above zero"))
	}
	var turn ledger.CallTurn
	err := s.write(ctx, func(t *Tx) error {
		next, now, err := t.pace(r.App)
		if err != nil {
			return err
		}
		if next-now > int64(r.Farthest()) {
			next = now // the clock was set back: the calls before were made long ago
		}
		first := max(next, now-int64(r.Saved))
		if r.Ahead > 0 {
			first = max(first, now+int64(r.Ahead))
		}
		turn = ledger.CallTurn{At: time.Unix(0, first), Now: time.Unix(0, now)}
		return t.setPace(r.App, first+int64(r.Calls)*int64(r.Every))
	})
	return turn, err
}

// PauseCalls implements ledger.Pacer.
func (s *Store) PauseCalls(ctx context.Context, app string, pause time.Duration) error {
	return s.write(ctx, func(t *Tx) error {
		next, now, err := t.pace(app)
		if err != nil {
			return err
		}
		return t.setPace(app, max(next, now+int64(pause)))
	})
}

// CallWaits implements ledger.Pacer.
func (s *Store) CallWaits(ctx context.Context) (map[string]time.Duration, error) {
	type pace struct {
		app string
		at  moment
	}
	paces, err := list(ctx, s.engine, `SELECT app, next_at, `+s.dialect.now()+` FROM app_pace`, nil,
		func(p *pace) []any { return []any{&p.app, &p.at.nanos, &p.at.now} })
	if err != nil {
		return nil, s.explain(err)
	}
	waits := map[string]time.Duration{}
	for _, p := range paces {
		if left := p.at.left(); left > 0 {
			waits[p.app] = left
		}
	}
	return waits, nil
}

// pace returns when the app's next call may be made, and the current time. It locks the
// app's row, so that nobody else reserves calls until the transaction ends, and then reads
// the clock.
func (t *Tx) pace(app string) (next, now int64, err error) {
	// An upsert also locks a row that exists.
	_, err = t.get(`INSERT INTO app_pace (app, next_at) VALUES (?, 0)
		ON CONFLICT (app) DO UPDATE SET next_at = app_pace.next_at RETURNING next_at`, []any{app}, &next)
	if err != nil {
		return 0, 0, err
	}
	now, err = t.clock()
	return next, now, err
}

func (t *Tx) setPace(app string, next int64) error {
	return t.exec(`UPDATE app_pace SET next_at = ? WHERE app = ?`, next, app)
}
