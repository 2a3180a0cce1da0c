package snapshot_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

const jobsHeader = "ID,Last,Dept,Title,Start,Status,Main,Job\n"

func jobsMapping(more ...string) snapshot.Mapping {
	m := snapshot.Mapping{
		Columns: map[string]string{
			snapshot.FieldPersonID: "ID", snapshot.FieldFamily: "Last", "worker.department": "Dept", "worker.jobTitle": "Title", snapshot.FieldStart: "Start",
		},
		Defaults:   map[string]string{snapshot.FieldType: "employee", snapshot.FieldZone: "Europe/Berlin"},
		DateFormat: snapshot.DefaultDateFormat,
		Left:       snapshot.Marker{Column: "Status", Values: []string{"gone"}},
	}
	if slices.Contains(more, "primary") {
		m.Primary = snapshot.Marker{Column: "Main", Values: []string{"yes"}}
	}
	if slices.Contains(more, "named") {
		m.Columns[snapshot.FieldPosition] = "Job"
	}
	return m
}

// night compares a file with the known events, reading it twice, and returns the result.
func night(t require.TestingT, m snapshot.Mapping, text string, known []hr.Event, day int) (*snapshot.Reconciliation, []hr.Event, []string) {
	rows, problems := read(text, m)
	require.Empty(t, problems)
	r, err := snapshot.New(snapshot.Options{AsOf: asOf.AddDate(0, 0, day), Source: source})
	require.NoError(t, err)
	for _, row := range rows {
		r.Count(row)
	}
	var bad []string
	for _, row := range rows {
		if err := r.Row(row, known); err != nil {
			bad = append(bad, err.Error())
		}
	}
	if !r.Saw("1") {
		require.NoError(t, r.Absent("1", known))
	}
	var events []hr.Event
	for _, c := range r.Changes() {
		events = append(events, c.Events...)
	}
	return r, events, bad
}

// jobsOf returns the positions held as texts, the primary one first.
func jobsOf(events []hr.Event, day int) (list []string) {
	for _, h := range hr.Merge("1", events).Held(asOf.AddDate(0, 0, day)) {
		list = append(list, strings.Trim(h.Profile.Department+" "+h.Profile.JobTitle, " "))
	}
	return list
}

func TestSeveralRowsAreSeveralPositions(t *testing.T) {
	const (
		sales = "1,Berg,Sales,Clerk,2025-01-15,,no,S\n"
		lab   = "1,Berg,Lab,Nurse,2025-01-15,,yes,L\n"
		chair = "1,Berg,Board,Chair,2024-06-01,,no,C\n"
		gone  = "1,Berg,Lab,Nurse,2025-01-15,gone,yes,L\n"
		moved = "1,Berg,Finance,Clerk,2025-01-15,,no,S\n"
	)
	for name, tc := range map[string]struct {
		primary bool
		nights  []string // the files of the nights
		want    []string // what is held when the next day is over
		asks    snapshot.Code
	}{
		"two at once, the first in the file is primary": {nights: []string{sales + lab}, want: []string{"Sales Clerk", "Lab Nurse"}},
		"the column says which one is":                  {primary: true, nights: []string{sales + lab}, want: []string{"Lab Nurse", "Sales Clerk"}},
		"else the one that began first":                 {nights: []string{sales + lab + chair}, want: []string{"Board Chair", "Sales Clerk", "Lab Nurse"}},
		"a second one comes":                            {nights: []string{sales, sales + lab}, want: []string{"Sales Clerk", "Lab Nurse"}},
		"one that is the primary one comes":             {primary: true, nights: []string{sales, sales + lab}, want: []string{"Lab Nurse", "Sales Clerk"}},
		"one that began earlier comes":                  {nights: []string{sales, sales + chair}, want: []string{"Board Chair", "Sales Clerk"}},
		"another one becomes the primary one":           {primary: true, nights: []string{sales + lab, strings.Replace(sales, ",no,", ",yes,", 1) + strings.Replace(lab, ",yes,", ",no,", 1)}, want: []string{"Sales Clerk", "Lab Nurse"}},
		"the second one goes":                           {nights: []string{sales, sales + lab, sales}, want: []string{"Sales Clerk"}},
		"the first one goes":                            {nights: []string{sales, sales + lab, lab}, want: []string{"Lab Nurse"}},
		"the second one is marked":                      {nights: []string{sales + lab, sales + gone}, want: []string{"Sales Clerk"}},
		"both are marked":                               {nights: []string{sales + lab, strings.Replace(sales, ",,", ",gone,", 1) + gone}},
		"all go":                                        {nights: []string{sales + lab, ""}},
		"one moves":                                     {nights: []string{sales + lab, moved + lab}, want: []string{"Finance Clerk", "Lab Nurse"}},
		"the first moves when the second comes":         {nights: []string{sales, moved + lab}, want: []string{"Finance Clerk", "Lab Nurse"}},
		"the same one twice":                            {nights: []string{sales + sales}, want: []string{"Sales Clerk"}},
		"the same one twice, then once":                 {nights: []string{sales + sales, sales}, want: []string{"Sales Clerk"}},
		"one that is over besides":                      {nights: []string{sales + gone}, want: []string{"Sales Clerk"}},
		"one that is gone is there again":               {nights: []string{sales + lab, sales, sales + lab}, want: []string{"Sales Clerk"}, asks: snapshot.CodeLeft},
		"one is taken up again from another day":        {nights: []string{sales + lab, sales, sales + strings.Replace(lab, "2025-01-15", "2026-03-06", 1)}, want: []string{"Sales Clerk", "Lab Nurse"}},
		"none is there again after all were gone":       {nights: []string{sales + lab, "", sales + lab}, asks: snapshot.CodeLeft},
		"a word that is not known of one":               {nights: []string{sales + lab, sales + strings.Replace(lab, ",,", ",weird,", 1)}, want: []string{"Sales Clerk", "Lab Nurse"}, asks: snapshot.CodeUnknownStatus},
	} {
		for _, named := range []string{"", "named"} {
			t.Run(name+" "+named, func(t *testing.T) {
				more := []string{named}
				if tc.primary {
					more = append(more, "primary")
				}
				if named != "" && strings.Contains(name, "another day") {
					return // a position with HR's own ID that has ended gives a question
				}
				m := jobsMapping(more...)
				var known []hr.Event
				var r *snapshot.Reconciliation
				for day, text := range tc.nights {
					var events []hr.Event
					var bad []string
					r, events, bad = night(t, m, jobsHeader+text, known, day)
					require.Empty(t, bad)
					known = append(known, events...)
					again, events, _ := night(t, m, jobsHeader+text, known, day)
					require.Empty(t, events, "it is settled")
					require.Equal(t, r.Questions(), again.Questions())
				}
				day := len(tc.nights) // the last day is over
				assert.Equal(t, tc.want, jobsOf(known, day), "%v", known)
				var asks snapshot.Code
				for _, q := range r.Questions() {
					asks = q.Code
				}
				assert.Equal(t, tc.asks, asks)
				assert.Empty(t, hr.Merge("1", known).Conflicts)
				assert.Equal(t, strings.Count(tc.nights[day-1], "\n"), r.Totals().Rows)
			})
		}
	}
}

// Rows that differ about the person, or about one position, are an error, and the snapshot
// gives no events about that person.
func TestRowsThatContradictEachOther(t *testing.T) {
	const sales = "1,Berg,Sales,Clerk,2025-01-15,,no,S\n"
	_, known, _ := night(t, jobsMapping("named"), jobsHeader+sales+"1,Berg,Lab,Nurse,2025-01-15,,,L\n", nil, 0)
	for name, tc := range map[string]struct{ row, want string }{
		"another name":           {"1,Hill,Lab,Nurse,2025-01-15,,no,L\n", "3: person 1 is in line 2 already, with another worker.familyName"},
		"the same job otherwise": {"1,Berg,Sales,Cook,2025-01-15,,no,S\n", "3: person 1 is in line 2 already, otherwise, and for the same position"},
	} {
		r, events, bad := night(t, jobsMapping("named"), jobsHeader+sales+tc.row, known, 1)
		require.Len(t, bad, 1, name)
		assert.True(t, strings.HasPrefix(bad[0], tc.want), bad[0])
		assert.Empty(t, events, name)
		assert.False(t, r.Infers(), name)
		assert.NotContains(t, bad[0], "Hill")
	}
}

// A row that cannot be read may be the other position, so no position counts as ended.
func TestNoPositionIsGivenUpForARowThatCannotBeRead(t *testing.T) {
	m := jobsMapping()
	_, known, _ := night(t, m, jobsHeader+"1,Berg,Sales,Clerk,2025-01-15,,,\n1,Berg,Lab,Nurse,2025-01-15,,,\n", nil, 0)
	rows, _ := read(jobsHeader+"1,Berg,Sales,Clerk,2025-01-15,,,\n", m)
	for _, o := range []snapshot.Options{{}, {OnlyPresent: true}} {
		o.AsOf, o.Source = asOf.AddDate(0, 0, 1), source
		r, err := snapshot.New(o)
		require.NoError(t, err)
		r.Count(rows[0])
		if !o.OnlyPresent {
			r.Count(nil)
		}
		require.NoError(t, r.Row(rows[0], known))
		assert.Empty(t, r.Changes())
	}
}

// Somebody whose only remaining position is not their first one can move.
func TestTheOnlyPositionLeftCanMove(t *testing.T) {
	const clerk, nurse = "1,Berg,Sales,Clerk,2025-01-01,,,\n", "1,Berg,Lab,Nurse,2025-01-02,,,\n"
	var known []hr.Event
	for day, text := range []string{clerk, clerk + nurse, nurse, strings.Replace(nurse, "Lab", "Ward", 1)} {
		r, events, _ := night(t, jobsMapping(), jobsHeader+text, known, day)
		require.Empty(t, r.Questions())
		known = append(known, events...)
	}
	assert.Equal(t, []string{"Ward Nurse"}, jobsOf(known, 4))
}

// The file does not end a position that another system has reported.
func TestPositionsOfAnotherSystemStay(t *testing.T) {
	_, known, _ := night(t, jobsMapping(), jobsHeader+"1,Berg,Sales,Clerk,2025-01-15,,,\n1,Berg,Lab,Nurse,2025-01-15,,,\n", nil, 0)
	other := said(hr.EventHired, "x", "2026-01-02", "2026-01-05", func(e *hr.Event) { e.Source, e.PositionID = "/other", "X" })
	known = append(known, other)
	_, events, _ := night(t, jobsMapping(), jobsHeader+"1,Berg,Sales,Clerk,2025-01-15,,,\n", known, 1)
	assert.Equal(t, []string{"Sales Clerk", "Engineer"}, jobsOf(append(known, events...), 2))
}

// Additional jobs that another system such as Workday lists are not in the file, and the file
// does not end them. Its one row is about the main job.
func TestJobsThatAreListedBesidesAreNotTheFiles(t *testing.T) {
	const row = "1,Berg,Sales,Clerk,2025-01-15,,,\n"
	_, known, _ := night(t, jobsMapping(), jobsHeader+row, nil, 0)
	require.Len(t, known, 1)
	tutor := *known[0].Profile
	tutor.Department, tutor.JobTitle = "Academy", "Tutor"
	listed := known[0]
	listed.Type, listed.ID = hr.EventUpdated, "listed"
	listed.Additional = &hr.AdditionalJobs{
		AsOf: listed.Effective, Whole: true, With: known[0].ID, Jobs: []hr.AdditionalJob{{PositionID: "P-2", Profile: tutor}},
	}
	for name, list := range map[string]func() []hr.Event{
		"by an event of their own": func() []hr.Event { return []hr.Event{known[0], listed} },
		"by the event itself": func() []hr.Event {
			e := known[0]
			e.Additional = &hr.AdditionalJobs{AsOf: listed.Effective, Whole: true, Jobs: listed.Additional.Jobs}
			return []hr.Event{e}
		},
	} {
		t.Run(name, func(t *testing.T) {
			told := list()
			require.Equal(t, []string{"Sales Clerk", "Academy Tutor"}, jobsOf(told, 1))
			r, events, bad := night(t, jobsMapping(), jobsHeader+row, told, 1)
			require.Empty(t, bad)
			assert.Empty(t, events)
			assert.Empty(t, r.Questions())
			_, events, bad = night(t, jobsMapping(), jobsHeader+strings.Replace(row, "Sales", "Lab", 1), told, 1)
			require.Empty(t, bad)
			assert.Equal(t, []string{"Lab Clerk", "Academy Tutor"}, jobsOf(append(told, events...), 2))
		})
	}
}

// For any rows, night after night, access is the union of the rows.
func TestAccessIsTheUnionOfTheRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := jobsMapping(rapid.SampledFrom([]string{"", "named"}).Draw(t, "IDs"), rapid.SampledFrom([]string{"", "primary"}).Draw(t, "marks"))
		var known []hr.Event
		next := 0
		jobs := map[int]string{} // by number: department
		for day := range rapid.IntRange(1, 5).Draw(t, "nights") {
			for _, n := range slices.Sorted(maps.Keys(jobs)) { // sorted, so that a failure can be reproduced
				switch rapid.IntRange(0, 5).Draw(t, "becomes") {
				case 0:
					if len(jobs) > 1 {
						delete(jobs, n)
					}
				case 1:
					jobs[n] = fmt.Sprint("D", rapid.IntRange(0, 9).Draw(t, "department"))
				}
			}
			for range rapid.IntRange(0, 2).Draw(t, "new") {
				jobs[next] = fmt.Sprint("D", rapid.IntRange(0, 9).Draw(t, "department"))
				next++
			}
			if len(jobs) == 0 {
				continue
			}
			var rows, want []string
			for _, n := range slices.Sorted(maps.Keys(jobs)) {
				department := jobs[n]
				rows = append(rows, fmt.Sprintf("1,Berg,%s,T%d,2025-01-%02d,,%s,P%d\n", department, n, n+1,
					rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "main"), n))
				want = append(want, fmt.Sprintf("%s T%d", department, n))
			}
			slices.Sort(rows)
			text := jobsHeader + strings.Join(rapid.Permutation(rows).Draw(t, "order"), "")
			r, events, bad := night(t, m, text, known, day)
			require.Empty(t, bad)
			require.Empty(t, r.Questions(), text)
			known = append(known, events...)
			// A position ends when its last day is over.
			require.ElementsMatch(t, want, jobsOf(known, day+1), "%s\n%v", text, known)
		}
	})
}

// If a file changes its IDs, departments or the order of its rows, that takes nothing from
// anybody and gives nothing back that had ended.
func TestAFileThatChangesItsMindTakesNothing(t *testing.T) {
	const (
		sales = "1,Berg,Sales,Clerk,2025-01-15,,no,S\n"
		lab   = "1,Berg,Lab,Nurse,2025-01-15,,no,L\n"
		later = "1,Berg,Lab,Nurse,2025-02-15,,no,L\n"
		ops   = "1,Berg,Ops,Nurse,2025-02-15,,no,L\n"
	)
	plain, named := jobsMapping(), jobsMapping("named")
	rename := strings.NewReplacer("Sales", "Revenue", "Lab", "Science").Replace
	renumber := strings.NewReplacer(",S\n", ",S2\n", ",L\n", ",L2\n").Replace
	lost := strings.NewReplacer("Sales", "#N/A", "Lab", "#N/A").Replace
	both := []string{"Sales Clerk", "Lab Nurse"}
	type step struct {
		m    snapshot.Mapping
		text string
	}
	for name, tc := range map[string]struct {
		steps []step
		want  []string
		asks  snapshot.Code
	}{
		"departments are lost, and there again": {[]step{{plain, sales + lab}, {plain, lost(sales + lab)}, {plain, sales + lab}}, both, ""},
		"departments are lost":                  {[]step{{plain, sales + lab}, {plain, lost(sales + lab)}}, both, ""},
		"rows change their order":               {[]step{{plain, sales + lab}, {plain, lab + sales}}, both, ""},
		"a move, an end, and there again":       {[]step{{plain, sales + later}, {plain, sales + ops}, {plain, sales}, {plain, sales + ops}}, []string{"Sales Clerk"}, snapshot.CodeLeft},
		"IDs are dropped after an end":          {[]step{{named, sales + lab}, {named, sales}, {plain, sales + lab}}, []string{"Sales Clerk"}, snapshot.CodeLeft},
		"IDs are added after an end":            {[]step{{plain, sales + lab}, {plain, sales}, {named, sales + lab}}, []string{"Sales Clerk"}, snapshot.CodeLeft},
	} {
		t.Run(name, func(t *testing.T) {
			known, asked := steps(t, len(tc.steps), func(i int) (snapshot.Mapping, string) { return tc.steps[i].m, tc.steps[i].text })
			assert.Equal(t, tc.want, jobsOf(known, 7*len(tc.steps)))
			assert.Equal(t, tc.asks, asked)
		})
	}
	for name, texts := range map[string][]string{ // it is not clear which positions they hold, only that they hold two
		"departments are renamed, and named back": {sales + lab, rename(sales + lab), sales + lab},
	} {
		t.Run(name, func(t *testing.T) {
			known, asked := steps(t, len(texts), func(i int) (snapshot.Mapping, string) { return plain, texts[i] })
			assert.Len(t, jobsOf(known, 7*len(texts)), 2)
			assert.Equal(t, snapshot.CodeLeft, asked)
		})
	}
	t.Run("IDs are renumbered, and numbered back", func(t *testing.T) {
		texts := []string{sales + later, renumber(sales + later), sales + later}
		known, asked := steps(t, len(texts), func(i int) (snapshot.Mapping, string) { return named, texts[i] })
		assert.Len(t, jobsOf(known, 7*len(texts)), 2)
		assert.Equal(t, snapshot.CodeLeft, asked)
	})
}

// steps runs nights that are a week apart, and returns the events that are known then and
// the code of the last night's question.
func steps(t *testing.T, n int, file func(i int) (snapshot.Mapping, string)) (known []hr.Event, asked snapshot.Code) {
	t.Helper()
	for i := range n {
		m, text := file(i)
		r, events, bad := night(t, m, jobsHeader+text, known, 7*i)
		require.Empty(t, bad)
		known = append(known, events...)
		asked = ""
		for _, q := range r.Questions() {
			asked = q.Code
		}
	}
	return known, asked
}

// Somebody who is no longer in the file loses the positions that the file gave, and no
// others.
func TestWhoIsGoneKeepsWhatAnotherSystemGave(t *testing.T) {
	const sales = "1,Berg,Sales,Clerk,2025-01-15,,no,S\n"
	for name, text := range map[string]string{"absent": "", "marked": strings.Replace(sales, ",,", ",gone,", 1)} {
		t.Run(name, func(t *testing.T) {
			_, known, _ := night(t, jobsMapping("named"), jobsHeader+sales, nil, 0)
			other := known[0]
			profile := *other.Profile
			profile.Department, profile.JobTitle, profile.StartDate = "Agency", "Guard", profile.StartDate.AddDays(30)
			other.Effective = profile.StartDate
			other.EventKey, other.PositionID, other.Primary, other.Profile = hr.EventKey{Source: "/agency", ID: "a-1"}, "A", false, &profile
			known = append(known, other)
			_, events, bad := night(t, jobsMapping("named"), jobsHeader+text, known, 7)
			require.Empty(t, bad)
			assert.Equal(t, []string{"Agency Guard"}, jobsOf(append(known, events...), 9))
		})
	}
}
