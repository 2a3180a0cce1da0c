package relational

import (
	"strconv"
	"strings"
	"sync"
)

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

// numbered are the queries rewritten before. There are not many: conditions are
// added to a few.
var numbered sync.Map

func number(query string) string {
	var b strings.Builder
	highest, quote := 0, byte(0)
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote { // a doubled one ends the text and begins another
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
