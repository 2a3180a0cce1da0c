package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// importPeople is how many people the company of TestFirstImport has, unless the environment
// says otherwise in E2E_PEOPLE.
const importPeople = 120

// importAhead is how many of them may have work open at once, unless it says so in E2E_AHEAD.
const importAhead = 10

// TestFirstImport sends the whole history of a company to an installation that knows nobody,
// many times faster than accounts can be made, and counts the steps: no more than 5 % above
// the least, which is one for each account that somebody has in the end. Managers come later
// in the history than many of their reports.
func TestFirstImport(t *testing.T) {
	people, ahead := fromEnv(t, "E2E_PEOPLE", importPeople), fromEnv(t, "E2E_AHEAD", importAhead)
	opts := company.Typical(seeded(t).Uint64(), people)
	opts.Start = hr.Date{Year: 2020, Month: time.January, Day: 1}
	history := company.Generate(opts)

	r := startRig(t, stack.Options{Template: readingAhead(ahead)})
	began := time.Now()
	r.publish(t, history.Events...)
	published := time.Now()
	require.Eventually(t, func() bool { return r.unread(t) == "" && r.unfinished(t) == "" },
		max(rest, time.Duration(people)*time.Second), 100*time.Millisecond, "it does not come to rest")
	took := time.Since(began)
	accounts := r.accounts(t)
	compare(t, history.Expected(time.Now()), accounts)

	least := 0
	for _, of := range accounts {
		for _, users := range of {
			least += len(users)
		}
	}
	steps, by := r.steps(t)
	t.Logf("%d people, %d events (published in %s): %d accounts in the end, %d steps in %s: %v",
		people, len(history.Events), published.Sub(began).Round(time.Millisecond), least, steps, took.Round(time.Second), by)
	assert.LessOrEqual(t, steps, least+least/20, "steps, of %d at least: %v", least, by)
}

func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// readingAhead returns the stack's tenure.yaml with this many people who may have work open.
func readingAhead(people int) string {
	template := strings.Replace(withBreaker("{enabled: false}"), "kafka:\n", fmt.Sprintf("kafka:\n  readAhead: %d\n", people), 1)
	return template + "\nsweep: {every: 10s}\n"
}

// steps counts what Tenure has done in apps, by the audit record.
func (r *rig) steps(t *testing.T) (all int, by map[string]int) {
	by = map[string]int{}
	for after := int64(0); ; {
		rows, err := r.ledger.Audit(t.Context(), "", after, 1000)
		require.NoError(t, err)
		if len(rows) == 0 {
			return all, by
		}
		for _, row := range rows {
			if after = row.Seq; row.App != "" && row.Actor == ledger.ActorTenure {
				all++
				by[row.Action]++
			}
		}
	}
}
