package hr

import "time"

// Timeline is the result of merging all events about one person. Its instants are in UTC.
// Callers must not change it, because standings point into it.
type Timeline struct {
	PersonID    string
	Periods     []Period   // employment periods by start, never overlapping; with the primary position's profiles
	Positions   []Position // in the order in which HR first mentioned them; nil if HR names none
	Absences    []Interval // leaves of absence, by start
	Suspensions []Interval // security suspensions, by start
	Conflicts   []Conflict // what HR said and Merge did not apply, because an operator has to decide
}

// Position is one job that a person holds, held or will hold, alone or with others. The
// access that policy gives for each position adds up. The person is employed as long as any
// position lasts.
type Position struct {
	ID      string   // the ID that HR gave it last; empty if there is none
	Former  []string // its earlier IDs: a move may change the ID
	Periods []Period // by start, never overlapping, with the position's own profiles

	// Additional means that the position is an additional job, whose profile is never the
	// person's. See AdditionalJobs.
	Additional bool
}

// Period is one employment, from its first day until access ends. A period that ends no
// later than it starts never gives access, for example that of a hire who never came.
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

// EndCause names the reason why a period ended.
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
	// ConflictHiredAfterEnd is a plain hire that starts after a termination: a rehire that
	// HR did not call one, or a mistake.
	ConflictHiredAfterEnd ConflictCode = "hired_after_end"
	// ConflictLaterTermination is a termination recorded later than the one in
	// force, with a later last day: the earlier end holds until it is rescinded.
	ConflictLaterTermination ConflictCode = "later_termination"
	// ConflictLeaveWithinLeave is a leave that begins while another lasts: the first leave
	// was postponed, or this is a second one. The first one holds.
	ConflictLeaveWithinLeave ConflictCode = "leave_within_leave"
	// ConflictChangedAfterEnd is a change effective after a contract's end date
	// that neither extends, converts nor rehires.
	ConflictChangedAfterEnd ConflictCode = "changed_after_end"
	// ConflictUnknownPosition is an event that names a position which the person does not
	// hold and was not hired into.
	ConflictUnknownPosition ConflictCode = "unknown_position"
	// ConflictLeaveOfPosition is a leave from one of several positions. Accounts belong to
	// the person and not to a position, so only HR can say whether the person is away.
	ConflictLeaveOfPosition ConflictCode = "leave_of_position"
	// ConflictAdditionalJob is a list of additional jobs that does not fit what HR said
	// before: it has a job that had ended, or lacks one and does not say that it is whole.
	ConflictAdditionalJob ConflictCode = "additional_job"
	// ConflictNoEffect is a termination that ends nothing, because of a rehire, another
	// termination, a rescind or a position's new ID that was received before it.
	ConflictNoEffect ConflictCode = "terminated_without_effect"
	// ConflictRecordedAhead is an event whose recorded time lies minutes after its
	// receipt. It counts as said when it was received.
	ConflictRecordedAhead ConflictCode = "recorded_ahead"
	// ConflictSuspendedLate is a suspension that was received after the reinstatement that
	// lifts it. Their source numbered the reinstatement as the later one, so the person has
	// access.
	ConflictSuspendedLate ConflictCode = "suspended_late"
	// ConflictReinstatedByOther is a reinstatement by a source that is neither the one that
	// suspended the person nor an operator: the suspension holds.
	ConflictReinstatedByOther ConflictCode = "reinstated_by_other"
	// ConflictRescindsSecurity is a rescind of a suspension or a reinstatement. Only a
	// reinstatement by its own source or an operator lifts a suspension.
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
	StatusUnknown   Status = "unknown"   // by all events this is not a person of the company (the hire was rescinded, for example)
	StatusUpcoming  Status = "upcoming"  // hired, not started
	StatusActive    Status = "active"    // at work
	StatusOnLeave   Status = "on_leave"  // employed, on a leave of absence
	StatusSuspended Status = "suspended" // cut off by security, whatever else holds
	StatusEnded     Status = "ended"     // access has ended
)

// Standing describes where a person stands at one instant.
type Standing struct {
	Status  Status
	Period  *Period   // the current, else the last that ended, else the next one; nil if there is none (unknown, perhaps suspended)
	Profile *Profile  // in force in Period at that instant; nil if there is no Period
	Since   time.Time // the instant from which Status holds: the start, the return, the end, or the beginning of the leave or suspension; zero if upcoming or unknown
	Changes time.Time // next instant after which At gives another Standing; zero if none is known
	Urgent  bool      // suspended, or ended by an immediate termination
}
