package relational

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/privacy"
)

// nobodys lists the tables that hold nothing of people.
var nobodys = words(`audit_leaves audit_tiles checkpoints published exported redactions app_pace leases licences cohorts reserved scans breaker repetitions`)

// unnamed lists the columns in which nobody is named: IDs, names of apps, roles, entitlements and
// operators, codes, digests, numbers and instants. If a new column may hold what humans typed, or
// what an app wrote, it belongs into mentions instead.
var unnamed = words(`id person_id app account_id key kind state code at seq source topic partition offset delivered
	name holder fence ends_at seats used awaited counted_at next_at turn level n data size root note place receipt leaf hash by
	assignee escalate_to second_person opened_at due_at look_at reminders escalated_at done_by done_at ended_by ended_at done_login ended_login
	origin_topic origin_partition origin_offset digest format field event_type event_source event_id urgent parent_topic parent_partition parent_offset
	acted_at operator sending login counted allowed closed_at cohort released voids apps said_at seen_at placed_at expires_at released_at released_by
	released_login until_at for_micros set_at asked_at approved_at role entitlement duty employment_source employment_id starts_at origin emergency
	decided_at decided_by asked_by extends terms preview stage stage_at exception_id proven_at revision request_id voter moot_at vote shown stand_in
	started_by started_at items accesses scans done_at previewed_at followed_at review_id item people reviewer also assigned_at decision decided_as took
	effect_at effect new_id old_id carried listed_at accounts enabled reported token believed_at believed_by orphans orphans_off
	first_scan last_scan pages event found_at candidates by_kind what about occasion made_at send_at attempts message first_at tried_at planned_at trying_since
	last_attempt_at finished_at outcome acknowledged_at operation operation_call operation_at operation_look_at due_at queued deadline gives destroys before text`)

// cleared lists the columns of tables whose rows are removed or emptied whole for the person, and
// in which nobody else is named.
var cleared = map[string]bool{"people": true, "links": true, "identifiers": true, "observed": true, "audit": true, "attempts": true}

func TestEveryTableAndColumnIsKnownToAnErasure(t *testing.T) {
	held := Holdings()
	for _, table := range tables {
		assert.NotEqual(t, slices.Contains(held, table.name), slices.Contains(nobodys, table.name),
			"table %s: say in holdings what it holds of people, or here that it holds nothing", table.name)
		if cleared[table.name] {
			continue
		}
		named := map[string]string{}
		for _, m := range mentions {
			if m.table == table.name {
				named = m.columns
			}
		}
		emptied := ""
		for _, h := range holdings {
			if h.table == table.name {
				emptied = h.empty
			}
		}
		for _, column := range table.columns {
			_, mentioned := named[column]
			known := mentioned || slices.Contains(unnamed, column) || strings.Contains(emptied, column+" = ")
			assert.True(t, known, "%s.%s: say in mentions how it may name somebody, or here that it cannot", table.name, column)
		}
	}
}

func TestEveryTableIsInTheRecordsOfProcessing(t *testing.T) {
	var described []string
	for _, h := range privacy.Ledger {
		described = append(described, h.Table)
	}
	assert.ElementsMatch(t, Holdings(), described)
}
