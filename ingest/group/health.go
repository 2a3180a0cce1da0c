package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Ready fails while the consumer is of no use, and says why: it is not a member
// of its group, or a partition of its is stuck. What it waits for (the ledger,
// Temporal) is better asked itself.
func (c *Member) Ready(context.Context) error {
	if since := c.membership.lost(); !since.IsZero() {
		return fmt.Errorf("not a member of the consumer group %q, for %s", c.group, time.Since(since).Round(time.Second))
	}
	if stuck := c.alarms.list(); len(stuck) > 0 {
		return errors.New("stuck: " + strings.Join(stuck, "; "))
	}
	return nil
}

// Alive fails when only a new process can help: calls do not return that were
// given up long ago.
func (c *Member) Alive(context.Context) error {
	return c.conn.Overdue(c.tuning.StuckAfter)
}

// isMember notes that the consumer is a member of its group, or is not.
func (c *Member) isMember(member bool) {
	c.membership.set(member)
	c.metrics.member.Set(0)
	if member {
		c.metrics.member.Set(1)
	}
}

// membership is since when the consumer has (not) been a member of its group. It
// is none to begin with.
type membership struct {
	mu    sync.Mutex
	since time.Time // of not being one; zero: it is one
}

func newMembership() *membership { return &membership{since: time.Now()} }

func (m *membership) set(member bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case member:
		m.since = time.Time{}
	case m.since.IsZero():
		m.since = time.Now()
	}
}

// lost is since when the consumer has not been a member; zero if it is one.
func (m *membership) lost() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// alarms holds what is wrong with partitions, by name.
type alarms struct {
	mu   sync.Mutex
	text map[string]string
}

func (a *alarms) raise(partition, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.text == nil {
		a.text = map[string]string{}
	}
	a.text[partition] = text
}

func (a *alarms) clear(partition string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.text, partition)
}

// list is one line for each, in order.
func (a *alarms) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := make([]string, 0, len(a.text))
	for partition, text := range a.text {
		lines = append(lines, partition+": "+text)
	}
	slices.Sort(lines)
	return lines
}
