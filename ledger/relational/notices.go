package relational

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

const noticeColumns = `id, kind, about, person_id, app, occasion, recipient, urgent, made_at, send_at, state, attempts, message,
	first_at, tried_at, why, ended_at`

// noticeDest lists the fields that noticeColumns are scanned into.
func noticeDest(n *ledger.Notice) []any {
	return []any{
		&n.ID, &n.Kind, &n.About, &n.PersonID, &n.App, &n.Occasion, &n.To, &n.Urgent, instant{&n.MadeAt}, instant{&n.SendAt},
		&n.State, &n.Attempts, &n.Message, instant{&n.FirstAt}, instant{&n.TriedAt}, &n.Why, instant{&n.EndedAt},
	}
}

// Notices implements ledger.NoticeReader.
func (s *Store) Notices(ctx context.Context, f ledger.NoticeFilter, after int64, limit int) ([]ledger.Notice, error) {
	query, args := `SELECT `+noticeColumns+` FROM notices WHERE id > ?`, []any{after}
	where := func(condition string, more ...any) { query, args = query+` AND `+condition, append(args, more...) }
	if f.ID != 0 {
		where(`id = ?`, f.ID)
	}
	if f.Kind != "" {
		where(`kind = ?`, f.Kind)
	}
	if f.To != "" {
		where(`recipient = ?`, f.To)
	}
	if f.About != "" {
		where(`about = ?`, f.About)
	}
	if len(f.States) > 0 {
		where(`state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if !f.DueBy.IsZero() {
		where(`state = 'waiting' AND send_at <= ?`, f.DueBy.UnixMicro())
	}
	found, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), noticeDest)
	return found, s.explain(err)
}

// CountNotices implements ledger.NoticeReader.
func (s *Store) CountNotices(ctx context.Context, since time.Time) (ledger.NoticeCounts, error) {
	type row struct {
		state ledger.NoticeState
		n     int
	}
	var counts ledger.NoticeCounts
	rows, err := list(ctx, s.engine, `SELECT state, count(*) FROM notices WHERE state IN ('waiting', 'failed') GROUP BY state
		UNION ALL SELECT '', count(DISTINCT message) FROM notices WHERE tried_at > ?`, []any{since.UnixMicro()},
		func(r *row) []any { return []any{&r.state, &r.n} })
	for _, r := range rows {
		switch r.state {
		case ledger.NoticeWaiting:
			counts.Waiting = r.n
		case ledger.NoticeFailed:
			counts.Failed = r.n
		default:
			counts.Messages = r.n
		}
	}
	return counts, s.explain(err)
}

// Notify implements ledger.Notices.
func (s *Store) Notify(ctx context.Context, notices []ledger.Notice) error {
	return s.write(ledger.WithNotices(ctx, notices...), func(*Tx) error { return nil })
}

// tell stores the notices of a call. Those that are there already stay as they are.
func (t *Tx) tell(notices []ledger.Notice) error {
	for _, n := range notices {
		about := t.named
		if n.About != "" {
			about = []string{n.About}
		}
		for _, name := range about {
			n.About = name
			if err := t.putNotice(n); err != nil {
				return fmt.Errorf("store a notice: %w", err)
			}
		}
	}
	return nil
}

func (t *Tx) putNotice(n ledger.Notice) error {
	if n.Kind == "" || n.To == "" || n.MadeAt.IsZero() {
		return fmt.Errorf("%w: it needs a kind, a recipient and a time", ledger.ErrRefused)
	}
	send := n.SendAt
	if send.Before(n.MadeAt) {
		send = n.MadeAt
	}
	return t.exec(`INSERT INTO notices (key, kind, about, person_id, app, occasion, recipient, urgent, made_at, send_at, state, attempts, message, why)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, '', '') ON CONFLICT (key) DO NOTHING`,
		n.Key(), n.Kind, n.About, n.PersonID, n.App, n.Occasion, n.To, n.Urgent, micros(n.MadeAt), micros(send))
}

// SendingNotices implements ledger.Notices.
func (s *Store) SendingNotices(ctx context.Context, l ledger.Lease, sending ledger.Sending) error {
	if sending.Message == "" || len(sending.Notices) == 0 {
		return fmt.Errorf("%w: a message needs an ID and notices", ledger.ErrRefused)
	}
	return s.write(ctx, func(t *Tx) error {
		if err := t.holds(l); err != nil {
			return err
		}
		for _, id := range sending.Notices {
			n, err := t.change(`UPDATE notices SET attempts = attempts + 1, message = ?1, first_at = coalesce(first_at, ?2), tried_at = ?2, send_at = ?3
				WHERE id = ?4 AND state = 'waiting'`, sending.Message, micros(sending.At), micros(sending.Next), id)
			if err == nil && n == 0 {
				err = ledger.ErrStale
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SettleNotices implements ledger.Notices.
func (s *Store) SettleNotices(ctx context.Context, l ledger.Lease, settled []ledger.Settled) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.holds(l); err != nil {
			return err
		}
		for _, e := range settled {
			var ended any
			if e.State != ledger.NoticeWaiting {
				ended = micros(e.At)
			}
			err := t.exec(`UPDATE notices SET state = ?, why = ?, ended_at = ?, send_at = coalesce(?, send_at) WHERE id = ? AND state = 'waiting'`,
				string(e.State), e.Why, ended, micros(e.SendAt), e.ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// RetryNotices implements ledger.Notices.
func (s *Store) RetryNotices(ctx context.Context, r ledger.NoticeRetry) (again []ledger.Notice, err error) {
	if r.Operator == "" || r.Reason == "" {
		return nil, errors.New("ledger: who sends notices again, and why, has to be said")
	}
	err = s.write(ctx, func(t *Tx) error {
		again = nil
		for _, id := range r.IDs {
			var n ledger.Notice
			found, err := t.get(`UPDATE notices SET state = 'waiting', send_at = ?1, first_at = NULL, ended_at = NULL
				WHERE id = ?2 AND state = 'failed' RETURNING `+noticeColumns, []any{micros(r.At), id}, noticeDest(&n)...)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			again = append(again, n)
			err = t.putAudit(ledger.AuditRow{
				At: r.At, PersonID: n.PersonID, App: n.App, Action: "notice_retried", Actor: r.Operator, Cause: r.Reason,
				Detail: map[string]any{"notice": n.Name(), "kind": n.Kind, "about": n.About},
			}, "notice:"+n.Name(), 0)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return again, nil
}
