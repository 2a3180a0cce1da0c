package snapshot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

const mangledHeader = "ID,Type,First,Last,Start,End,Zone,Title,Status,Last day,Since\n"

// If a new ID and one that is gone are almost the same, there is a question, and no event is
// sent about either.
func TestMangledIDs(t *testing.T) {
	for _, c := range []struct {
		gone, found string
		asked       bool
	}{
		{"00004", "4", true},
		{"4", "00004", true},
		{"00004", "'00004", true},
		{"00004", "=\"00004\"", true},
		{"00004", "4.0", true},
		{"A7", "a7", true},
		{"123456789012", "1.23457E+11", true},
		{"123456789012", "1,23457e11", true},
		{"123446789012", "1.23457E+11", false},
		{"1.23457E+11", "123456789012", true},
		{"400000", "4E+5", true},
		{"00004", "40", false},
		{"104", "4", false},
		{"0", "00", true},
		{"300000", "3.00E+05", true},
		{"12E5", "1.20E+06", true},
		{"12E5", "1200000", true},
		{"1E10", "10000000000", true},
		{"12E5", "1.30E+06", false},
		{"12345", "12,345", true},
		{"1234567", "1.234.567,00", true},
		{"1234567", "1'234'567", true},
		{"4000", "4.000", true},
		{"4", "4.000", true},
		{"12345", "123,45", false},
		{"4912345", "+4912345", true},
		{"1234567890123456789", "1234567890123450000", true},
		{"1234567890123456789", "1234567890123400000", false},
		{"MAR1", "1-Mar", true},
		{"MAR1", "01.03.2026", true},
		{"SEPT2", "2-Sep", true},
		{"DEC15", "15-Dez", true},
		{"3-1", "1-Mar", true},
		{"3-1", "3-Jan", true},
		{"1-3", "2026-03-01", true},
		{"MAR98", "1998-03-01", true},
		{"10/26", "Oct-26", true},
		{"F\u00c9V3", "3-f\u00e9vr.", true},
		{"3-1", "1-3", false},
		{"MAR1", "2-Mar", false},
		{"1-Mar", "MAR1", true},
		{"JUN7", "7-Jul", false},
		{"M\u00dc-17", "MU\u0308-17", true},
		{"\uff11\uff12", "12", true},
	} {
		t.Run(c.gone+" "+c.found, func(t *testing.T) {
			r, err := snapshot.New(snapshot.Options{AsOf: instant("2026-06-01T06:00:00Z"), Source: source})
			require.NoError(t, err)
			rows, problems := read(mangledHeader+"\""+strings.ReplaceAll(c.found, "\"", "\"\"")+"\",employee,Ada,Berg,2026-01-05,,UTC,,,,\n", mapping)
			require.Empty(t, problems)
			require.NoError(t, r.Row(rows[0], nil))
			require.NoError(t, r.Absent(c.gone, []hr.Event{{
				EventKey: hr.EventKey{Source: source, ID: "h"}, Type: hr.EventHired, PersonID: c.gone,
				Recorded: instant("2026-01-01T00:00:00Z"), Effective: date("2026-01-05"), Profile: &hr.Profile{
					Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", StartDate: date("2026-01-05"),
					Location: hr.Location{TimeZone: "UTC"},
				},
			}}))
			if !c.asked {
				assert.Len(t, r.Changes(), 2)
				assert.Empty(t, r.Questions())
				return
			}
			assert.Empty(t, r.Changes())
			require.Len(t, r.Questions(), 1)
			assert.Equal(t, snapshot.CodeMangledID, r.Questions()[0].Code)
			assert.Zero(t, r.Totals().Hires+r.Totals().Leavers)
			assert.Equal(t, 1, r.Totals().Employed)
		})
	}
}

// Additions by spreadsheets and databases to a file make no difference.
func TestFilesAsTheyCome(t *testing.T) {
	row := "1,employee,Ada,Berg,2026-01-05,,UTC,,,,\n"
	want, problems := read(mangledHeader+row, mapping)
	require.Empty(t, problems)
	semicolons := strings.NewReplacer(",", ";").Replace
	for name, text := range map[string]string{
		"sep":               "sep=;\n" + semicolons(mangledHeader+row),
		"quoted sep, CR LF": "\ufeff\"sep=,\"\r\n" + strings.ReplaceAll(mangledHeader+row, "\n", "\r\n"),
		"carriage returns":  strings.ReplaceAll(mangledHeader+row, "\n", "\r"),
		"empty rows":        mangledHeader + ",,,,,,,,,,\n\n" + row + " ,,,,,,,,,,\n",
		"times":             mangledHeader + "1,employee,Ada,Berg,2026-01-05 00:00:00.000,0000-00-00,UTC,,,0000-00-00 00:00:00,\n",
		"T":                 mangledHeader + "1,employee,Ada,Berg,2026-01-05T00:00:00Z,,UTC,,,,\n",
		"no values":         mangledHeader + "1,employee,Ada,Berg,2026-01-05,NULL,UTC,NaN,,-,(null)\n",
	} {
		t.Run(name, func(t *testing.T) {
			rows, problems := read(text, mapping)
			require.Empty(t, problems)
			require.Len(t, rows, 1)
			assert.Equal(t, want[0].Profile, rows[0].Profile)
			assert.Zero(t, rows[0].LastDay)
			assert.Zero(t, rows[0].Effective)
		})
	}
	_, problems = read("1;employee;Ada Geheim;Berg\n2;employee;Bo;Carl\n", mapping)
	require.Len(t, problems, 1)
	assert.NotContains(t, problems[0], "Geheim", "a file without a header tells of nobody")
	_, problems = read(mangledHeader+"1,employee,#N/A,Berg,2026-01-05,,UTC,,,,\n2,employee,Ada,Null,0000-00-00,,UTC,,,,\n", mapping)
	assert.Equal(t, []string{`2:12: "First" (worker.givenName) is empty`, `3:21: "Start" (worker.startDate) is empty`}, problems)
}

// A value that the file has lost stays as it is known. A word for "none" removes the value.
func TestErrorValues(t *testing.T) {
	known := []hr.Event{{
		EventKey: hr.EventKey{Source: source, ID: "h"}, Type: hr.EventHired, PersonID: "1",
		Recorded: instant("2026-01-01T00:00:00Z"), Effective: date("2026-01-05"), Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", StartDate: date("2026-01-05"),
			JobTitle: "Clerk", Location: hr.Location{TimeZone: "UTC"},
		},
	}}
	for title, changed := range map[string]bool{"#N/A": false, "#ref!": false, "#ZAHL!": false, "#\u00a1VALOR!": false, "#NOM?": false, "#######": false, "#N/D": false,
		"C# developer": true, "#1": true, "\\N": true, "\u2014": true, "Clerk": false, "NULL": true, "": true, "Chief": true} {
		r, err := snapshot.New(snapshot.Options{AsOf: instant("2026-06-01T06:00:00Z"), Source: source})
		require.NoError(t, err)
		rows, problems := read(mangledHeader+"1,employee,Ada,Berg,2026-01-05,,UTC,"+title+",,,\n", mapping)
		require.Empty(t, problems)
		require.NoError(t, r.Row(rows[0], known))
		assert.Equal(t, changed, len(r.Changes()) == 1, title)
	}
}

// The words for people who have left are compared without case. An unknown word gives a
// question.
func TestStatusWords(t *testing.T) {
	m := mapping
	m.Left.Present = []string{"Probe-Zeit"}
	for word, want := range map[string]string{
		"GONE": "left", " gone ": "left", "": "", "Active": "", "On leave": "", "probe zeit": "",
		"TERMINATED": "asked", "#N/A": "asked", "1": "asked",
	} {
		r, err := snapshot.New(snapshot.Options{AsOf: instant("2026-06-01T06:00:00Z"), Source: source})
		require.NoError(t, err)
		rows, problems := read(mangledHeader+"1,employee,Ada,Berg,2026-01-05,,UTC,,"+word+",,\n", m)
		require.Empty(t, problems)
		require.NoError(t, r.Row(rows[0], nil))
		assert.Equal(t, want == "left", rows[0].Left, word)
		assert.Equal(t, want == "", len(r.Changes()) == 1, word)
		if want == "asked" {
			require.Len(t, r.Questions(), 1, word)
			assert.Equal(t, snapshot.CodeUnknownStatus, r.Questions()[0].Code)
		}
	}
}
