package relational

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// micros returns an instant as it is stored: microseconds since 1970 UTC, and NULL for none.
// They reach far beyond the year 9999, which HR systems write for "no end".
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// instant scans what micros stored.
type instant struct{ to *time.Time }

func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("instant: %T", v)
	}
	return nil
}

// encoded returns a value as JSON; a nil map or list is "null".
func encoded(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// decode scans what encoded stored; NULL leaves the zero value.
type decode struct{ to any }

func (d decode) Scan(v any) error {
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("json: %T", v)
	}
	return json.Unmarshal([]byte(s), d.to)
}

// longestIndexed bounds the bytes of a name that the ledger keeps. PostgreSQL refuses a row
// whose indexed columns are together longer than 2704 bytes, and a name may become longer in
// lower case.
const longestIndexed = 512

// indexable returns the beginning of a name that an index has room for.
func indexable(name string) string {
	if len(name) <= longestIndexed {
		return name
	}
	end := longestIndexed
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// Storable returns a text that every database can hold: in UTF-8, without NUL. HR events are
// stored as JSON, which escapes NUL.
func Storable(s string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
}

// sorted returns a sorted copy without duplicates, or nil if that is empty.
func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// Numbered rewrites a query's parameters as $1, $2: ?2 is the second one, and ?
// the one after the highest before it.
func Numbered(query string) string {
	if known, ok := numbered.Load(query); ok {
		return known.(string)
	}
	rewritten := number(query)
	numbered.Store(query, rewritten)
	return rewritten
}

// numbered caches rewritten queries. There are not many: only a few have optional
// conditions.
var numbered sync.Map

func number(query string) string {
	var b strings.Builder
	highest, quote := 0, byte(0)
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote { // a doubled quote counts as the end of one text and the beginning of another
				quote = 0
			}
		case c == '\'', c == '"':
			quote = c
		case c == '?':
			end := i + 1
			for end < len(query) && query[end] >= '0' && query[end] <= '9' {
				end++
			}
			n, err := strconv.Atoi(query[i+1 : end])
			if err != nil {
				n = highest + 1
			}
			highest = max(highest, n)
			b.WriteString("$" + strconv.Itoa(n))
			i = end - 1
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// list reads every row of a query. dest returns the fields into which a row is scanned.
func list[T any](ctx context.Context, q Reader, query string, args []any, dest func(*T) []any) (found []T, err error) {
	err = answer(ctx, q, all(&found, query, args, dest))
	return found, err
}

// collect reads every row of a query inside a transaction.
func collect[T any](t *Tx, query string, args []any, dest func(*T) []any) (found []T, err error) {
	ask := all(&found, query, args, dest)
	if pipe, ok := t.conn.(Pipe); ok {
		if err := pipe.Later(query, args, ask.Read); err != nil {
			return nil, err
		}
		err = pipe.Flush()
		return found, err
	}
	rows, err := t.conn.Query(query, args...)
	if err != nil {
		return nil, err
	}
	err = ask.take(rows)
	return found, err
}

// marks returns a list of n parameters.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat(`?, `, n), `, `) }

func anys[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// span scans a number of microseconds.
type span struct{ to *time.Duration }

func (s span) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("span: %T", v)
	}
	*s.to = time.Duration(n) * time.Microsecond
	return nil
}
