package postgres

import (
	"context"
	"fmt"

	"github.com/tenurehq/tenure/ledger/relational"
)

// Scrub implements ledger.Privacy. The server keeps rows that were emptied or removed until they
// are vacuumed. Its write-ahead log and its backups are not in the ledger's hands.
func (s *Store) Scrub(ctx context.Context) error {
	for _, table := range relational.Holdings() {
		if _, err := s.db.ExecContext(ctx, `VACUUM "`+table+`"`); err != nil {
			return s.at.explain(fmt.Errorf("scrub: %w", err))
		}
	}
	return nil
}
