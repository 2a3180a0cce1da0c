package toy_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the files into docs/writing-a-connector.md")

// TestTheDocumentIsThisCode checks that docs/writing-a-connector.md shows these files: a
// comment names a file, and the block after it is the file's text.
func TestTheDocumentIsThisCode(t *testing.T) {
	const document = "../../docs/writing-a-connector.md"
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)<!-- examples/connector-toy/([a-z_]+\\.go) -->\n```go\n.*?```\n")
	shown := map[string]bool{}
	want := block.ReplaceAllFunc(text, func(found []byte) []byte {
		name := string(block.FindSubmatch(found)[1])
		code, err := os.ReadFile(name)
		require.NoError(t, err)
		shown[name] = true
		return []byte("<!-- examples/connector-toy/" + name + " -->\n```go\n" + string(code) + "```\n")
	})
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		assert.True(t, shown[name] || name == "doc_test.go", "%s is not in the document", name)
	}
	if *update {
		require.NoError(t, os.WriteFile(document, want, 0o600))
		return
	}
	assert.True(t, string(want) == string(text), "the document shows other code than the files have: run: go test ./examples/connector-toy -run Document -update")
}
