package intake

import (
	"context"

	"github.com/tenurehq/tenure/hr"
)

// Memory holds how much memory a starter uses after a number of records.
type Memory struct {
	Phase    string `json:"phase"` // what it reads
	Records  int    `json:"records"`
	Resident int64  `json:"residentBytes"`
	Heap     int64  `json:"goHeapBytes"`
}

// Large holds the most memory that a starter uses while it reads large records and
// Temporal does not answer.
type Large struct {
	Partitions int   `json:"partitions"`
	Records    int   `json:"records"`
	Bytes      int64 `json:"bytesPerRecord"`
	Before     int64 `json:"residentBytesBefore"`
	Most       int64 `json:"mostResidentBytes"`
}

const (
	memoryRows      = 10 // rows of each phase
	largePartitions = 8
	largeRecords    = 1_000
	largeRecord     = 900_000 // bytes
	// largeLooks is how often the memory of a stalled starter is read.
	largeLooks = 500
)

// memory measures the memory of one starter, a process of its own, with a Temporal that
// answers at once. The first topic has every event twice, and is then read again.
func (r *rig) memory(ctx context.Context) ([]Memory, []Large, error) {
	temporal, err := serveFrontend()
	if err != nil {
		return nil, nil, err
	}
	defer temporal.close()
	topic, err := r.newTopic(ctx, r.Partitions)
	if err != nil {
		return nil, nil, err
	}
	r.tell("  publishing %d records ...", r.Memory)
	if err := r.publish(ctx, topic, r.Memory, func(i int) hr.Event { return hired(person(topic, i/2)) }); err != nil {
		return nil, nil, err
	}
	var rows []Memory
	for _, phase := range []struct{ name, group string }{{"new, each twice", topic}, {"read again", topic + "-again"}} {
		more, err := r.watchMemory(ctx, topic, phase.group, phase.name, temporal)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, more...)
	}
	big, err := r.watchLarge(ctx, temporal)
	return rows, []Large{big}, err
}

// watchMemory measures a starter's memory while it reads a topic.
func (r *rig) watchMemory(ctx context.Context, topic, group, phase string, temporal *frontend) ([]Memory, error) {
	s, err := r.startStarter(ctx, site{topic: topic, group: group, ledger: topic, temporal: temporal.address}, 0)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	var rows []Memory
	for i := range memoryRows {
		n := r.Memory * (i + 1) / memoryRows
		if err := r.awaitCommitted(ctx, group, topic, r.Partitions, n); err != nil {
			return nil, err
		}
		resident, heap, err := s.footprint(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Memory{Phase: phase, Records: n, Resident: resident, Heap: heap})
		r.tell("  %s: %d records, %d MiB resident", phase, n, resident>>20)
	}
	return rows, nil
}

// watchLarge measures the memory of a starter that has more large records to read than it
// could hold, while Temporal does not answer.
func (r *rig) watchLarge(ctx context.Context, temporal *frontend) (Large, error) {
	out := Large{Partitions: largePartitions, Records: largeRecords, Bytes: largeRecord}
	topic, err := r.newTopic(ctx, largePartitions)
	if err != nil {
		return out, err
	}
	s, err := r.startStarter(ctx, site{topic: topic, group: topic, ledger: topic, temporal: temporal.address}, 0)
	if err != nil {
		return out, err
	}
	defer s.Stop()
	if out.Before, _, err = s.footprint(ctx); err != nil {
		return out, err
	}
	release := temporal.stall()
	defer release()
	if err := r.publish(ctx, topic, largeRecords, func(i int) hr.Event { return large(person(topic, i)) }); err != nil {
		return out, err
	}
	looks := 0
	look := func() (bool, error) {
		resident, _, err := s.footprint(ctx)
		out.Most = max(out.Most, resident)
		looks++
		return looks >= largeLooks, err
	}
	if err := await(ctx, look); err != nil {
		return out, err
	}
	release()
	return out, await(ctx, func() (bool, error) {
		if _, err := look(); err != nil {
			return false, err
		}
		done, err := r.committed(ctx, topic, topic, largePartitions)
		return done >= largeRecords, err
	})
}
