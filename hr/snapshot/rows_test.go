package snapshot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

var least = snapshot.Mapping{
	Columns: map[string]string{
		"workerId": "ID", "worker.workerType": "Type", "worker.givenName": "First", "worker.familyName": "Last",
		"worker.startDate": "Start", "worker.endDate": "End", "worker.attributes.badge": "Badge", "worker.location.timeZone": "site.zone",
	},
	Defaults:   map[string]string{"worker.location.timeZone": "Europe/Berlin"},
	Values:     map[string]map[string]string{"worker.workerType": {"Regular": "employee"}},
	DateFormat: format("D.M.YYYY"),
}

func format(pattern string) snapshot.DateFormat {
	f, err := snapshot.ParseDateFormat(pattern)
	if err != nil {
		panic(err)
	}
	return f
}

func TestFormats(t *testing.T) {
	want := hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg, von", StartDate: date("2026-01-05"),
		Location: hr.Location{TimeZone: "Europe/Berlin"}, Attributes: map[string]string{"badge": "7"},
	}
	const names = "ID,Type,First,Last,Start,End,Badge,site.zone,Other\n"
	tests := map[string]string{
		"commas":     names + "10001,Regular,Ada,\"Berg, von\",5.1.2026,31.12.9999,7,,x\n",
		"semicolons": strings.ReplaceAll(names, ",", ";") + "10001;Regular;Ada;Berg, von;05.01.2026;;7;Europe/Berlin;\r\n",
		"tabs":       strings.ReplaceAll(names, ",", "\t") + "10001\temployee\t Ada \tBerg, von\t5.1.2026\t\t7\t\t",
		"mark":       "\ufeff" + names + "10001,Regular,Ada,\"Berg, von\",5.1.2026,,7,,\n",
		"jsonl": `{"ID": 10001, "Type": "Regular", "First": "Ada", "Last": "Berg, von", "Start": "5.1.2026", "End": null, "Badge": 7, "site": {"zone": ""}}` +
			"\n\n",
		"jsonl, flat": `{"ID":"10001","Type":"Regular","First":"Ada","Last":"Berg, von","Start":"5.1.2026","End":"","Badge":"7","site.zone":"Europe/Berlin"}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			rows, problems := read(text, least)
			require.Empty(t, problems)
			require.Len(t, rows, 1)
			assert.Equal(t, "10001", rows[0].PersonID)
			assert.Equal(t, want, rows[0].Profile)
		})
	}
}

// Some people have one name, which may be in either column.
func TestRowsOfPeopleWithOneName(t *testing.T) {
	rows, problems := read(header+"1,employee,Suharti,,2026-01-05,,UTC,,,,\n2,employee,,Suharto,2026-01-05,,UTC,,,,\n", mapping)
	require.Empty(t, problems)
	require.Len(t, rows, 2)
	assert.Equal(t, [2]string{"Suharti", ""}, [2]string{rows[0].Profile.GivenName, rows[0].Profile.FamilyName})
	assert.Equal(t, [2]string{"", "Suharto"}, [2]string{rows[1].Profile.GivenName, rows[1].Profile.FamilyName})
}

// An error gives the place and never the value, and the other rows are read.
func TestBadRows(t *testing.T) {
	const good = "1,,,,,,,,gone,,\n"
	tests := map[string]string{ // row -> what is wrong with it
		"2,employee,,,2026-01-05,,UTC,,,,":           `3:13: "Last" (worker.familyName) is empty, and there is no other name either`,
		",employee,Ada,Berg,2026-01-05,,UTC,,,,":     `3:1: "ID" (workerId) is empty`,
		"2 3,employee,Ada,Berg,2026-01-05,,UTC,,,,":  `3:1: "ID" (workerId) has white space in it`,
		"2,Secretary,Ada,Berg,2026-01-05,,UTC,,,,":   `3:3: "Type" (worker.workerType) must be employee, contractor,`,
		"2,employee,Ada,Berg,2026-02-30,,UTC,,,,":    `3:21: "Start" (worker.startDate) is not a date of the form YYYY-MM-DD`,
		"2,employee,Ada,Berg,0026-02-20,,UTC,,,,":    `3:21: "Start" (worker.startDate) is not in a plausible year`,
		"2,employee,Ada,Berg,2026-01-05,,Berlin,,,,": `3:33: "Zone" (worker.location.timeZone) is not the IANA name of a time zone`,
		"2,employee,Ada,Berg,2026-01-05":             "3: has another number of columns than the header",
		"2,employee,A\"da,Berg,2026-01-05,,UTC,,,,":  "3:13: is not CSV:",
	}
	for row, want := range tests {
		rows, problems := read(header+good+row+"\n"+good, mapping)
		assert.Len(t, rows, 2, row)
		require.Len(t, problems, 1, row)
		assert.True(t, strings.HasPrefix(problems[0], want), "%s: %s", row, problems[0])
		for _, secret := range []string{"Secretary", "2 3", "0026", "Berlin,"} {
			assert.NotContains(t, problems[0], secret)
		}
	}
}

func TestBadFiles(t *testing.T) {
	jsonl := `{"ID":"1","Type":"employee","First":"A","Last":"B","Start":"5.1.2026","End":"","Badge":"7","site":{"zone":"UTC"}}` + "\n"
	tests := map[string]struct {
		text string
		m    snapshot.Mapping
		want string
	}{
		"latin-1":          {header + "1,employee,Ada,Bj\xf6rk,2026-01-05,,UTC,,,,\n", mapping, "2:18: is not UTF-8 (perhaps Latin-1)"},
		"latin-1 header":   {"Stra\xdfe\n", mapping, "1:5: is not UTF-8"},
		"utf-16, no mark":  {"I\x00D\x00,\x00", mapping, "1:1: the file is UTF-16 without a byte order mark: export it as UTF-8, or convert it (iconv -f UTF-16LE"},
		"utf-16be":         {"\x00I\x00D\x00,", mapping, "1:1: the file is UTF-16 without a byte order mark: export it as UTF-8, or convert it (iconv -f UTF-16BE"},
		"utf-32":           {"\xff\xfe\x00\x00I\x00\x00\x00", mapping, "1:1: the file is UTF-32"},
		"no such column":   {strings.Replace(header, "Zone", "Zones", 1), mapping, `1: "Zone" is not the name of a column, but snapshot.columns says so; did you mean "Zones"?`},
		"a column twice":   {strings.Replace(header, "Title", "First", 1), mapping, `1: "First" is the name of two columns`},
		"JSON array":       {"[]", mapping, "1:1: the file is a JSON array"},
		"never there":      {strings.ReplaceAll(jsonl, "Badge", "badge"), least, `1: "Badge" is in no line of the file`},
		"a very long line": {"{" + strings.Repeat(" ", 2<<20), least, "1: is longer than 1 MiB"},
		"latin-1 in JSON":  {strings.Replace(jsonl, `"A"`, "\"\xe4\"", 1), least, "1:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := read(test.text, test.m)
			require.NotEmpty(t, problems)
			assert.True(t, strings.HasPrefix(problems[0], test.want), problems[0])
			assert.Len(t, problems, 1, "nothing is read after it")
		})
	}
	for _, line := range []string{"{", "7", "{} {}", `{"ID": {}}`, `{"ID": ["1"]}`} {
		rows, problems := read(jsonl+line+"\n"+jsonl, least)
		assert.Len(t, rows, 2, line)
		assert.Len(t, problems, 1, line)
	}
	for _, text := range []string{"", "\ufeff", header} {
		rows, problems := read(text, mapping)
		assert.Empty(t, rows)
		assert.Empty(t, problems)
	}
}

func TestDateFormats(t *testing.T) {
	for _, good := range []string{"YYYY-MM-DD", "DD.MM.YYYY", "M/D/YYYY", "YYYYMMDD"} {
		assert.Equal(t, good, format(good).String())
	}
	for _, bad := range []string{"", "YYYY-MM", "DD.MM.YY", "YYYY-MM-DD hh:mm", "2006-01-02", "DD.DD.YYYY", "YYYY-MM-DDT"} {
		_, err := snapshot.ParseDateFormat(bad)
		assert.Error(t, err, bad)
	}
}

func TestMappingNeedsWhatEventsNeed(t *testing.T) {
	require.NoError(t, least.Check())
	require.NoError(t, mapping.Check())
	bad := snapshot.Mapping{
		Columns:    map[string]string{"worker.title": "Title"},
		Defaults:   map[string]string{"workerId": "1", "worker.location.timeZone": "Berlin"},
		DateFormat: snapshot.DefaultDateFormat,
	}
	err := bad.Check()
	for _, want := range []string{
		"columns.worker.title: there is no field of that name", "columns: the column of workerId is missing",
		"columns: the column of worker.startDate is missing, and it has no default either",
		"defaults.workerId: people cannot share an ID", "defaults.worker.location.timeZone: is not the IANA name",
	} {
		assert.ErrorContains(t, err, want)
	}
}
