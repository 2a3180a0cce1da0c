package relational

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// knownQuery looks up many IDs of one source (?2) at once, given as a JSON array
// (?1): a query for each would cost three times as much. The join's order is that
// of the array, since there may be millions of events.
func knownQuery(d Dialect) string {
	return `SELECT wanted.key, e.seq, e.delivered, e.topic, e.partition, e."offset"
		FROM ` + d.Array + ` AS wanted CROSS JOIN events AS e WHERE e.source = ?2 AND e.id = wanted.value`
}

// Known implements ledger.Intake. It reads, so it waits for no writer.
func (s *Store) Known(ctx context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	known := make([]ledger.Known, len(keys))
	ids, places := map[string][]string{}, map[string][]int{} // by source; places are in keys
	for i, k := range keys {
		ids[k.Source] = append(ids[k.Source], k.ID)
		places[k.Source] = append(places[k.Source], i)
	}
	for source := range ids {
		if err := s.knownOf(ctx, source, ids[source], places[source], known); err != nil {
			return nil, s.explain(fmt.Errorf("look up %d events: %w", len(keys), err))
		}
	}
	return known, nil
}

// knownOf fills in what is known of one source's events.
func (s *Store) knownOf(ctx context.Context, source string, ids []string, places []int, known []ledger.Known) error {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := s.engine.QueryContext(ctx, s.known, string(wanted), source)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what it may say, Err says
	for rows.Next() {
		var place int
		var k ledger.Known
		if err := rows.Scan(&place, &k.Seq, &k.Delivered, &k.Topic, &k.Partition, &k.Offset); err != nil {
			return err
		}
		known[places[place]] = k
	}
	return rows.Err()
}
