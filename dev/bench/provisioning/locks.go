package provisioning

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// waitsAreLogged are the settings with which PostgreSQL logs each wait for a lock that takes longer
// than a millisecond, as locksIn reads it.
var waitsAreLogged = []string{"log_lock_waits=on", "deadlock_timeout=1ms", "log_line_prefix=%d|"}

// Locks tells how sessions of a database got in each other's way.
type Locks struct {
	// Waits are those for a lock that took longer than a millisecond, and Waited is how long they
	// took together.
	Waits     int            `json:"waits"`
	Waited    time.Duration  `json:"waitedNanoseconds"`
	Deadlocks int            `json:"deadlocks"`
	Conflicts int            `json:"conflicts"` // transactions that could not be serialized
	Refused   int            `json:"refused"`   // other errors
	By        map[string]int `json:"by"`        // the waits, by the beginning of the statement
}

// The messages of PostgreSQL of waits.
var (
	waits    = regexp.MustCompile(`^process \d+ still waiting for `)
	acquired = regexp.MustCompile(`^process \d+ acquired .* after ([0-9.]+) ms`)
)

// longestStatement is how much is shown of one.
const longestStatement = 90

// locksIn reads PostgreSQL's log, and returns what it says, by database.
func locksIn(log io.Reader) (map[string]*Locks, error) {
	all := map[string]*Locks{}
	waiting := map[string]bool{} // databases whose last message was of a wait, whose statement follows
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		database, rest, ok := strings.Cut(lines.Text(), "|")
		level, text, message := strings.Cut(rest, ":  ")
		if !ok || !message || database == "" || strings.HasPrefix(database, "\t") {
			continue // of the server itself, or more of the statement
		}
		l := all[database]
		if l == nil {
			l = &Locks{By: map[string]int{}}
			all[database] = l
		}
		switch level {
		case "LOG":
			waiting[database] = waits.MatchString(text)
			if waiting[database] {
				l.Waits++
			} else if m := acquired.FindStringSubmatch(text); m != nil {
				ms, _ := strconv.ParseFloat(m[1], 64)
				l.Waited += time.Duration(ms * float64(time.Millisecond))
			}
		case "ERROR", "FATAL":
			waiting[database] = false
			switch {
			case strings.HasPrefix(text, "deadlock detected"):
				l.Deadlocks++
			case strings.HasPrefix(text, "could not serialize access"):
				l.Conflicts++
			default:
				l.Refused++
			}
		case "STATEMENT":
			if waiting[database] {
				text = strings.Join(strings.Fields(text), " ")
				l.By[text[:min(len(text), longestStatement)]]++
			}
			waiting[database] = false
		}
	}
	return all, lines.Err()
}

// most returns the statements that waited most often.
func (l Locks) most(n int) []string {
	all := slices.SortedFunc(maps.Keys(l.By), func(a, b string) int { return cmp.Or(cmp.Compare(l.By[b], l.By[a]), cmp.Compare(a, b)) })
	return all[:min(n, len(all))]
}

// logFrom returns what was added to a log, and how long it is now.
func logFrom(path string, from int64) (string, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = file.Close() }() // it was read
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return "", 0, err
	}
	text, err := io.ReadAll(file)
	return string(text), from + int64(len(text)), err
}

// Activity counts what sessions that are at work were seen to wait for, by PostgreSQL's kinds of waits.
// Those that waited for nothing, or for a processor, are under "".
type Activity map[string]int

// share is how much of the time somebody who was at work waited for something of this kind.
func (a Activity) share(kind string) float64 {
	all := 0
	for _, n := range a {
		all += n
	}
	return float64(a[kind]) / float64(max(all, 1))
}

// lookAtSessions is how often sessions are looked at.
const lookAtSessions = 50 * time.Millisecond

// watchSessions looks at the sessions of a server until stop is called, which returns what was seen,
// by database.
func watchSessions(ctx context.Context, url string) (stop func() (map[string]Activity, error), err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	seen := map[string]Activity{}
	var failed error
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookAtSessions):
			}
			if err := lookAt(ctx, conn, seen); err != nil && ctx.Err() == nil {
				failed = err
				return
			}
		}
	})
	return func() (map[string]Activity, error) {
		cancel()
		all.Wait()
		_ = conn.Close(context.WithoutCancel(ctx))
		return seen, failed
	}, nil
}

func lookAt(ctx context.Context, conn *pgx.Conn, seen map[string]Activity) error {
	rows, err := conn.Query(ctx, `SELECT datname::text, coalesce(wait_event_type, ''), count(*)::int FROM pg_stat_activity
		WHERE state = 'active' AND datname IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1, 2`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var database, kind string
		var n int
		if err := rows.Scan(&database, &kind, &n); err != nil {
			return err
		}
		if seen[database] == nil {
			seen[database] = Activity{}
		}
		seen[database][kind] += n
	}
	return rows.Err()
}
