package hr

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"Sales":                                "Sales",
		"Sales ":                               "Sales",
		"\u00a0Sales\u00a0":                    "Sales",
		"\u2003\tSales\r\n":                    "Sales",
		"\ufeffSales\u200b":                    "Sales",
		"Sa\u00adles":                          "Sales",
		"\u202eSales\u202c":                    "Sales",
		"Human\u00a0Resources":                 "Human Resources",
		"Human\u3000Resources":                 "Human Resources",
		"Human\nResources":                     "Human Resources",
		"Human  Resources":                     "Human  Resources",
		"\x1b[31mSales\x07":                    "[31mSales",
		"Sales\u3164":                          "Sales",
		"M\u00fcller":                          "M\u00fcller",
		"Mu\u0308ller":                         "M\u00fcller", // files from a Mac have this form
		"Mu\u200b\u0308ller":                   "M\u00fcller",
		"\u0645\u06cc\u200c\u0634\u0648\u062f": "\u0645\u06cc\u200c\u0634\u0648\u062f", // Persian needs the character that keeps letters apart
		"Sales\u200d":                          "Sales",
		" \u200b\u00a0":                        "",
		"":                                     "",
	} {
		assert.Equal(t, want, Text(in), "%q", in)
	}
}

func TestTextIsStableAndShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Text(rapid.String().Draw(t, "text"))
		assert.Equal(t, s, Text(s))
		assert.Equal(t, s, strings.TrimFunc(s, unicode.IsSpace))
		for _, r := range s {
			assert.False(t, unicode.IsControl(r), "%q", s)
		}
	})
}

func TestPersonIDs(t *testing.T) {
	for id, want := range map[string]string{
		"10004": "", "M\u00dc-17": "", "\u0416-9": "", "\u5de5\u53f7123": "", "a/b?c%d'e\"f": "", "%41": "", "O'Brien": "",
		strings.Repeat("x", 128): "", strings.Repeat("\u00dc", 40): "",
		"":                           "is empty",
		" 10004":                     "has white space in it or around it: an ID has none",
		"10 004":                     "has white space in it or around it: an ID has none",
		"10004\u00a0":                "has white space in it or around it: an ID has none",
		"10004\u2028":                "has white space in it or around it: an ID has none",
		"10004\u200b":                "has a character in it that cannot be seen (U+200B, the 6th character): take it out where the ID comes from",
		"\ufeff10004":                "has a character in it that cannot be seen (U+FEFF, the 1st character): take it out where the ID comes from",
		"1\u200d0004":                "has a character in it that cannot be seen (U+200D, the 2nd character): take it out where the ID comes from",
		"1\x000004":                  "has a character in it that cannot be seen (U+0000, the 2nd character): take it out where the ID comes from",
		"10004\u3164":                "has a character in it that cannot be seen (U+3164, the 6th character): take it out where the ID comes from",
		"1000\xff":                   "is not UTF-8",
		"1000\ufffd":                 "has U+FFFD in it, the 5th character, which stands for one that was lost: mend it where the ID comes from",
		strings.Repeat("x", 129):     "is longer than 128 bytes",
		strings.Repeat("\u00dc", 41): "is longer than 80 bytes, which an ID that is not all ASCII may have",
	} {
		assert.Equal(t, want, PersonIDProblem(id), "%q", id)
	}
}

func TestEventIDs(t *testing.T) {
	for id, want := range map[string]string{
		"e-1": "", "hire 42": "", "/hr/example": "", "\u00dc": "", strings.Repeat("\u00dc", 256): "",
		"":                            "is empty",
		"e-1 ":                        "has white space around it: an ID has none",
		"\u00a0e-1":                   "has white space around it: an ID has none",
		"e\u00a01":                    "has a character in it that cannot be seen (U+00A0, the 2nd character): take it out where the ID comes from",
		"e\x001":                      "has a character in it that cannot be seen (U+0000, the 2nd character): take it out where the ID comes from",
		strings.Repeat("\u00dc", 257): "is longer than 512 bytes",
	} {
		assert.Equal(t, want, EventIDProblem(id), "%q", id)
	}
}

// Every event that is tidied and has no problem can be kept anywhere.
func TestEventsWithoutProblemCanBeKept(t *testing.T) {
	anything := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a\x00", "\xff", " x ", strings.Repeat("y", 5000), "\u200b"}))
	rapid.Check(t, func(t *rapid.T) {
		e := Tidied(Event{
			EventKey: EventKey{Source: anything.Draw(t, "source"), ID: anything.Draw(t, "id")}, PersonID: anything.Draw(t, "person"),
			Sequence: anything.Draw(t, "sequence"), Rescinds: anything.Draw(t, "rescinds"),
			Profile: &Profile{
				Department: anything.Draw(t, "department"), ManagerID: anything.Draw(t, "manager"), Location: Location{Site: anything.Draw(t, "site")},
				Attributes: map[string]string{anything.Draw(t, "name"): anything.Draw(t, "value")},
			},
		})
		if _, problem := e.Problem(); problem != "" {
			return
		}
		texts := []string{e.Source, e.ID, e.PersonID, e.Sequence, e.Rescinds, e.Profile.Department, e.Profile.ManagerID, e.Profile.Location.Site}
		for name, value := range e.Profile.Attributes {
			texts = append(texts, name, value)
			assert.Equal(t, Text(value), value)
		}
		for _, text := range texts {
			assert.True(t, utf8.ValidString(text) && !strings.Contains(text, "\x00") && len(text) <= LongestText, "%q", text)
		}
		assert.Equal(t, Text(e.Profile.Department), e.Profile.Department)
		assert.LessOrEqual(t, len(e.PersonID), LongestPersonID)
		assert.LessOrEqual(t, len(e.Source)+len(e.ID), 2*LongestEventID)
	})
}

func TestProblemsNameTheField(t *testing.T) {
	good := Event{EventKey: EventKey{Source: "/hr", ID: "e"}, PersonID: "1"}
	for field, change := range map[string]func(*Event){
		"/personId":              func(e *Event) { e.PersonID = "1\u200b" },
		"/source":                func(e *Event) { e.Source = " /hr" },
		"/id":                    func(e *Event) { e.ID = "" },
		"/rescinds":              func(e *Event) { e.Rescinds = "e " },
		"/profile/managerId":     func(e *Event) { e.Profile = &Profile{ManagerID: "2 "} },
		"/profile/department":    func(e *Event) { e.Profile = &Profile{Department: strings.Repeat("x", LongestText+1)} },
		"/profile/location/site": func(e *Event) { e.Profile = &Profile{Location: Location{Site: "\xff"}} },
		"/profile/attributes/x":  func(e *Event) { e.Profile = &Profile{Attributes: map[string]string{"x": "\xff"}} },
		"/termination/reason":    func(e *Event) { e.Termination = &Termination{Reason: "a\x00b"} },
		"":                       func(e *Event) { e.Profile = &Profile{Attributes: map[string]string{"badgeId": " 7 "}} },
	} {
		e := good
		change(&e)
		at, problem := e.Problem()
		assert.Equal(t, field, at, problem)
	}
}
