package stack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrefixerWritesWholeLines(t *testing.T) {
	var out strings.Builder
	p := newPrefixer(&out, "worker")
	for _, part := range []string{"one\ntw", "o", "\n\nthree"} {
		n, err := p.Write([]byte(part))
		require.NoError(t, err)
		require.Equal(t, len(part), n)
	}
	assert.Equal(t, "worker | one\nworker | two\nworker | \n", out.String())
}
