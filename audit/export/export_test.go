package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/audit"
)

const origin = "example.com/tenure"

// A restored ledger gives the number of a leaf again: it is another record.
func TestAnIDIsOfOneRecord(t *testing.T) {
	row, other := sample(), sample()
	other.Cause = "another"
	assert.NotEqual(t, recordOf(1, row).ID(), recordOf(1, other).ID())
	assert.NotEqual(t, recordOf(1, row).ID(), recordOf(2, row).ID())
	assert.Equal(t, recordOf(1, row).ID(), recordOf(1, sample()).ID())
}

// recordOf returns the record of a row, with the leaf that it has in a log.
func recordOf(n int64, row audit.Row) Record {
	return Of(origin, audit.Entry{Leaf: audit.NewLeaf(n, row), Row: &row})
}

func detail(text string) *string { return &text }

func sample() audit.Row {
	return audit.Row{
		Seq: 4711, At: 1790000000000123, Person: "10004", App: "wiki", Action: "updated", Actor: "tenure", Key: "wiki/Update/ab", Attempt: 17,
		Text: audit.Text{Salt: bytes.Repeat([]byte{7}, audit.SaltSize), Cause: "editors", Detail: detail(`{"granted":["edit"],"revoked":["admin"],"n":1}`)},
	}
}

func TestARowInEachFormat(t *testing.T) {
	r := recordOf(42, sample())
	id := r.ID()
	assert.Regexp(t, `^example\.com/tenure:42:[0-9a-f]{16}$`, id)

	lines := JSONL.Render(r, "v1")
	require.Len(t, lines, 1)
	var l struct {
		Hash   string
		Record json.RawMessage
		Salt   []byte
		Cause  string
		Detail json.RawMessage
	}
	require.NoError(t, json.Unmarshal(lines[0].Text, &l))
	// Whoever receives the line can verify it.
	hash := tlog.RecordHash(l.Record)
	assert.Equal(t, fmt.Sprintf("%x", hash[:]), l.Hash)
	text := string(l.Detail)
	assert.Equal(t, r.Leaf.Text, audit.Text{Salt: l.Salt, Cause: l.Cause, Detail: &text}.Digest())

	events := OCSF.Render(r, "v1")
	require.Len(t, events, 2)
	var classes []string
	for _, e := range events {
		var event ocsfEvent
		require.NoError(t, json.Unmarshal(e.Text, &event))
		classes = append(classes, fmt.Sprintf("%d %s %s %s %v", event.TypeUID, event.Privileges, event.User.UID, event.Resources[0].Name, event.Metadata.UID == e.ID))
	}
	assert.Equal(t, []string{"300501 [edit] 10004 wiki true", "300502 [admin] 10004 wiki true"}, classes)
	assert.Equal(t, []string{id, id + ":2"}, []string{events[0].ID, events[1].ID})

	cef := CEF.Render(r, "v1")
	require.Len(t, cef, 1)
	assert.Equal(t, `CEF:0|Tenure|Tenure|v1|updated|Account updated|1|rt=1790000000000 externalId=42:`+r.shortHash()+
		` act=updated suid=tenure duid=10004 msg=editors cn1Label=leaf cn1=42 cs1Label=app cs1=wiki cs2Label=log cs2=example.com/tenure`+
		` cs3Label=detail cs3={"granted":["edit"],"revoked":["admin"],"n":1} cs4Label=key cs4=wiki/Update/ab`, string(cef[0].Text))
}

func TestWhatWasTamperedWithIsSaid(t *testing.T) {
	row := sample()
	leaf := audit.NewLeaf(1, row)
	changed, redacted, both := row, row, row
	changed.Cause = "nobody"
	redacted.Text, redacted.Redacted = audit.Text{}, true
	both.Text, both.Redacted, both.Person = audit.Text{}, true, "10005"
	assert.Equal(t, []State{Sound, Altered, Redacted, Altered, Missing}, []State{
		Of(origin, audit.Entry{Leaf: leaf, Row: &row}).State, Of(origin, audit.Entry{Leaf: leaf, Row: &changed}).State,
		Of(origin, audit.Entry{Leaf: leaf, Row: &redacted}).State, Of(origin, audit.Entry{Leaf: leaf, Row: &both}).State,
		Of(origin, audit.Entry{Leaf: leaf}).State,
	})
	missing := Of(origin, audit.Entry{Leaf: leaf})
	for _, f := range Formats {
		messages := f.Render(missing, "v1")
		require.Len(t, messages, 1)
		assert.True(t, messages[0].Alarm)
		changed := f.Render(Of(origin, audit.Entry{Leaf: leaf, Row: &changed}), "v1")
		assert.True(t, changed[0].Alarm)
		assert.Regexp(t, `\|9\||"severity":"High"|"state":"altered"`, string(changed[0].Text))
		assert.Contains(t, string(messages[0].Text), string(Missing), f.Name)
		for _, m := range f.Render(Of(origin, audit.Entry{Leaf: leaf, Row: &redacted}), "v1") {
			assert.NotContains(t, string(m.Text), "editors", "%s: what was erased stays erased", f.Name)
		}
	}
}

// hostile draws texts with all that ends a field, a line or a message somewhere.
func hostile(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{"|", "=", `\`, "\n", "\r", "\r\n", "\x00", "\x1b[2J", "\x7f", "\u0085", "\u009b", "\u2028", `"`, "}", "\xff", " act=deleted", "CEF:0|", "<13>1 ", "é", "\t"}),
		rapid.String(),
	), 0, 8).Draw(t, label), "")
}

var (
	cefParts = regexp.MustCompile(`^CEF:0((?:\|(?:[^|\\]|\\.)*){6})\|(.*)$`)
	cefField = regexp.MustCompile(`\|((?:[^|\\]|\\.)*)`)
	cefKey   = regexp.MustCompile(`(?:^| )([A-Za-z0-9]+)=`)
)

// Whatever is in a row, a message is one line, and means what the row says.
func TestNoTextEndsAFieldOrALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := audit.Row{
			Seq: 1, At: 1790000000000123, Person: hostile(t, "person"), App: hostile(t, "app"), Action: rapid.OneOf(rapid.SampledFrom(slices.Sorted(maps.Keys(actions))), rapid.Custom(func(t *rapid.T) string { return hostile(t, "action") })).Draw(t, "verb"),
			Actor: hostile(t, "actor"), Login: hostile(t, "login"), Key: hostile(t, "key"), Text: audit.Text{Cause: hostile(t, "cause")},
		}
		if rapid.Bool().Draw(t, "has a detail") {
			text := hostile(t, "no JSON")
			if rapid.Bool().Draw(t, "of JSON") {
				text = string(encoded(map[string]any{"granted": []string{hostile(t, "role")}, "item": hostile(t, "item"), "name": hostile(t, "name")}))
			}
			row.Detail = &text
		}
		r := recordOf(3, row)
		for _, f := range Formats {
			for _, m := range f.Render(r, "v1") {
				for _, c := range string(m.Text) {
					if c < ' ' || f.Name == CEF.Name && c >= 0x7f && c < 0xa0 {
						t.Fatalf("%s has the control character %q: %q", f.Name, c, m.Text)
					}
				}
				if f.Name != CEF.Name {
					var any map[string]any
					if err := json.Unmarshal(m.Text, &any); err != nil {
						t.Fatalf("%s: %s: %q", f.Name, err, m.Text)
					}
					continue
				}
				checkCEF(t, row, string(m.Text))
			}
		}
	})
}

// checkCEF reads CEF as receivers do: a field ends at a key with an equals sign that is not escaped.
func checkCEF(t *rapid.T, row audit.Row, text string) {
	parts := cefParts.FindStringSubmatch(text)
	if parts == nil {
		t.Fatalf("the header has other fields: %q", text)
	}
	var header []string
	for _, field := range cefField.FindAllStringSubmatch(parts[1], -1) {
		header = append(header, strings.NewReplacer(`\\`, `\`, `\|`, "|").Replace(field[1]))
	}
	lineless := strings.NewReplacer("\r", " ", "\n", " ")
	if action := lineless.Replace(plain(row.Action)); row.Action != "" && (len(header) != 6 || header[2] != "v1" || header[3] != action || !slices.Contains([]string{"1", "3", "6", "9"}, header[5])) {
		t.Fatalf("the header is %q", header)
	}
	values := map[string]string{}
	at := cefKey.FindAllStringSubmatchIndex(parts[2], -1)
	for i, m := range at {
		end := len(parts[2])
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		values[parts[2][m[2]:m[3]]] = parts[2][m[1]:end]
	}
	back := strings.NewReplacer(`\\`, `\`, `\=`, "=", `\n`, "\n", `\r`, "\r")
	for key, want := range map[string]string{"suid": row.Actor, "duid": row.Person, "cs1": row.App, "act": row.Action, "cs4": row.Key} {
		if got := back.Replace(values[key]); got != plain(want) {
			t.Fatalf("%s is %q, not %q: %q", key, got, plain(want), text)
		}
	}
}

// CEF bounds its fields.
func TestFieldsOfCEFAreCut(t *testing.T) {
	row := sample()
	row.Cause, row.Detail = strings.Repeat("é", 3000), detail(`"`+strings.Repeat("x", 9000)+`"`)
	text := string(CEF.Render(recordOf(1, row), "v1")[0].Text)
	assert.Contains(t, text, " msg="+strings.Repeat("é", 511)+" cn1Label=")
	assert.Contains(t, text, ` cs3="`+strings.Repeat("x", 3999)+" cs4Label=")
}

// Whatever is in a text, each message is short enough for every receiver, and what fits is whole.
func TestLongTextsAreCut(t *testing.T) {
	for _, text := range []string{"x", "é", "\x01", "<", `"`, "\xff"} {
		for _, n := range []int{1, 1000, longestMessage / 8, longestMessage, 4 * longestMessage} {
			row := sample()
			long := strings.Repeat(text, n)
			row.Cause = long
			for _, of := range []string{long, string(encoded(map[string]any{"granted": []string{long}, "revoked": []string{long}, "item": long}))} {
				row.Detail = &of
				r := recordOf(1, row)
				for _, f := range Formats {
					messages := f.Render(r, "v1")
					for _, m := range messages {
						assert.LessOrEqual(t, len(m.Text), longestMessage, "%s: %d of %q", f.Name, n, text)
					}
					if f.Name == JSONL.Name {
						whole := !bytes.Contains(messages[0].Text, []byte(`"detail":{"too_long":true}`))
						assert.Equal(t, len(encoded(r.line())) <= longestMessage, whole, "%d of %q: what is cut says so, and nothing is that need not be", n, text)
					}
				}
			}
		}
	}
}

// What each action is in OCSF, as docs/export.md says it: by the activity's type, those of which it is not
// 300403, Entity Management: Update; and by severity, those of which it is not informational.
func TestWhatAnActionIs(t *testing.T) {
	types, severities := map[string]int{}, map[string]int{}
	list := func(into map[string]int, number int, names string) {
		for name := range strings.SplitSeq(names, ",") {
			require.Contains(t, actions, name)
			require.NotContains(t, into, name)
			into[name] = number
		}
	}
	list(types, 300101, "created,prepared")
	list(types, 300102, "enabled,restored")
	list(types, 300105, "disabled")
	list(types, 300106, "deleted,found_gone")
	list(types, 300199, "adopted,updated,stripped,hand_over_begun,handed_over,not_found,relabelled,unlinked,appears_at_sign_in,drift_seen,freed,withheld,left_underway")
	list(types, 300401, "held,task_opened,hold_placed,approval_asked,exception_placed,request_made,emergency_granted,stand_in_set,review_started,ledger imported")
	list(types, 300402, "ledger exported")
	list(types, 300404, "cancel,discard,erased,task_withdrawn,hold_released,retention_reset,retention_lapsed,exception_ended,exception_lapsed,request_expired,request_cancelled,stand_in_ended")
	list(types, 300412, "suspend")
	list(types, 300413, "reinstate")
	list(severities, 6, "suspend,held,emergency_granted,request_disputed,audit_restarted")
	list(severities, 3, "drift_seen,erased,needs_attention,skip,release,task_overdue,task_refuse,exception_placed,scan_believed,ledger exported,ledger imported,audit_redacted")
	for action := range actions {
		row := sample()
		row.Action, row.Detail = action, nil
		var e ocsfEvent
		require.NoError(t, json.Unmarshal(OCSF.Render(recordOf(1, row), "v1")[0].Text, &e))
		want := types[action]
		if want == 0 {
			want = 300403
		}
		assert.Equal(t, want, e.TypeUID, action)
		assert.Equal(t, []any{want / 100, want % 100, action, row.At / 1000}, []any{int(e.ClassUID), e.ActivityID, e.Metadata.EventCode, e.Time}, action)
		severity := severities[action]
		if severity == 0 {
			severity = 1
		}
		assert.Contains(t, string(CEF.Render(recordOf(1, row), "v1")[0].Text), fmt.Sprintf("|%s|%s|%d|rt=", action, actions[action].title, severity))
		assert.Equal(t, map[int]string{1: "Informational", 3: "Low", 6: "Medium"}[severity], e.Severity, action)
	}
}

func TestWhoDidIt(t *testing.T) {
	var e ocsfEvent
	row := sample()
	require.NoError(t, json.Unmarshal(OCSF.Render(recordOf(1, row), "v1")[0].Text, &e))
	assert.Equal(t, ocsfActor{AppName: "Tenure"}, e.Actor)
	row.Actor, row.Login = "olga", "root"
	require.NoError(t, json.Unmarshal(OCSF.Render(recordOf(1, row), "v1")[0].Text, &e))
	assert.Equal(t, ocsfActor{AppName: "Tenure", User: &ocsfUser{UID: "olga", Name: "root"}}, e.Actor)
	assert.Contains(t, string(CEF.Render(recordOf(1, row), "v1")[0].Text), " suid=olga suser=root ")
}

func TestUnknownActionsAreRendered(t *testing.T) {
	row := sample()
	row.Action = "something new"
	var e ocsfEvent
	require.NoError(t, json.Unmarshal(OCSF.Render(recordOf(1, row), "v1")[0].Text, &e))
	assert.Equal(t, 300499, e.TypeUID)
	assert.Equal(t, "something new", e.ActivityName)
}
