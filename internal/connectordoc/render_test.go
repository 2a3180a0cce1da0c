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
		Name: "fax", Summary: "a fax machine", About: "Paper has to be there.", Unreached: "a fax machine of the vendor's",
		LastUse: connector.LastUse{By: "a call", Lag: 36 * time.Hour}, Whole: "Paper has no pages.",
		Proofs: []connector.Proof{
			{Level: connector.HeldToContract, On: "T.30", Ops: []string{connector.OpFind, connector.OpDelete}},
			{Level: connector.ServerNotOurs, On: "Hylafax 7", Part: "group 3", Ops: []string{connector.OpDelete}},
			{Level: connector.Replayed, On: "its log", Exchanges: 3},
			{Level: connector.ServerNotOurs, On: "Faxes 2", Smoke: true, Deviations: []string{"it has no paper", "it is mute"}, Ops: []string{connector.OpCheck, connector.OpFind, connector.OpDelete}},
		},
		Settings: []connector.Setting{
			{Name: "number", Type: connector.TypeText, Required: true, Text: "Whom to call."},
			{Name: "pin", Type: connector.TypeSecret, Text: "A|B."},
			{Name: "mode", Type: connector.TypeText, Choices: []string{"fine", "coarse"}, Default: "fine", Text: "How."},
			{Name: "wait", Type: connector.TypeDuration, Default: 90 * time.Minute, Text: "How long."},
			{Name: "loud", Type: connector.TypeBool, Text: "Whether."},
		},
		Operations: []connector.Operation{{Op: connector.OpFind}, {Op: connector.OpDelete, Calls: "BYE", HandsOver: true}, {Op: connector.OpCheck, Calls: "HELLO"}},
	}}))
	for _, line := range []string{
		"| [fax](#fax) | | | | | | | ✓ | | | | | | as it deletes | | | |\n",
		"\n**Last use**: a call, told up to 2 days late.\n\n**Listed as a whole.** Paper has no pages.\n",
		"| [fax](#fax) | server not ours: Hylafax 7 (group 3); replayed: its log, 3 exchanges; held to the vendor's contract: T.30; server not ours: Faxes 2 (smoke test only) | a fax machine of the vendor's |\n",
		"## fax\n\nA fax machine.\n\nPaper has to be there.\n",
		"| `number` | text | required | Whom to call. |\n",
		"| `pin` | text, *secret* |  | A\\|B. |\n",
		"| `mode` | `fine`, `coarse` | `fine` | How. |\n",
		"| `wait` | duration | `1h30m` | How long. |\n",
		"| `loud` | true or false | `false` | Whether. |\n",
		"| delete | delete an account, and hand over its data | BYE | server not ours |\n",
		"| check | sign in | HELLO | stand-in only |\n",
		"Proofs:\n\n- server not ours: Hylafax 7 (group 3)\n- replayed: its log, 3 exchanges\n- held to the vendor's contract: T.30\n- server not ours: Faxes 2 (smoke test only)\n- not tried on T.30: check\n- not tried on Hylafax 7 (group 3): find, check\n- not tried on its log: find, delete, check\n- Faxes 2 differs from the vendor's: it has no paper; it is mute\n- **Never run against a fax machine of the vendor's itself.**\n",
	} {
		assert.Contains(t, page, line)
	}
	assert.NotContains(t, page, "| find |")
}
