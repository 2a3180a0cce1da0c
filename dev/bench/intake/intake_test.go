package intake

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The parts that run no program of the product work, with numbers that are too small to
// mean anything.
func TestComparisons(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cpu.prof")
	report, err := Run(t.Context(), Options{
		Partitions: 2, Rounds: 1, Concurrency: 8, Replay: 600, Accept: 40, CPUProfile: profile, Progress: io.Discard,
	})
	require.NoError(t, err)
	for name, race := range map[string]*Race{"replay": report.Replay, "accept": report.Accept} {
		require.NotNil(t, race, name)
		require.Len(t, race.Ratios, 1, name)
		assert.InDelta(t, race.Tenure[0]/race.Bare[0], race.Ratio, 1e-9, name)
		assert.Positive(t, race.Ratio, name)
	}
	assert.Empty(t, report.Scale)
	assert.Empty(t, report.Memory)
	assert.FileExists(t, profile)

	var out bytes.Buffer
	report.Print(&out)
	assert.Contains(t, out.String(), "bare consumer of kafka-go")
	text, err := json.Marshal(report)
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, report, again)
}

func TestMedian(t *testing.T) {
	assert.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	assert.InDelta(t, 2, median([]float64{9, 1, 2, 4}), 0, "of two, the smaller one")
}
