package hr_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

// eventBytes is how many bytes of a fuzzed story make one event.
const eventBytes = 8

var fuzzTypes = []hr.EventType{
	hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted, hr.EventTerminated,
	hr.EventRescinded, hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended, hr.EventReinstated,
}

var fuzzZones = []string{"UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"}

// storyOf turns any bytes into a story. Similar bytes give similar stories.
func storyOf(data []byte) []hr.Event {
	var events []hr.Event
	for b := range slices.Chunk(data, eventBytes) {
		if len(b) < eventBytes || len(events) == 24 {
			break
		}
		day := func(i int) hr.Date { return firstDay.AddDays(int(b[i]) % (storyDays + 1)) }
		e := hr.Event{
			EventKey:  hr.EventKey{Source: "/hr", ID: fmt.Sprint(len(events))},
			Type:      fuzzTypes[int(b[0])%len(fuzzTypes)],
			PersonID:  person,
			Recorded:  day(1).StartIn(time.UTC).Add(time.Duration(b[2]) * 6 * time.Minute),
			Effective: day(3),
		}
		flags := b[7]
		switch e.Type {
		case hr.EventTerminated:
			e.Termination = &hr.Termination{}
			if flags&1 != 0 {
				e.Termination.LastDay = day(4)
			}
			if flags&2 != 0 {
				e.Termination.Urgency = hr.UrgencyImmediate
			}
			if flags&4 != 0 {
				e.Termination.AccessEndsAt = day(5).StartIn(time.UTC).Add(15 * time.Hour)
			}
		case hr.EventRescinded:
			e.Rescinds = fmt.Sprint(b[4] % 24)
		case hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted:
			e.Profile = &hr.Profile{
				Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: e.ID, StartDate: day(4),
				Location: hr.Location{TimeZone: fuzzZones[int(b[6])%len(fuzzZones)]},
			}
			if flags&1 != 0 {
				e.Profile.EndDate = day(5)
			}
		}
		events = append(events, e)
	}
	return events
}

// FuzzMerge checks that the order and repetition of events make no difference, and that
// periods are in order. Events after a person's end do not bring the person back, except a
// rehire or a rescind of the end.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{}, uint64(0))
	f.Add([]byte{0, 0, 0, 5, 5, 0, 1, 0}, uint64(1))
	f.Add([]byte{0, 0, 0, 5, 5, 0, 1, 0, 5, 20, 0, 30, 30, 0, 0, 1}, uint64(2))                                                       // hired, terminated
	f.Add([]byte{0, 0, 0, 5, 5, 0, 1, 0, 5, 20, 0, 30, 30, 0, 0, 1, 6, 25, 0, 25, 1, 0, 0, 0}, uint64(3))                             // ... and that rescinded
	f.Add([]byte{0, 0, 0, 5, 5, 0, 1, 0, 5, 20, 0, 30, 30, 0, 0, 1, 1, 40, 0, 45, 45, 0, 2, 0, 2, 50, 0, 50, 45, 0, 3, 0}, uint64(4)) // ... rehired, moved
	f.Add([]byte{0, 0, 0, 5, 5, 20, 1, 1, 4, 10, 0, 15, 5, 0, 1, 0}, uint64(5))                                                       // a contract, converted
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		events := storyOf(data)
		want := hr.Merge(person, events)
		require.Equal(t, want, hr.Merge(person, shuffled(events, seed)), "in another order, some twice")
		for i, p := range want.Periods {
			require.NotEmpty(t, p.Profiles)
			if i > 0 {
				last := want.Periods[i-1]
				require.True(t, p.Starts.After(last.Starts))
				require.False(t, last.Ends.IsZero() || last.Ends.After(p.Starts), "periods overlap")
			}
		}
		latched(t, events, want)
	})
}

// shuffled returns the events in an order that depends on the seed, some of them twice.
func shuffled(events []hr.Event, seed uint64) []hr.Event {
	list := slices.Clone(events)
	for i, e := range events {
		if seed>>(i%64)&1 != 0 {
			list = append(list, e)
		}
	}
	state := seed
	for i := len(list) - 1; i > 0; i-- {
		state = state*6364136223846793005 + 1442695040888963407
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], state)
		j := int(binary.BigEndian.Uint32(b[:4])) % (i + 1)
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// latched checks that somebody whose last period ended by a termination stays out after any
// later hire, transfer or update. It ignores stories with rescinds: a hire that is said
// again after it was rescinded brings its employment back.
func latched(t *testing.T, events []hr.Event, before hr.Timeline) {
	n := len(before.Periods)
	if n == 0 || before.Periods[n-1].End.Cause != hr.EndTerminated ||
		slices.ContainsFunc(events, func(e hr.Event) bool { return e.Type == hr.EventRescinded }) {
		return
	}
	ended := before.Periods[n-1].Ends
	said := firstDay.AddDays(storyDays + 1).StartIn(time.UTC)
	late := slices.Clone(events)
	for i, kind := range []hr.EventType{hr.EventUpdated, hr.EventTransferred, hr.EventHired} {
		late = append(late, hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: fmt.Sprintf("late%d", i)}, Type: kind, PersonID: person,
			Recorded: said.Add(time.Duration(i) * time.Hour), Effective: firstDay.AddDays(i * 20),
			Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg",
				StartDate: firstDay.AddDays(i * 20), Location: hr.Location{TimeZone: "UTC"}},
		})
	}
	after := hr.Merge(person, late)
	for _, at := range grid() {
		// A late event that changes the time zone of the last day may move the end itself.
		if at.Sub(ended) > 26*time.Hour {
			require.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusOnLeave}, after.At(at).Status, "at %s", at)
		}
	}
}
