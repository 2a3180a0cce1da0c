package story

import (
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Start is when the story starts, on the product's clock: a Monday.
var Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Days is how long the story takes.
const Days = 47

// Retain is how long accounts are kept in the story.
const Retain = 12

// LeadTime is how long before their first day people's accounts are made.
const LeadTime = 7

// day is the date so many days into the story.
func day(n int) hr.Date { return hr.DateOf(Start).AddDays(n) }

// The people of the story, by their IDs.
const (
	ada       = "10001"
	katherine = "10002"
	grace     = "10003"
	alan      = "10004"
	margaret  = "10005"
	hedy      = "10006"
	ken       = "10007"
	radia     = "10008"
	edsger    = "10009"
	barbara   = "10010"
	annie     = "10011"
	tim       = "10012"
	dennis    = "10013"
	joan      = "10014"
	linus     = "10015"
	konrad    = "10016"
)

// temp is the external ID of an account that an administrator makes by hand. It is nobody's.
const temp = "temp-4711"

// profile makes a person's snapshot.
func profile(given, family, title, department, zone string, starts int, more ...func(*hr.Profile)) *hr.Profile {
	p := &hr.Profile{
		Type: hr.TypeEmployee, GivenName: given, FamilyName: family, JobTitle: title, Department: department,
		Company: "Example Ltd", Location: hr.Location{TimeZone: zone}, StartDate: day(starts),
	}
	for _, change := range more {
		change(p)
	}
	return p
}

func managedBy(id string) func(*hr.Profile) { return func(p *hr.Profile) { p.ManagerID = id } }

func phone(number string) func(*hr.Profile) { return func(p *hr.Profile) { p.Phone = number } }

func mail(address string) func(*hr.Profile) { return func(p *hr.Profile) { p.PersonalEmail = address } }

func contractor(until int) func(*hr.Profile) {
	return func(p *hr.Profile) { p.Type, p.EndDate = hr.TypeContractor, day(until) }
}

// Personal lists every name, address and number that the story speaks of, for
// the test that looks for them where they must not be.
func Personal() []string {
	seen := map[string]bool{}
	var all []string
	for _, beat := range Script() {
		for _, e := range beat.Events {
			if e.Profile == nil {
				continue
			}
			for _, s := range []string{e.Profile.GivenName, e.Profile.FamilyName, e.Profile.Phone, e.Profile.PersonalEmail} {
				if s != "" && !seen[s] {
					seen[s] = true
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// Name returns the name that the demo shows for a person.
func Name(personID string) string {
	for _, beat := range Script() {
		for _, e := range beat.Events {
			if e.PersonID == personID && e.Profile != nil {
				return e.Profile.GivenName + " " + e.Profile.FamilyName
			}
		}
	}
	return personID
}
