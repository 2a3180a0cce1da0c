package relational

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNumbered(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT 1`:                             `SELECT 1`,
		`a = ? AND b = ?`:                      `a = $1 AND b = $2`,
		`a = ?2 AND b = ? AND c = ?1`:          `a = $2 AND b = $3 AND c = $1`,
		`VALUES (?, ?, 'open?', ?3, ?3, ?12)`:  `VALUES ($1, $2, 'open?', $3, $3, $12)`,
		`"odd?" = ? AND 'it''s?' <> ? LIMIT ?`: `"odd?" = $1 AND 'it''s?' <> $2 LIMIT $3`,
		`?`:                                    `$1`,
	} {
		assert.Equal(t, want, Numbered(query), query)
		assert.Equal(t, want, Numbered(query), "again")
	}
}
