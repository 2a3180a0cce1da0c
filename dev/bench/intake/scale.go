package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr"
)

// Scale holds the rate of new events with a number of partitions and starters.
type Scale struct {
	Partitions int     `json:"partitions"`
	Starters   int     `json:"starters"`
	PerSecond  float64 `json:"perSecond"` // the median of the rounds
	Least      float64 `json:"least"`
	Most       float64 `json:"most"`
}

// scale measures new events with several starters, each a process of its own.
func (r *rig) scale(ctx context.Context) ([]Scale, error) {
	var table []Scale
	for _, partitions := range []int{1, 2, 4, 8} {
		for _, starters := range []int{1, 2, 4} {
			if starters <= partitions { // further starters would have nothing to do
				table = append(table, Scale{Partitions: partitions, Starters: starters})
			}
		}
	}
	rates := make([][]float64, len(table))
	for round := range max(1, r.Rounds/2) { // all in turn, because the machine may be busy with other things at times
		for i, s := range table {
			rate, err := r.acceptByStarters(ctx, s.Partitions, s.Starters)
			if err != nil {
				return nil, err
			}
			r.tell("  round %d: %d partitions, %d starters: %.0f a second", round+1, s.Partitions, s.Starters, rate)
			rates[i] = append(rates[i], rate)
		}
	}
	for i := range table {
		table[i].PerSecond, table[i].Least, table[i].Most = median(rates[i]), slices.Min(rates[i]), slices.Max(rates[i])
	}
	return table, nil
}

// acceptByStarters starts starters, waits until all have their share of the partitions,
// publishes and waits until everything is committed. It measures from before the
// publishing.
func (r *rig) acceptByStarters(ctx context.Context, partitions, starters int) (float64, error) {
	topic, err := r.newTopic(ctx, partitions)
	if err != nil {
		return 0, err
	}
	for number := range starters {
		s, err := r.startStarter(ctx, site{topic: topic, group: topic, ledger: topic, temporal: r.Temporal}, number)
		if err != nil {
			return 0, err
		}
		defer s.Stop()
	}
	if err := r.awaitMembers(ctx, topic, starters); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := r.publish(ctx, topic, r.Scale, func(i int) hr.Event { return hired(person(topic, i)) }); err != nil {
		return 0, err
	}
	err = r.awaitCommitted(ctx, topic, topic, partitions, r.Scale)
	return float64(r.Scale) / time.Since(began).Seconds(), err
}

// awaitMembers waits until n members share a group's partitions.
func (r *rig) awaitMembers(ctx context.Context, group string, n int) error {
	return await(ctx, func() (bool, error) {
		answer, err := r.kafka.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil {
			return false, err
		}
		if len(answer.Groups) != 1 {
			return false, fmt.Errorf("group %s: %d answers", group, len(answer.Groups))
		}
		g := answer.Groups[0]
		return g.GroupState == "Stable" && len(g.Members) == n, nil
	})
}
