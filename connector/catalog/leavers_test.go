package catalog_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
)

// leaving is a row of the table in docs/leavers.md.
type leaving struct{ cutOff, sessions, survives, handedOver, deletion string }

// The bounds within which the table is seen whole on a screen of 1440 by 900: see
// scripts/site/theme/main.html.
const (
	mostRows    = 25
	longestCell = 27
)

var (
	markup = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)|[*` + "`" + `]`)
	dashed = regexp.MustCompile(`^– (\S+)$`)
)

// leavers reads the table of docs/leavers.md: by kind, and by profile of the kind scim.
func leavers(t *testing.T) (kinds, profiles map[string]leaving) {
	t.Helper()
	page, err := os.ReadFile("../../docs/leavers.md")
	require.NoError(t, err)
	kinds, profiles = map[string]leaving{}, map[string]leaving{}
	_, table, ok := strings.Cut(string(page), "| kind |")
	require.True(t, ok)
	table, _, _ = strings.Cut("| kind |"+table, "\n\n")
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		require.Len(t, cells, 6, line)
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(markup.ReplaceAllString(cell, "$1"))
			assert.LessOrEqual(t, len([]rune(cells[i])), longestCell, "too long for one screen, move it to a note: %s", cells[i])
		}
		row, into, name := leaving{cells[1], cells[2], cells[3], cells[4], cells[5]}, kinds, strings.TrimSuffix(cells[0], ", in general")
		if found := dashed.FindStringSubmatch(name); found != nil {
			into, name = profiles, found[1]
		}
		assert.NotContains(t, into, name, "it is there twice")
		into[name] = row
	}
	assert.LessOrEqual(t, len(kinds)+len(profiles), mostRows, "too many rows for one screen")
	return kinds, profiles
}

// The page that compares what leavers meet has every kind that companies use, and says what
// the kinds say of themselves.
func TestTheLeaversPageComparesEveryKind(t *testing.T) {
	rows, _ := leavers(t)
	for _, kind := range catalog.Kinds() {
		row, there := rows[kind.Name]
		delete(rows, kind.Name)
		if kind.Name == "memory" { // for tests
			assert.False(t, there)
			continue
		}
		require.True(t, there, "docs/leavers.md has no row for %s", kind.Name)
		if kind.Name == "manual" || kind.Name == "jit" || kind.Name == "scim" {
			continue // humans, the inner connector and the profile decide
		}
		has := func(op string) bool {
			return slices.ContainsFunc(kind.Operations, func(o connector.Operation) bool { return o.Op == op })
		}
		handsOver := slices.ContainsFunc(kind.Operations, func(o connector.Operation) bool { return o.HandsOver })
		assert.Equal(t, has(connector.OpRevokeSessions), strings.HasPrefix(row.sessions, "ended"), "%s: open sessions", kind.Name)
		assert.Equal(t, !has(connector.OpDelete), strings.HasPrefix(row.deletion, "never"), "%s: deletion", kind.Name)
		assert.Equal(t, has(connector.OpRestore), strings.HasPrefix(row.deletion, "bin"), "%s: deletion", kind.Name)
		assert.Equal(t, has(connector.OpHandOver), strings.HasPrefix(row.handedOver, "by Tenure") || row.handedOver == "by your service", "%s: data", kind.Name)
		assert.Equal(t, handsOver, strings.HasPrefix(row.handedOver, "as it deletes"), "%s: data", kind.Name)
	}
	assert.Empty(t, rows, "docs/leavers.md has rows of kinds that there are not")
}

// It has every profile of the kind scim, too.
func TestTheLeaversPageComparesEveryProfile(t *testing.T) {
	_, rows := leavers(t)
	scim, _ := catalog.Lookup("scim")
	at := slices.IndexFunc(scim.Settings, func(s connector.Setting) bool { return s.Name == "profile" })
	for _, profile := range scim.Settings[at].Choices {
		if profile == scim.Settings[at].Default {
			continue // "in general"
		}
		row, there := rows[profile]
		delete(rows, profile)
		require.True(t, there, "docs/leavers.md has no row for the profile %s", profile)
		c, err := scim.Open(t.Context(), connector.Env{App: "app"}, connector.Settings{
			"url": "https://app.example.com/scim", "token": "secret", "profile": profile, "defaultEntitlement": "x",
		})
		require.NoError(t, err, profile)
		can := c.Capabilities()
		assert.False(t, strings.HasPrefix(row.sessions, "ended"), "%s: no SCIM service has a call for it", profile)
		assert.Equal(t, !can.Delete, strings.HasPrefix(row.deletion, "never"), "%s: deletion", profile)
		assert.Equal(t, !can.Reversible, strings.HasPrefix(row.deletion, "with the cut-off"), "%s: deletion", profile)
	}
	assert.Empty(t, rows, "docs/leavers.md has rows of profiles that there are not")
}

// Each note has a number in the table, and each number a note.
func TestTheLeaversPagesNotesAreCounted(t *testing.T) {
	page, err := os.ReadFile("../../docs/leavers.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(page), "| kind |")
	require.True(t, ok)
	table, _, _ = strings.Cut("| kind |"+table, "\n\n")
	raised := strings.NewReplacer("¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9", "⁰", "0")
	used := map[string]bool{}
	for _, number := range regexp.MustCompile(`[¹²³⁴⁵⁶⁷⁸⁹⁰]+`).FindAllString(table, -1) {
		used[raised.Replace(number)] = true
	}
	for _, note := range regexp.MustCompile(`(?m)^(\d+)\. `).FindAllStringSubmatch(string(page), -1) {
		assert.True(t, used[note[1]], "nothing refers to note %s", note[1])
		delete(used, note[1])
	}
	assert.Empty(t, used, "numbers without a note")
}
