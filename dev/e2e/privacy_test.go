package e2e

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/sdk/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"

	"github.com/tenurehq/tenure/dev/story"
)

// seekPersonalData searches everything that Temporal keeps, and the log, for the personal
// data of the story.
func seekPersonalData(t *testing.T, r *rig) {
	needles := story.Personal()
	for _, p := range r.people(t) {
		needles = append(needles, p.Username, p.Username+"@example.com")
	}
	search := newSearch(needles)
	require.NotEmpty(t, search.in("he is called ALOVELACE there"))
	require.NotEmpty(t, search.in("of Ada."))
	require.NotEmpty(t, search.in(base64.StdEncoding.EncodeToString([]byte(`{"familyName":"Lovelace"}`))))
	require.Empty(t, search.in("in time, a token was taken"), "no part of a word is a short name")

	texts := map[string]string{"the log": r.log.String()}
	for _, run := range r.runs(t, "") {
		id := run.GetExecution()
		where := run.GetType().GetName() + " " + id.GetWorkflowId() + " " + id.GetRunId()
		text := textOf(t, run)
		description, err := r.temporal.DescribeWorkflowExecution(t.Context(), id.GetWorkflowId(), id.GetRunId())
		require.NoError(t, err)
		text += textOf(t, description)
		events := r.temporal.GetWorkflowHistory(t.Context(), id.GetWorkflowId(), id.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(t, err)
			text += textOf(t, event)
		}
		texts[where] = text
	}
	// The details that the UI shows for an open run are not in its history.
	for _, run := range r.runs(t, "ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'person:'") {
		id := run.GetExecution()
		answer, err := r.temporal.QueryWorkflow(t.Context(), id.GetWorkflowId(), id.GetRunId(), "__temporal_workflow_metadata")
		require.NoError(t, err)
		var details sdk.WorkflowMetadata
		require.NoError(t, answer.Get(&details))
		require.NotEmpty(t, details.GetCurrentDetails())
		texts["details of "+id.GetWorkflowId()] = details.GetCurrentDetails()
	}

	ids := withoutEventIDs()
	all := 0
	for where, text := range texts {
		all += len(text)
		for _, hit := range search.in(ids.Replace(text)) {
			assert.Fail(t, "personal data in "+where, hit)
		}
	}
	t.Logf("searched %d texts, %d characters, for %d strings", len(texts), all, len(needles))

	// The search does find something: a person's ID is found in each place.
	id := newSearch([]string{"10001"})
	assert.NotEmpty(t, id.in(texts["the log"]))
	assert.Contains(t, texts["the log"], "worker | ")
	assert.Contains(t, texts["the log"], "starter | ")
	for where, text := range texts {
		if strings.Contains(where, "person:10001") {
			assert.NotEmpty(t, id.in(text), where)
		}
	}
}

// withoutEventIDs removes the IDs of the story's events from a text. IDs are allowed
// there, and these are spelled like names ("ada-1") for people who read the story.
func withoutEventIDs() *strings.Replacer {
	var ids []string
	for _, beat := range story.Script() {
		for _, e := range beat.Events {
			ids = append(ids, `"`+e.ID+`"`, `""`)
		}
	}
	return strings.NewReplacer(ids...)
}

// textOf returns everything that a message holds: as JSON, and every string and payload
// in it as it is.
func textOf(t *testing.T, m proto.Message) string {
	t.Helper()
	text, err := protojson.Marshal(m)
	require.NoError(t, err)
	var b strings.Builder
	b.Write(text)
	require.NoError(t, protorange.Range(m.ProtoReflect(), func(p protopath.Values) error {
		if last := p.Index(-1).Value; last.IsValid() {
			switch value := last.Interface().(type) {
			case string:
				fmt.Fprintln(&b, value)
			case []byte:
				fmt.Fprintf(&b, "%s\n", value)
			}
		}
		return nil
	}))
	return b.String()
}

// search finds strings in a text.
type search struct {
	words   *regexp.Regexp // in upper and lower case
	encoded []string       // in base64
}

// short is the length of the longest names that are searched for as whole words only,
// because "Tim", for example, is a part of "time".
const short = 5

func newSearch(needles []string) search {
	var s search
	var words []string
	for _, needle := range needles {
		if len([]rune(needle)) < 3 {
			continue
		}
		word := regexp.QuoteMeta(needle)
		if len([]rune(needle)) <= short {
			word = `\b` + word + `\b`
		}
		words = append(words, word)
		s.encoded = append(s.encoded, inBase64(needle)...)
	}
	s.words = regexp.MustCompile("(?i)" + strings.Join(words, "|"))
	return s
}

// inBase64 returns the texts that a string becomes in base64 within something longer. It
// may begin at each of the three places of a group. Characters that it shares with its
// neighbours are left out, and so are results that are too short to mean anything.
func inBase64(needle string) []string {
	const telling = 6
	var all []string
	for _, spelling := range []string{needle, strings.ToLower(needle)} {
		for before := range 3 {
			text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + spelling))
			first, last := (before*8+5)/6, (before+len(spelling))*8/6
			if last-first >= telling {
				all = append(all, text[first:last])
			}
		}
	}
	return all
}

// in returns what was found, with some of the text around it.
func (s search) in(text string) []string {
	var hits []string
	for _, at := range s.words.FindAllStringIndex(text, -1) {
		hits = append(hits, text[max(0, at[0]-60):min(len(text), at[1]+60)])
	}
	for _, needle := range s.encoded {
		if strings.Contains(text, needle) {
			hits = append(hits, "base64 "+needle)
		}
	}
	return hits
}
