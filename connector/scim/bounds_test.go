package scim_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
)

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever a hostile service answers, it makes only its own call fail and uses bounded memory.
func TestHostileAnswersAreBounded(t *testing.T) {
	const megabyte = 1 << 20
	user := func(id int, more string) string {
		return fmt.Sprintf(`{"id":"%d","userName":"ada","externalId":"10004","active":true%s}`, id, more)
	}
	list := func(total int, users ...string) string {
		return fmt.Sprintf(`{"totalResults":%d,"Resources":[%s]}`, total, strings.Join(users, ","))
	}
	amplified := user(1, `,"x":[{}`+strings.Repeat(",{}", 5*megabyte)+"]")
	for name, c := range map[string]struct {
		answer func(page int) string
		call   func(*testing.T, connector.Connector) error
		want   string
		pages  int64 // at most
	}{
		"one account of 15 MB, read": {
			answer: func(int) string { return amplified },
			call: func(t *testing.T, c connector.Connector) error {
				_, err := c.Read(t.Context(), "1")
				return err
			},
			want: "an account takes more than 1 MB", pages: 1,
		},
		"one account of 15 MB, found": {
			answer: func(int) string { return list(1, amplified) },
			call:   find, want: "an account takes more than 1 MB", pages: 1,
		},
		"a page without end": {
			answer: func(int) string { return list(1, strings.Repeat(user(1, "")+",", 20*megabyte/60)+user(1, "")) },
			call:   find, want: "longer than 16 MB", pages: 1,
		},
		"one person's accounts without end": {
			answer: func(page int) string {
				var users []string
				for i := range 90 {
					users = append(users, user(page*100+i, ""))
				}
				return list(2_000_000_000, users...)
			},
			call: find, want: "more than 100 accounts by one person's externalId", pages: 2,
		},
		"everybody, one by one, whoever is looked for": {
			answer: func(page int) string {
				return list(2_000_000_000, strings.ReplaceAll(user(page, ""), "10004", "another"))
			},
			call: find, want: "the look-up by externalId was given up after 100 pages: the app does not seem to heed the filter, and sends everything. " +
				"Have it filter by externalId, or say filterExternalID: false", pages: 100,
		},
		"everybody, one by one, whatever their name": {
			answer: func(page int) string {
				return list(2_000_000_000, fmt.Sprintf(`{"id":"%d","userName":"u%d"}`, page, page))
			},
			call: func(t *testing.T, c connector.Connector) error {
				_, err := c.Find(t.Context(), connector.Keys{Username: "ada"})
				return err
			},
			want: "Have it filter by userName", pages: 100,
		},
		"an ID without end": {
			answer: func(int) string {
				return list(1, `{"id":"`+strings.Repeat("x", megabyte/2)+`","userName":"ada","externalId":"10004"}`)
			},
			call: find, want: "not SCIM", pages: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var pages atomic.Int64
			hostile := handling(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.URL.Path, "/Users") {
					http.NotFound(w, r)
					return
				}
				_, _ = io.WriteString(w, c.answer(int(pages.Add(1))))
			})
			var err error
			used := allocated(func() { err = c.call(t, hostile) })
			failed := failure(t, err)
			assert.Equal(t, connector.KindInvalid, failed.Kind)
			assert.Contains(t, failed.Message, c.want)
			assert.LessOrEqual(t, pages.Load(), c.pages)
			assert.Less(t, used, uint64(400*megabyte))
		})
	}
}

func find(t *testing.T, c connector.Connector) error {
	_, err := c.Find(t.Context(), connector.Keys{PersonID: "10004", Username: "ada"})
	return err
}
