package source

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/settings"
)

// Mapping holds the part of the configuration that explains an HR system's data: the time
// zones of its dates, and its words for person types.
type Mapping struct {
	// Name is the source of its events.
	Name string

	zone  string            // for places that zones does not have; may be empty
	zones map[string]string // site, city or country -> zone
	types map[string]hr.PersonType
}

// personTypes lists the person types that the configuration can name.
var personTypes = []hr.PersonType{
	hr.TypeEmployee, hr.TypeContractor, hr.TypeIntern, hr.TypePartner, hr.TypeTemporary, hr.TypeService,
}

// MappingSettings returns the settings that ReadMapping reads. name is the default for the
// source of the events.
func MappingSettings(name string) []settings.Setting {
	return []settings.Setting{
		{Name: "name", Type: settings.TypeText, Default: name,
			Text: "Source of the events in the ledger. Set it only if you connect two accounts of one HR system."},
		{Name: "zone", Type: settings.TypeText,
			Text: "IANA name of the time zone of dates, for places that `zones` does not list."},
		{Name: "zones", Type: settings.TypeMap,
			Text: "Time zones of places: maps the name of a site, city or country, as the HR system writes it, to an IANA name."},
		{Name: "workerTypes", Type: settings.TypeMap,
			Text: "Maps the HR system's words for kinds of workers to employee, contractor, intern, partner, temporary or service, in addition to the words that Tenure knows. Case, spaces and punctuation make no difference."},
	}
}

// ReadMapping reads the settings of MappingSettings. It adds the words of the setting
// workerTypes to the known words of the HR system.
func ReadMapping(set *settings.Values, known map[string]hr.PersonType) Mapping {
	m := Mapping{
		Name:  set.Text("name"),
		zone:  set.Text("zone"),
		zones: make(map[string]string),
		types: make(map[string]hr.PersonType),
	}
	if len(m.Name) > hr.LongestPersonID || strings.ContainsFunc(m.Name, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/._-", c)
	}) {
		set.Reject("name", "must be letters, digits and any of / . _ -")
	}
	if m.zone != "" {
		checkZone(set, "zone", m.zone)
	}
	for place, zone := range set.Map("zones") {
		checkZone(set, "zones", zone)
		m.zones[hr.Word(place)] = zone
	}
	for w, t := range known {
		m.types[hr.Word(w)] = t
	}
	for w, t := range set.Map("workerTypes") {
		if !slices.Contains(personTypes, hr.PersonType(t)) {
			set.Reject("workerTypes", "must map words to employee, contractor, intern, partner, temporary or service")
		}
		m.types[hr.Word(w)] = hr.PersonType(t)
	}
	return m
}

func checkZone(set *settings.Values, name, zone string) {
	if _, err := hr.LoadZone(zone); err != nil {
		set.Reject(name, "must hold IANA names of time zones, such as Europe/Berlin")
	}
}

// Zone returns the zone of the first of the places that has one, else the default. Callers
// give the most specific place first. If there is no zone at all, Zone rejects the field.
func (m Mapping) Zone(f *Fields, field string, places ...string) string {
	for _, place := range places {
		if zone, ok := m.zones[hr.Word(place)]; ok && hr.Word(place) != "" {
			return zone
		}
	}
	if m.zone == "" {
		f.Reject(field, "names no place whose time zone is known: give settings.zone, or settings.zones for each site or country")
	}
	return m.zone
}

// DefaultZone returns the zone of dates that belong to no known place.
func (m Mapping) DefaultZone() string {
	if m.zone == "" {
		return "UTC"
	}
	return m.zone
}

// Type returns the person type that a field's word means.
func (m Mapping) Type(f *Fields, field string) hr.PersonType {
	w := hr.Word(f.Text(field))
	if w == "" {
		f.Reject(field, "is missing: it says whether somebody is an employee, a contractor, an intern, ...")
		return ""
	}
	t, ok := m.types[w]
	if !ok {
		f.Reject(field, "is not a known kind of worker: add the word to settings.workerTypes")
	}
	return t
}

// SameWord reports whether two of an HR system's words mean the same.
func SameWord(a, b string) bool { return hr.SameWord(a, b) }
