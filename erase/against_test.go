package erase_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/ledger"
)

func TestEverySentenceSaysWhatToDo(t *testing.T) {
	for _, what := range []ledger.ObstacleKind{
		ledger.ObstacleEmployed, ledger.ObstacleKept, ledger.ObstacleHold, ledger.ObstacleHuman, ledger.ObstacleAccount, ledger.ObstacleCall, ledger.ObstacleStep,
		ledger.ObstacleDue, ledger.ObstacleTask, ledger.ObstacleRequest, ledger.ObstacleReview, ledger.ObstacleFinding, ledger.ObstacleException,
		ledger.ObstacleLetter, ledger.ObstacleBreaker, ledger.ObstacleRecord,
	} {
		sentence := erase.Sentence(ledger.Obstacle{What: what, Name: "x-1", App: "wiki", State: "open"}, "eva")
		assert.Regexp(t, `: .*(tenure |wait|keep it|try again|let )`, sentence)
	}
}
