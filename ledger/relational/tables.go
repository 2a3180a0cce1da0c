package relational

import (
	"slices"
	"strings"
)

// table describes a table so that it can be moved to another database.
type table struct {
	name    string
	columns []string
	key     string // columns that rows are ordered by
	// counter is the column whose values the database counts up; empty if there is
	// none. What it has given out is never given out again.
	counter string
}

// tables are all tables of a ledger, in an order in which they can be filled. Tests
// of the engines compare them with what the migrations have made.
var tables = []table{
	{name: "people", key: "id", columns: words(`id username username_key given_name family_name status department job_title
		manager_id due_at due_what assessed_at last_seq revision assessed_from assessed_rev nudged_at nudged_rev nudged_what carried_to`)},
	{name: "events", key: "seq", counter: "seq", columns: words(`seq source id person_id at topic partition offset delivered body`)},
	{name: "links", key: "person_id, app", columns: words(`person_id app account_id username state adopted entitlements attributes
		created_at disabled_at stripped_at handed_over_at deleted_at proven_at doubt_until rename_to owner_was
		creating_at creating_username creating contested`)},
	{name: "steps", key: "person_id, key", columns: words(`person_id key app kind state attempts code message reason
		planned_at trying_since last_attempt_at finished_at outcome`)},
	{name: "attempts", key: "id", counter: "id", columns: words(`id person_id key app at deadline gives destroys`)},
	{name: "waivers", key: "person_id, key", columns: words(`person_id key operator reason at login`)},
	{name: "audit", key: "seq", counter: "seq", columns: words(`seq at person_id app action actor cause detail key attempt login`)},
	{name: "dead_letters", key: "id", counter: "id", columns: words(`id topic partition offset origin_topic origin_partition origin_offset
		digest format at reason field text person_id event_type event_source event_id urgent
		parent_topic parent_partition parent_offset state acted_at operator why ended_at sending login`)},
	{name: "app_pace", key: "app", columns: words(`app next_at`)},
	{name: "tasks", key: "id", counter: "id", columns: words(`id person_id app key kind work assignee escalate_to second_person state
		opened_at due_at look_at reminders escalated_at done_by proof done_at account ended_by why ended_at
		done_login ended_login`)},
	{name: "cohorts", key: "id", counter: "id", columns: words(`id kind state counted allowed opened_at closed_at operator reason login`)},
	{name: "withdrawals", key: "person_id, kind, key", columns: words(`person_id kind key state cohort released source event_id voids
		apps why said_at due_at counted_at seen_at`)},
	{name: "holds", key: "id", counter: "id", columns: words(`id person_id placed_at expires_at operator reason
		released_at released_by release_reason login released_login`)},
	{name: "retentions", key: "id", counter: "id", columns: words(`id person_id app until_at for_micros set_at operator reason
		ended_at ended_by end_reason login ended_login`)},
	{name: "approvals", key: "person_id, key", columns: words(`person_id key app state asked_at look_at reminders
		approved_at operator reason login`)},
	{name: "same_people", key: "id", counter: "id", columns: words(`id new_id old_id at operator reason carried username
		ended_at ended_by end_reason`)},
	{name: "breaker", key: "id", columns: words(`id turn`)},
}

func words(list string) []string { return strings.Fields(list) }

// Columns are the columns of all tables, sorted, for tests of engines: whoever adds
// one adds it to the list that exports are made by.
func Columns() map[string][]string {
	all := map[string][]string{}
	for _, t := range tables {
		all[t.name] = slices.Sorted(slices.Values(t.columns))
	}
	return all
}

// list is the columns as SQL has them.
func (t table) list() string { return `"` + strings.Join(t.columns, `", "`) + `"` }

// named is a dialect's statement about a table's counter.
func (t table) named(statement string) string {
	return strings.NewReplacer("{table}", t.name, "{column}", t.counter).Replace(statement)
}
