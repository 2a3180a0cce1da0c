package scale

import (
	"context"
	"database/sql"
)

// index is a B-tree of PostgreSQL: how many blocks lie above its leaves, and what was done with it.
type index struct {
	levels  int64
	looks   int64 // look-ups
	entries int64 // versions of rows that an entry was made for
}

// indexes are those of a database, by their names.
type indexes map[string]index

// readIndexes reads the B-trees of a database. Its sessions have left what they counted.
func readIndexes(ctx context.Context, db *sql.DB) (indexes, error) {
	// An entry in a partial index is made for some of the rows, and of none it is known for which.
	rows, err := db.QueryContext(ctx, `SELECT s.indexrelname, (bt_metap(s.indexrelid::regclass::text)).fastlevel, s.idx_scan,
			CASE WHEN i.indpred IS NULL THEN t.n_tup_ins + t.n_tup_upd - t.n_tup_hot_upd ELSE 0 END
		FROM pg_stat_user_indexes s JOIN pg_stat_user_tables t ON t.relid = s.relid JOIN pg_index i ON i.indexrelid = s.indexrelid
			JOIN pg_class c ON c.oid = s.indexrelid JOIN pg_am m ON m.oid = c.relam
		WHERE m.amname = 'btree'`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := indexes{}
	for rows.Next() {
		var name string
		var i index
		if err := rows.Scan(&name, &i.levels, &i.looks, &i.entries); err != nil {
			return nil, err
		}
		all[name] = i
	}
	return all, rows.Err()
}

// since returns what was done with the indexes, at the depth they had before.
func (x indexes) since(before indexes) indexes {
	done := indexes{}
	for name, now := range x {
		b, there := before[name]
		if !there {
			b = index{levels: now.levels}
		}
		done[name] = index{b.levels, now.looks - b.looks, now.entries - b.entries}
	}
	return done
}

// deeper is how many blocks more are looked at than with the small indexes, for no other reason
// than that indexes have more levels: one for each look-up and entry, and level.
func (x indexes) deeper(small indexes) (blocks int64) {
	for name, large := range x {
		if s, there := small[name]; there {
			blocks += (large.looks + large.entries) * (large.levels - s.levels)
		}
	}
	return blocks
}
