package hr

import "time"

// Timeline is all that HR has said of one person, merged. Its instants are in
// UTC. It is not to be changed: standings point into it.
type Timeline struct {
	PersonID    string
	Periods     []Period   // employment periods by start, never overlapping; with the primary position's profiles
	Positions   []Position // by when HR first spoke of them; nil if HR names none
	Absences    []Interval // leaves of absence, by start
	Suspensions []Interval // security suspensions, by start
	Conflicts   []Conflict // what was said but not applied, because a human must say what was meant
}

// Position is one of the jobs that a person holds, held or will hold, with others or
// alone. What policy gives for each of them adds up; the person is employed as long as
// any of them lasts.
type Position struct {
	ID      string   // as HR named it last; empty if HR has not
	Former  []string // what HR called it before: a move may change the ID
	Periods []Period // by start, never overlapping, with the position's own profiles

	// Additional says that it is held besides the position of the profile: its own is
	// never the person's. See AdditionalJobs.
	Additional bool
}

// Period is one employment, from its first day until access ends. A period that
// ends no later than it starts never gives access: a hire who never came.
type Period struct {
	Starts   time.Time          // 00:00 of the first day in the person's zone
	Ends     time.Time          // first instant without access; zero while no end is known
	End      End                // why it ends; zero while no end is known
	Profiles []EffectiveProfile // by From; at least one. The first holds from Starts on even if its From is later
	Opened   EventKey           // the event that opened it
}

// EffectiveProfile is a profile and the instant from which it holds.
type EffectiveProfile struct {
	From    time.Time
	Profile Profile
	Event   EventKey
	Primary bool // HR says that the position is the primary one
}

// EndCause says what ended a period.
type EndCause string

// The causes of an end.
const (
	EndTerminated EndCause = "terminated" // a termination event
	EndOfContract EndCause = "contract"   // the profile's end date
	EndSuperseded EndCause = "superseded" // a rehire opened the next period before this one was ended
)

// End describes the end of a period.
type End struct {
	Cause  EndCause
	Urgent bool // UrgencyImmediate
	Event  EventKey
}

// Interval is a half-open span of time; a zero To is open.
type Interval struct {
	From, To time.Time
	Event    EventKey // the event that opened it
}

// ConflictCode names a kind of conflict.
type ConflictCode string

// The conflicts that a merge can find.
const (
	// ConflictHiredAfterEnd is a plain hire that starts after a termination:
	// a rehire that nobody called one, or a mistake.
	ConflictHiredAfterEnd ConflictCode = "hired_after_end"
	// ConflictLaterTermination is a termination recorded later than the one in
	// force, with a later last day: the earlier end holds until it is rescinded.
	ConflictLaterTermination ConflictCode = "later_termination"
	// ConflictLeaveWithinLeave is a leave that begins while another lasts: the other
	// was put off, or it is one more. The first one holds.
	ConflictLeaveWithinLeave ConflictCode = "leave_within_leave"
	// ConflictChangedAfterEnd is a change effective after a contract's end date
	// that neither extends, converts nor rehires.
	ConflictChangedAfterEnd ConflictCode = "changed_after_end"
	// ConflictUnknownPosition is an event that names a position which is none of those that
	// the person holds, and which nothing says that they were hired into.
	ConflictUnknownPosition ConflictCode = "unknown_position"
	// ConflictLeaveOfPosition is a leave from one of several positions: access is the
	// person's, so only HR can say whether they are off.
	ConflictLeaveOfPosition ConflictCode = "leave_of_position"
	// ConflictAdditionalJob is a list of additional jobs that does not fit what HR said
	// before: it has a job that had ended, or lacks one and does not say that it is whole.
	ConflictAdditionalJob ConflictCode = "additional_job"
	// ConflictNoEffect is a termination that ends nothing: it was received after the
	// rehire, the other termination, the rescind or the new name of a position that keeps
	// it from doing so.
	ConflictNoEffect ConflictCode = "terminated_without_effect"
	// ConflictRecordedAhead is an event whose recorded time lies minutes after its
	// receipt. It counts as said when it was received.
	ConflictRecordedAhead ConflictCode = "recorded_ahead"
	// ConflictSuspendedLate is a suspension that was received after the reinstatement that
	// lifts it, which its source numbered as the later one: the person has access.
	ConflictSuspendedLate ConflictCode = "suspended_late"
	// ConflictReinstatedByOther is a reinstatement by another source than the one that
	// suspended the person, and not by an operator: the suspension holds.
	ConflictReinstatedByOther ConflictCode = "reinstated_by_other"
	// ConflictRescindsSecurity is a rescind of a suspension or a reinstatement: only a
	// reinstatement by who may lifts a suspension.
	ConflictRescindsSecurity ConflictCode = "rescinds_security"
)

// Conflict is something HR said that was not applied.
type Conflict struct {
	Code  ConflictCode
	Event EventKey
}

// Status is where a person stands at one instant.
type Status string

// The statuses.
const (
	StatusUnknown   Status = "unknown"   // nothing that HR said makes this a person of the company (the hire was rescinded)
	StatusUpcoming  Status = "upcoming"  // hired, not started
	StatusActive    Status = "active"    // at work
	StatusOnLeave   Status = "on_leave"  // employed, on a leave of absence
	StatusSuspended Status = "suspended" // cut off by security, whatever else holds
	StatusEnded     Status = "ended"     // access has ended
)

// Standing is a person at one instant.
type Standing struct {
	Status  Status
	Period  *Period   // the current, else the last that ended, else the next one; nil if there is none: unknown, or suspended
	Profile *Profile  // in force in Period at that instant; nil if there is no Period
	Since   time.Time // since when Status holds: the start or return, the end, or when the leave or suspension began; zero if upcoming or unknown
	Changes time.Time // next instant after which At gives another Standing; zero if none is known
	Urgent  bool      // suspended, or ended by an immediate termination
}
