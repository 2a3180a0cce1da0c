package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

// leastSnapshot is what a snapshot must have.
const leastSnapshot = `snapshot:
  source: /hr
  columns: {workerId: ID, worker.givenName: First, worker.familyName: Last, worker.startDate: Start}
  defaults: {worker.workerType: employee, worker.location.timeZone: UTC}
`

func TestSnapshot(t *testing.T) {
	cfg, err := read(base)
	require.NoError(t, err)
	assert.Nil(t, cfg.Snapshot)

	cfg, err = read(base + leastSnapshot + "  maxLeavers: {share: 2.5%}\n  covers: person.workerType == 'employee'\n")
	require.NoError(t, err)
	assert.Equal(t, "/hr", cfg.Snapshot.Source)
	assert.Equal(t, "First", cfg.Snapshot.Mapping.Columns["worker.givenName"])
	assert.Equal(t, snapshot.Limit{Share: 0.025, Count: 1}, cfg.Snapshot.MaxLeavers)
	holds, err := cfg.Snapshot.Covers.Holds("1", &hr.Profile{Type: hr.TypeContractor})
	require.NoError(t, err)
	assert.False(t, holds)
}

func TestSnapshotProblems(t *testing.T) {
	tests := map[string]string{
		"  covers: person.kind == 'x'":     `etc/tenure.yaml:8:18: snapshot.covers: there is no field "kind" here`,
		"  dateFormat: DD.MM.YY":           "etc/tenure.yaml:8:15: snapshot.dateFormat: must have YYYY, MM and DD",
		"  left: {column: Status}":         "snapshot.left.values: is missing",
		"  values: {worker.title: {a: b}}": `etc/tenure.yaml:8:26: snapshot.values.worker.title: there is no field of that name; did you mean "worker.jobTitle"?`,
		"  maxLeavers: {share: 5}":         `etc/tenure.yaml:8:23: snapshot.maxLeavers.share: must be a share such as "5%"`,
		"  maxLeavers: {count: -1}":        "snapshot.maxLeavers.count: must be a number of people",
		"  column: {}":                     `snapshot.column: unknown key; did you mean "columns"?`,
	}
	for text, want := range tests {
		_, err := read(base + leastSnapshot + text)
		assert.ErrorContains(t, err, want, text)
	}
	_, err := read(base + "snapshot: {source: /hr, columns: {workerId: ID}}")
	assert.ErrorContains(t, err, "the column of worker.startDate is missing, and it has no default either")
}
