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

// Ready returns an error while this is not a member of its group, or one of its
// partitions is stuck.
func (c *Member) Ready(context.Context) error {
	if since := c.membership.lost(); !since.IsZero() {
		return fmt.Errorf("not a member of the consumer group %q, for %s", c.group, time.Since(since).Round(time.Second))
	}
	if stuck := c.alarms.list(); len(stuck) > 0 {
		return errors.New("stuck: " + strings.Join(stuck, "; "))
	}
	return nil
}

// Alive returns an error when only a new process can help: calls that were given up
// long ago have not returned.
func (c *Member) Alive(context.Context) error {
	return c.conn.Overdue(c.tuning.StuckAfter)
}

// isMember notes whether this is a member of its group.
func (c *Member) isMember(member bool) {
	c.membership.set(member)
	c.metrics.member.Set(0)
	if member {
		c.metrics.member.Set(1)
	}
}

// membership holds the time since which this is not a member of its group. It begins
// without a membership.
type membership struct {
	mu    sync.Mutex
	since time.Time // when the membership was lost; zero: there is one
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

// lost returns when the membership was lost; zero if there is one.
func (m *membership) lost() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// alarms holds what is wrong with partitions, by their names.
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

// list returns one line for each alarm, in order.
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
