package broker

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Only this package makes connections of kafka-go: others would not be guarded.
func TestEverythingGoesThroughTheDoor(t *testing.T) {
	unguarded := regexp.MustCompile(`kafka\.(New\w+|Dial\w*|(Client|Dialer|Transport|ReaderConfig|WriterConfig)\{)`)
	checked := 0
	for _, folder := range []string{"..", "../group", "../deadletter"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			checked++
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Empty(t, unguarded.FindAllString(string(text), -1), file)
		}
	}
	assert.Greater(t, checked, 20)
}
