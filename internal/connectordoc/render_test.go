package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
)

func TestTheReferenceIsUpToDate(t *testing.T) {
	have, err := os.ReadFile("../../" + referenceFile)
	require.NoError(t, err)
	assert.Equal(t, string(render(catalog.Kinds())), string(have), referenceFile+" is stale: run `make docs`")
}

func TestAKindIsShownWhole(t *testing.T) {
	page := string(render([]connector.Kind{{
		Name: "fax", Summary: "a fax machine", About: "Paper has to be there.", Proven: []string{"Hylafax"},
		Settings: []connector.Setting{
			{Name: "number", Type: connector.TypeText, Required: true, Text: "Whom to call."},
			{Name: "pin", Type: connector.TypeSecret, Text: "A|B."},
			{Name: "mode", Type: connector.TypeText, Choices: []string{"fine", "coarse"}, Default: "fine", Text: "How."},
			{Name: "wait", Type: connector.TypeDuration, Default: 90 * time.Minute, Text: "How long."},
			{Name: "loud", Type: connector.TypeBool, Text: "Whether."},
		},
		Operations: []connector.Operation{{Op: connector.OpFind}, {Op: connector.OpDelete, Calls: "BYE"}},
	}}))
	for _, line := range []string{
		"| [fax](#fax) | | | | | | | ✓ | | | | | | | | | Hylafax |\n",
		"## fax\n\nA fax machine.\n\nPaper has to be there.\n",
		"| `number` | text | required | Whom to call. |\n",
		"| `pin` | text, *secret* |  | A\\|B. |\n",
		"| `mode` | `fine`, `coarse` | `fine` | How. |\n",
		"| `wait` | duration | `1h30m` | How long. |\n",
		"| `loud` | true or false | `false` | Whether. |\n",
		"| delete | BYE |\n",
	} {
		assert.Contains(t, page, line)
	}
	assert.NotContains(t, page, "| find |")
}
