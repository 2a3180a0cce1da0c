package workday_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/workday"
)

// record is one record of worker 701, who was hired on 2025-01-01.
type record struct {
	asOf    string // empty if the record does not say
	asked   bool   // the record says that it was requested with additional jobs
	status  string // Worker_Status_Data besides Hire_Date and Active
	hired   string // Hire_Date, if it is not 2025-01-01
	jobs    []job  // the primary one first
	entries []entry
	undone  []undone
}

// job is one of the jobs that a record lists.
type job struct{ id, title, start, last string }

// entry is one transaction; entered is a day.
type entry struct{ wid, process, effective, entered string }

// undone is a transaction that was rescinded or corrected.
type undone struct {
	main, by   entry
	correction bool
}

func (r record) xml() []byte {
	var b strings.Builder
	b.WriteString(`<wd:Get_Workers_Response xmlns:wd="urn:com.workday/bsvc">`)
	if r.asOf != "" {
		fmt.Fprintf(&b, `<wd:Response_Filter><wd:As_Of_Effective_Date>%s</wd:As_Of_Effective_Date></wd:Response_Filter>`, r.asOf)
	}
	if r.asked {
		b.WriteString(`<wd:Response_Group><wd:Include_Additional_Jobs>1</wd:Include_Additional_Jobs></wd:Response_Group>`)
	}
	b.WriteString(`<wd:Response_Data><wd:Worker><wd:Worker_Reference><wd:ID wd:type="Employee_ID">701</wd:ID></wd:Worker_Reference><wd:Worker_Data>
<wd:Personal_Data><wd:Name_Data><wd:Legal_Name_Data><wd:Name_Detail_Data><wd:First_Name>Wanda</wd:First_Name><wd:Last_Name>Pike</wd:Last_Name></wd:Name_Detail_Data></wd:Legal_Name_Data></wd:Name_Data></wd:Personal_Data>
<wd:Employment_Data>`)
	for i, j := range r.jobs {
		fmt.Fprintf(&b, `<wd:Worker_Job_Data wd:Primary_Job="%d"><wd:Position_Data>`, map[bool]int{true: 1}[i == 0])
		if j.id != "" {
			fmt.Fprintf(&b, `<wd:Position_ID>%s</wd:Position_ID>`, j.id)
		}
		fmt.Fprintf(&b, `<wd:Business_Title>%s</wd:Business_Title><wd:Start_Date>%s</wd:Start_Date>`, j.title, j.start)
		if j.last != "" {
			fmt.Fprintf(&b, `<wd:End_Date>%s</wd:End_Date>`, j.last)
		}
		fmt.Fprintf(&b, `</wd:Position_Data><wd:Position_Organizations_Data><wd:Position_Organization_Data><wd:Organization_Data><wd:Organization_Name>dept of %s</wd:Organization_Name>`+
			`<wd:Organization_Type_Reference><wd:ID wd:type="Organization_Type_ID">Supervisory</wd:ID></wd:Organization_Type_Reference></wd:Organization_Data></wd:Position_Organization_Data></wd:Position_Organizations_Data></wd:Worker_Job_Data>`, j.id)
	}
	status := r.status
	if !strings.Contains(status, "Active") {
		status = "<Active>1</Active>" + status
	}
	fmt.Fprintf(&b, `<wd:Worker_Status_Data><wd:Hire_Date>%s</wd:Hire_Date>%s</wd:Worker_Status_Data></wd:Employment_Data><wd:Transaction_Log_Entry_Data>`, cmp.Or(r.hired, "2025-01-01"), status)
	for _, e := range r.entries {
		fmt.Fprintf(&b, `<wd:Transaction_Log_Entry>%s</wd:Transaction_Log_Entry>`, e.xml())
	}
	b.WriteString(`</wd:Transaction_Log_Entry_Data>`)
	for _, u := range r.undone {
		fmt.Fprintf(&b, `<wd:Transaction_Log_Corrected_And_Rescinded_Data><wd:Main_Transaction_Data>%s</wd:Main_Transaction_Data>`+
			`<wd:Correction_Or_Rescind_Data><wd:Transaction_Log_Reference><wd:ID wd:type="WID">%s</wd:ID></wd:Transaction_Log_Reference>`+
			`<wd:Is_Correction>%t</wd:Is_Correction><wd:Transaction_Entry_Moment>%sT09:00:00+01:00</wd:Transaction_Entry_Moment></wd:Correction_Or_Rescind_Data></wd:Transaction_Log_Corrected_And_Rescinded_Data>`,
			u.main.xml(), u.by.wid, u.correction, u.by.entered)
	}
	b.WriteString(`</wd:Worker_Data></wd:Worker></wd:Response_Data></wd:Get_Workers_Response>`)
	return []byte(b.String())
}

func (e entry) xml() string {
	return fmt.Sprintf(`<wd:Transaction_Log_Reference><wd:ID wd:type="WID">%s</wd:ID></wd:Transaction_Log_Reference><wd:Transaction_Log_Data>`+
		`<wd:Transaction_Log_Type_Reference><wd:ID wd:type="Business_Process_Type">%s</wd:ID></wd:Transaction_Log_Type_Reference>`+
		`<wd:Transaction_Effective_Moment>%sT00:00:00.000-08:00</wd:Transaction_Effective_Moment><wd:Transaction_Entry_Moment>%sT09:00:00+01:00</wd:Transaction_Entry_Moment></wd:Transaction_Log_Data>`,
		e.wid, e.process, e.effective, e.entered)
}

// decode returns the events of records as the ledger keeps them: the first one of each key.
func decode(t require.TestingT, records ...record) []hr.Event {
	opened, err := workday.Kind.Open(source.Settings{"zone": "UTC"})
	require.NoError(t, err)
	var events []hr.Event
	for _, r := range records {
		said, _, err := opened.Decode(source.Record{Value: r.xml()})
		require.NoError(t, err)
		for _, e := range said {
			if !slices.ContainsFunc(events, func(k hr.Event) bool { return k.EventKey == e.EventKey }) {
				events = append(events, e)
			}
		}
	}
	return events
}

// held returns the titles of the jobs that somebody holds at the beginning of a day, the
// primary one first.
func held(t hr.Timeline, day string) (titles []string) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	for _, h := range t.Held(at) {
		if !h.Starts.After(at) {
			titles = append(titles, h.Profile.JobTitle)
		}
	}
	return titles
}

func asked(t hr.Timeline) (list []string) {
	for _, c := range t.Conflicts {
		wid, _, _ := strings.Cut(c.Event.ID, "-jobs-")
		list = append(list, fmt.Sprint(c.Code, " ", wid))
	}
	return list
}

var (
	hire   = entry{"w1", "Hire Employee", "2025-01-01", "2024-12-01"}
	add    = entry{"w2", "Add_Additional_Job", "2026-03-01", "2026-02-20"}
	end    = entry{"w3", "End Additional Job", "2026-05-31", "2026-05-20"}
	change = entry{"w4", "Change Job", "2026-06-10", "2026-06-09"}
	nurse  = job{"P-1", "Nurse", "2025-01-01", ""}
	tutor  = job{"P-2", "Tutor", "2026-03-01", ""}

	hiredOnly = record{asOf: "2025-01-01", jobs: []job{nurse}, entries: []entry{hire}}
	addedTo   = record{asOf: "2026-03-01", jobs: []job{nurse, tutor}, entries: []entry{hire, add}}
)

func TestSeveralJobs(t *testing.T) {
	ended := record{asOf: "2026-06-01", asked: true, jobs: []job{nurse}, entries: []entry{hire, add, end}}
	head := job{"P-1b", "Head Nurse", "2026-06-10", ""}
	for _, c := range []struct {
		name    string
		records []record
		held    map[string][]string // by day
		asked   []string
	}{
		{name: "one job", records: []record{hiredOnly}, held: map[string][]string{"2026-04-01": {"Nurse"}}},
		{
			name: "one job whose position changes", records: []record{hiredOnly, {asOf: "2026-06-10", asked: true, jobs: []job{head}, entries: []entry{hire, change}}},
			held: map[string][]string{"2026-06-09": {"Nurse"}, "2026-06-10": {"Head Nurse"}},
		},
		{
			name: "another one is added", records: []record{hiredOnly, addedTo},
			held: map[string][]string{"2026-02-28": {"Nurse"}, "2026-03-01": {"Nurse", "Tutor"}, "2026-12-01": {"Nurse", "Tutor"}},
		},
		{
			name: "and ended", records: []record{hiredOnly, addedTo, ended},
			held: map[string][]string{"2026-05-31": {"Nurse", "Tutor"}, "2026-06-01": {"Nurse"}},
		},
		{
			name: "with its last day", records: []record{hiredOnly, addedTo, {asOf: "2026-05-31", jobs: []job{nurse, {"P-2", "Tutor", "2026-03-01", "2026-05-31"}}, entries: []entry{end}}},
			held: map[string][]string{"2026-05-31": {"Nurse", "Tutor"}, "2026-06-01": {"Nurse"}},
		},
		{
			name: "by a record that was asked for without additional jobs", records: []record{hiredOnly, addedTo, {asOf: "2026-06-01", jobs: []job{nurse}, entries: []entry{end}}},
			held: map[string][]string{"2026-06-01": {"Nurse", "Tutor"}}, asked: []string{"additional_job w3"},
		},
		{
			name: "which asks nobody where no additional job is known", records: []record{hiredOnly, {asOf: "2026-06-01", jobs: []job{nurse}, entries: []entry{end}}},
			held: map[string][]string{"2026-06-01": {"Nurse"}},
		},
		{
			name: "something else is changed, by a record without additional jobs", records: []record{hiredOnly, addedTo, {asOf: "2026-06-10", jobs: []job{nurse}, entries: []entry{change}}},
			held: map[string][]string{"2026-06-10": {"Nurse", "Tutor"}},
		},
		{
			name: "a record without jobs", records: []record{hiredOnly, addedTo, {asOf: "2026-06-10", asked: true, entries: []entry{change}}},
			held: map[string][]string{"2026-06-10": {"", "Tutor"}},
		},
		{
			name: "the position of the primary one changes", records: []record{hiredOnly, addedTo, {asOf: "2026-06-10", jobs: []job{head, tutor}, entries: []entry{change}}},
			held: map[string][]string{"2026-06-09": {"Nurse", "Tutor"}, "2026-06-10": {"Head Nurse", "Tutor"}},
		},
		{
			name: "the other becomes the primary one", records: []record{hiredOnly, addedTo, {
				asOf: "2026-06-10", jobs: []job{tutor, nurse}, entries: []entry{{"w5", "Switch Primary Job", "2026-06-10", "2026-06-09"}},
			}},
			held: map[string][]string{"2026-06-09": {"Nurse", "Tutor"}, "2026-06-10": {"Tutor", "Nurse"}},
		},
		{
			name: "and the first one ends", records: []record{hiredOnly, addedTo, {
				asOf: "2026-06-10", jobs: []job{tutor, nurse}, entries: []entry{{"w5", "Switch Primary Job", "2026-06-10", "2026-06-09"}},
			}, {asOf: "2026-07-01", asked: true, jobs: []job{tutor}, entries: []entry{{"w6", "End Additional Job", "2026-06-30", "2026-06-20"}}}},
			held: map[string][]string{"2026-06-10": {"Tutor", "Nurse"}, "2026-07-01": {"Tutor"}},
		},
		{
			name: "hired into two at once", records: []record{{
				asOf: "2025-01-01", jobs: []job{nurse, {"P-9", "Guard", "2025-01-01", ""}}, entries: []entry{hire},
			}},
			held: map[string][]string{"2025-01-01": {"Nurse", "Guard"}},
		},
		{
			name: "the end is dated back behind a change", records: []record{
				hiredOnly, addedTo, {asOf: "2026-06-10", jobs: []job{nurse, tutor}, entries: []entry{change}},
				{asOf: "2026-06-20", asked: true, jobs: []job{nurse}, entries: []entry{{"w3", "End Additional Job", "2026-05-31", "2026-06-20"}}},
			},
			held: map[string][]string{"2026-06-19": {"Nurse", "Tutor"}, "2026-06-20": {"Nurse"}},
		},
		{
			name: "no record says as of when it is", records: []record{
				hiredOnly, {jobs: []job{nurse, tutor}, entries: []entry{add}}, {asked: true, jobs: []job{nurse}, entries: []entry{{"w3", "End Additional Job", "2026-05-31", "2026-06-20"}}},
			},
			held: map[string][]string{"2026-03-01": {"Nurse", "Tutor"}, "2026-06-20": {"Nurse"}},
		},
		{
			name: "the addition is rescinded", records: []record{hiredOnly, addedTo, {
				asOf: "2026-02-25", asked: true, jobs: []job{nurse}, undone: []undone{{main: add, by: entry{wid: "w7", entered: "2026-02-25"}}},
			}},
			held: map[string][]string{"2026-03-01": {"Nurse"}},
		},
		{
			name: "after a change that listed it", records: []record{hiredOnly, addedTo, {
				asOf: "2026-06-10", jobs: []job{nurse, tutor}, entries: []entry{change},
			}, {
				asOf: "2026-06-12", asked: true, jobs: []job{nurse}, entries: []entry{hire, change}, undone: []undone{{main: add, by: entry{wid: "w7", entered: "2026-06-12"}}},
			}},
			held: map[string][]string{"2026-06-12": {"Nurse"}},
		},
		{
			name: "the end is rescinded", records: []record{hiredOnly, addedTo, ended, {
				asOf: "2026-06-20", jobs: []job{nurse, tutor}, undone: []undone{{main: end, by: entry{wid: "w7", entered: "2026-06-20"}}},
			}},
			held: map[string][]string{"2026-06-10": {"Nurse", "Tutor"}, "2026-07-01": {"Nurse", "Tutor"}},
		},
		{
			name: "after a change without it", records: []record{hiredOnly, addedTo, ended, {asOf: "2026-06-10", asked: true, jobs: []job{nurse}, entries: []entry{end, change}}, {
				asOf: "2026-06-20", jobs: []job{nurse, tutor}, entries: []entry{change}, undone: []undone{{main: end, by: entry{wid: "w7", entered: "2026-06-20"}}},
			}},
			held: map[string][]string{"2026-06-20": {"Nurse", "Tutor"}},
		},
		{
			name: "the end is corrected", records: []record{hiredOnly, addedTo, ended, {
				asOf: "2026-05-25", jobs: []job{nurse, {"P-2", "Tutor", "2026-03-01", "2026-07-31"}},
				undone: []undone{{main: entry{"w3", "End Additional Job", "2026-05-25", "2026-05-20"}, by: entry{wid: "w7", entered: "2026-05-25"}, correction: true}},
			}},
			held: map[string][]string{"2026-06-10": {"Nurse", "Tutor"}, "2026-08-01": {"Nurse"}},
		},
		{
			name: "it is listed again, and nobody rescinded its end", records: []record{hiredOnly, addedTo, ended, {asOf: "2026-06-10", jobs: []job{nurse, tutor}, entries: []entry{change}}},
			held: map[string][]string{"2026-06-10": {"Nurse"}}, asked: []string{"additional_job w4"},
		},
		{
			name: "terminated with two", records: []record{hiredOnly, addedTo, {
				asOf: "2026-06-30", jobs: []job{nurse, tutor}, status: "<Termination_Date>2026-06-30</Termination_Date>", entries: []entry{{"w8", "Terminate Employee", "2026-06-30", "2026-06-01"}},
			}},
			held: map[string][]string{"2026-06-30": {"Nurse", "Tutor"}, "2026-07-01": nil},
		},
		{
			name: "and rehired, with another", records: []record{hiredOnly, addedTo, {
				asOf: "2026-06-30", jobs: []job{nurse, tutor}, status: "<Termination_Date>2026-06-30</Termination_Date>", entries: []entry{{"w8", "Terminate Employee", "2026-06-30", "2026-06-01"}},
			}, {
				asOf: "2026-09-01", hired: "2026-09-01", status: "<Rehire>1</Rehire>", jobs: []job{{"P-1", "Nurse", "2026-09-01", ""}, {"P-2", "Tutor", "2026-09-15", ""}}, entries: []entry{{"w9", "Hire Employee", "2026-09-01", "2026-08-20"}},
			}},
			held: map[string][]string{"2026-08-01": nil, "2026-09-01": {"Nurse"}, "2026-09-15": {"Nurse", "Tutor"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := decode(t, c.records...)
			got := hr.Merge("701", events)
			for day, want := range c.held {
				assert.Equal(t, want, held(got, day), day)
			}
			assert.Equal(t, c.asked, asked(got))
			main := slices.DeleteFunc(slices.Clone(events), func(e hr.Event) bool { return e.ListsOnly() })
			assert.Equal(t, hr.Merge("701", main).Periods, got.Periods, "lists say nothing of the primary job")
			slices.Reverse(events)
			assert.Equal(t, got, hr.Merge("701", append(events, events...)), "in whatever order, and however often")
		})
	}
}

// An additional job that lacks a field is an error, and an urgent one if a job ends.
func TestJobsThatCannotBeTold(t *testing.T) {
	opened, err := workday.Kind.Open(source.Settings{"zone": "UTC"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		record record
		want   string
		urgent bool
	}{
		"no ID":           {record{jobs: []job{nurse, {"", "Tutor", "2026-03-01", ""}}, entries: []entry{add}}, "Position_ID is missing", false},
		"no ID at an end": {record{jobs: []job{nurse, {"", "Tutor", "2026-03-01", ""}}, entries: []entry{end}}, "Position_ID is missing", true},
		"no start":        {record{jobs: []job{nurse, {"P-2", "Tutor", "", ""}}, entries: []entry{add}}, "Start_Date is missing", false},
		"one ID for two":  {record{jobs: []job{nurse, tutor, tutor}, entries: []entry{add}}, "Position_ID is that of two jobs", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := opened.Decode(source.Record{Value: c.record.xml()})
			var refusal *source.Error
			require.ErrorAs(t, err, &refusal)
			assert.ErrorContains(t, err, c.want)
			assert.Equal(t, c.urgent, refusal.Urgent)
			assert.Equal(t, "701", refusal.Person)
		})
	}
}

// An additional job has its own organisations, and the name of its holder.
func TestAnAdditionalJobsProfile(t *testing.T) {
	events := decode(t, addedTo)
	require.Len(t, events, 3, "what is listed is an event of its own")
	list := events[2].Additional
	require.NotNil(t, list)
	require.Len(t, list.Jobs, 1)
	assert.Equal(t, "P-2", list.Jobs[0].PositionID)
	profile := list.Jobs[0].Profile
	assert.Equal(t, "dept of P-2", profile.Department)
	assert.Equal(t, "Wanda", profile.GivenName)
	assert.Equal(t, "2026-03-01", profile.StartDate.String())
}

// stint is one span of time in which a life holds a job. hidden means that no record lists
// the job with its last day.
type stint struct {
	job
	from, until hr.Date // until is the last day; zero while none is known
	hidden      bool
	listed      hr.Date // first day as of which a record lists it; zero if none does
}

// life is a random life with a primary job and up to two others at once, told in records.
// Each change is entered on its day, and may take effect later.
type life struct {
	day     hr.Date
	n       int
	main    job
	stints  []*stint
	entries []entry
	records []record
	whole   bool // all records were requested with all jobs
}

// open returns the stint of a position that has no end yet, or ends on or after a day.
func (l *life) open(id string, day hr.Date) *stint {
	for _, s := range l.stints {
		if s.id == id && (s.until.IsZero() || s.until.Compare(day) >= 0) {
			return s
		}
	}
	return nil
}

// jobs returns the jobs that are held on a day, as far as is known, the primary one first.
func (l *life) jobs(day hr.Date) (list []job) {
	list = append(list, l.main)
	for _, s := range l.stints {
		if s.from.Compare(day) <= 0 && (s.until.IsZero() || s.until.Compare(day) >= 0) {
			j := s.job
			if !s.hidden && !s.until.IsZero() {
				j.last = s.until.String()
			}
			list = append(list, j)
		}
	}
	return list
}

// tell adds a record of a transaction.
func (l *life) tell(t *rapid.T, process string, effective, asOf hr.Date) {
	l.n++
	l.entries = append(l.entries, entry{fmt.Sprint("w", l.n), process, effective.String(), l.day.String()})
	asked := rapid.IntRange(0, 5).Draw(t, "asked for with all") > 0
	from := rapid.IntRange(0, l.n-1).Draw(t, "how much of the log")
	r := record{asked: asked, jobs: l.jobs(asOf), entries: slices.Clone(l.entries[from:])}
	r.entries = slices.DeleteFunc(r.entries, func(e entry) bool { return e.effective > asOf.String() }) // left out: they take effect after the record's day
	r.asOf = asOf.String()
	if !asked {
		r.jobs = r.jobs[:1]
	}
	for _, s := range l.stints {
		has := slices.ContainsFunc(r.jobs[1:], func(j job) bool { return j.title == s.title })
		if has && (s.listed.IsZero() || asOf.Compare(s.listed) < 0) {
			s.listed = asOf
		}
	}
	l.whole = l.whole && asked
	l.records = append(l.records, r)
}

func drawLife(t *rapid.T) *life {
	l := &life{day: hr.Date{Year: 2026, Month: 1, Day: 1}, main: nurse, whole: true}
	l.tell(t, "Hire Employee", l.day, l.day)
	for i := range rapid.IntRange(1, 8).Draw(t, "transactions") {
		l.day = l.day.AddDays(rapid.IntRange(1, 30).Draw(t, "days"))
		effective := l.day.AddDays(rapid.IntRange(-10, 40).Draw(t, "ahead"))
		if rapid.Bool().Draw(t, "today") {
			effective = l.day
		}
		asOf := effective
		if l.day.Compare(asOf) > 0 {
			asOf = l.day
		}
		id := rapid.SampledFrom([]string{"P-2", "P-3"}).Draw(t, "position")
		s := l.open(id, l.day.AddDays(-10))
		switch what := rapid.IntRange(0, 4).Draw(t, "what"); {
		case what == 0:
			l.tell(t, "Change Job", effective, asOf)
		case s == nil:
			l.stints = append(l.stints, &stint{job: job{id, fmt.Sprint(id, " ", i), effective.String(), ""}, from: effective})
			l.tell(t, "Add Additional Job", effective, asOf)
		case s.until.IsZero() && s.from.Compare(effective) <= 0:
			s.until, s.hidden = effective, rapid.Bool().Draw(t, "without its last day")
			after := rapid.IntRange(0, 1).Draw(t, "as of the day after")
			l.whole = l.whole && (!s.hidden || after == 1 || asOf.Compare(effective) > 0)
			l.tell(t, "End Additional Job", effective, asOf.AddDays(after))
		}
	}
	return l
}

// The order and repetition of a life's records make no difference: in the end the person has
// the access of the jobs that they hold. Nobody loses any of it. If a job that has ended is
// kept because a record does not list all jobs, there is a conflict, or its end was never
// known.
func TestTheOrderOfRecordsMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		inOrder := hr.Merge("701", decode(t, l.records...))
		order := rapid.Permutation(slices.Concat(l.records, l.records)).Draw(t, "order")
		got := hr.Merge("701", decode(t, order...))
		for _, r := range l.records {
			t.Logf("record %+v", r)
		}
		for _, s := range l.stints {
			t.Logf("stint %+v", *s)
		}
		for day := l.day.AddDays(1); day.Compare(l.day.AddDays(60)) < 0; day = day.AddDays(1) {
			var want, known []string
			for _, j := range l.jobs(day) {
				want = append(want, j.title)
			}
			for _, s := range l.stints {
				if !s.listed.IsZero() && s.listed.Compare(day) <= 0 && slices.Contains(want, s.title) {
					known = append(known, s.title)
				}
			}
			has := held(got, day.String())
			require.Equal(t, "Nurse", has[0])
			if len(asked(got)) == 0 {
				require.Subset(t, has, known, "lost on %s", day)
			}
			if l.whole && len(asked(inOrder)) == 0 {
				require.ElementsMatch(t, want, held(inOrder, day.String()), "%s", day)
			}
			if l.whole && len(asked(got)) == 0 {
				require.ElementsMatch(t, want, has, "%s", day)
			}
		}
	})
}
