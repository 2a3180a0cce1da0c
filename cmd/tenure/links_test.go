package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
)

// Whoever reads about a kind in a terminal can open what it refers to: every link is a whole
// address, of a file that there is.
func TestWhatAKindRefersToCanBeOpened(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		about := addresses(absolute(kind.About))
		assert.NotContains(t, about, "](", kind.Name)
		for word := range strings.FieldsSeq(about) {
			word = strings.Trim(word, "<>().,:`")
			file, ours := strings.CutPrefix(word, published)
			if !ours {
				assert.False(t, strings.HasSuffix(word, ".md") && strings.Contains(word, "/"), "%s: %s is no address", kind.Name, word)
				continue
			}
			file, _, _ = strings.Cut(file, "#")
			_, err := os.Stat("../../" + file)
			assert.NoError(t, err, kind.Name)
		}
	}
	assert.Equal(t, "see tasks <https://example.com/a>, https://example.com/b.md.", addresses("see [tasks](https://example.com/a), [b.md](https://example.com/b.md)."))
	assert.Equal(t, "[it]("+published+"examples/x)", absolute("[it](../examples/x)"))
}

// A kind says once of each level of proof what it means, and that data go with the deletion.
func TestAKindSaysWhatItsProofsMean(t *testing.T) {
	scim, _ := catalog.Lookup("scim")
	said := map[string]int{}
	for _, row := range viewKind(scim).proofRows() {
		said[row[1]]++
	}
	assert.Equal(t, 1, said[connector.ServerNotOurs.Means()])
	assert.Equal(t, 1, said[connector.HeldToContract.Means()])
	assert.Len(t, said, 3, "the others refer to them: %v", said)
	okta, _ := catalog.Lookup("okta")
	assert.Contains(t, viewKind(okta).proofRows(), []string{"server not ours: emulate 0.12.2 (smoke test only)", "some operations were tried there, and not the suite"})

	s := newSite(t)
	assert.Regexp(t, `(?m)^never run against: +Okta$`, s.run("app", "kind", "okta").stdout)
	assert.Regexp(t, `delete +delete an account, and hand over its data`, s.run("app", "kind", "zoom").stdout)
	assert.Contains(t, s.run("app", "kinds", "-o", "csv").stdout, "delete (hands over)")
}
