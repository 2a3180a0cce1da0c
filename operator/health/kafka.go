package health

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/internal/words"
)

// unreadLate is how long a record may stay unacknowledged before somebody has to look.
const unreadLate = 2 * time.Minute

// kafkaParts describes the starters and what they have not read, as Kafka knows them.
func (t Tenure) kafkaParts(ctx context.Context) []Part {
	if t.NoKafka != nil {
		return away(t.NoKafka, "set what is missing, as for the starter", "starters", "lag")
	}
	in, err := t.Kafka(ctx)
	if err != nil {
		return away(err, "check kafka.brokers, and that the brokers are up: tenure config check --connect", "starters", "lag")
	}
	return []Part{startersPart(in, t.Group), lagPart(in, time.Now())}
}

// startersPart describes the starters that read HR's events.
func startersPart(in group.Status, group string) Part {
	free := 0
	for _, partition := range in.Partitions {
		if !partition.Taken {
			free++
		}
	}
	p := Part{
		Part: "starters", State: OK,
		Text:    fmt.Sprintf("%s at work, on %s (group %s)", words.Count(in.Members, "starter"), words.Count(len(in.Partitions), "partition"), group),
		Numbers: map[string]int{"starters": in.Members, "partitions": len(in.Partitions), "partitionsWithoutStarter": free},
	}
	switch {
	case in.Members == 0:
		p.State, p.Text = Attention, fmt.Sprintf("no starter is at work (group %s): nobody reads what HR says", group)
		p.Do = "start one, and look at its log: starter --config FILE"
	case in.State != "Stable":
		p.State, p.Text = Note, fmt.Sprintf("%s, which share the partitions out at this moment (group %s: %s)", words.Count(in.Members, "starter"), group, in.State)
	case free > 0:
		p.State = Attention
		p.Text = fmt.Sprintf("%s at work, but nobody reads %d of %s", words.Count(in.Members, "starter"), free, words.Count(len(in.Partitions), "partition"))
		p.Do = "wait half a minute for the starters to share them out; else start them again with this configuration"
	}
	return p
}

// lagPart says how many of HR's records are not read yet, and since when.
func lagPart(in group.Status, now time.Time) Part {
	unread, byTopic := 0, map[string]int{}
	var oldest time.Time
	for _, p := range in.Partitions {
		unread += int(p.Unread)
		if p.Unread > 0 {
			byTopic[p.Topic] += int(p.Unread)
		}
		if !p.Oldest.IsZero() && (oldest.IsZero() || p.Oldest.Before(oldest)) {
			oldest = p.Oldest
		}
	}
	p := Part{Part: "lag", State: OK, Text: "everything that HR has said is read", Numbers: map[string]int{"records": unread}}
	if unread == 0 {
		return p
	}
	var where []string
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		where = append(where, fmt.Sprintf("%s %d", topic, byTopic[topic]))
	}
	p.State, p.Text = Note, fmt.Sprintf("%s not read yet: %s", words.Count(unread, "record"), strings.Join(where, ", "))
	if oldest.IsZero() {
		return p
	}
	waits := max(0, now.Sub(oldest))
	p.Numbers["oldestSeconds"] = int(waits.Seconds())
	p.Text += fmt.Sprintf("; the oldest waits for %s", waits.Round(time.Second))
	if waits > unreadLate {
		p.State, p.Do = Attention, "look at the starters' logs: they say what holds a partition up, with its offset"
	}
	return p
}
