package notice

import (
	"context"
	"slices"

	"github.com/tenurehq/tenure/ledger"
)

// Kind is a kind of notice. The table below holds all of them; docs/notices.md is generated
// from it.
type Kind struct {
	Name   string // "request.asked"; its template is templates/request.asked.tmpl
	Urgent bool   // it is sent at once, at any hour. Some notices of other kinds are, too.
	AnyDay bool   // it is sent on any day of the week: on the next working day it would be too late
	When   string // what is told
	To     string // who is told
	Moot   string // what makes it moot before it is sent

	look func(context.Context, look) (Finding, error)
}

// The names of the kinds.
const (
	RequestAsked     = "request.asked"
	RequestReminded  = "request.reminded"
	RequestDecided   = "request.decided"
	RequestSettled   = "request.settled"
	RequestGranted   = "request.granted"
	RequestEmergency = "request.emergency"
	GrantEnding      = "grant.ending"
	GrantEnded       = "grant.ended"
	TaskAsked        = "task.asked"
	TaskReminded     = "task.reminded"
	TaskOverdue      = "task.overdue"
	FindingAsked     = "finding.asked"
	CutOffAttention  = "cutoff.attention"
	BreakerHeld      = "breaker.held"
	JoinerStart      = "joiner.start"
	LeaverEnd        = "leaver.end"
)

var kinds = []Kind{
	{
		Name: RequestAsked, look: lookAsked,
		When: "A request for a role waits for somebody's word, also when others are asked after an escalation. An emergency is urgent.",
		To:   "each person who is asked", Moot: "they have answered, are no longer asked, or the request is decided",
	},
	{
		Name: RequestReminded, look: lookAsked,
		When: "A request still waits.", To: "each person who is asked and has said nothing",
		Moot: "they have answered, are no longer asked, or the request is decided",
	},
	{
		Name: RequestDecided, look: lookRequest,
		When: "A request was approved, denied, cancelled, has expired, or an emergency was confirmed or disputed.",
		To:   "who asked, and for whom", Moot: "never",
	},
	{
		Name: RequestSettled, look: lookSettled,
		When: "A request is decided about which they were told that it waits for them.", To: "each person who was asked and has said nothing",
		Moot: "they were not told so far",
	},
	{
		Name: RequestGranted, look: lookGranted,
		When: "What was granted is there, as the apps have shown.", To: "who asked, and for whom", Moot: "the grant has ended",
	},
	{
		Name: RequestEmergency, Urgent: true, look: lookRequest,
		When: "Somebody was given a role in an emergency.", To: "`notices.security`", Moot: "never",
	},
	{
		Name: GrantEnding, look: lookEnding,
		When: "A grant ends soon: a day before, or after three quarters of its time if it lasts less than four days. Then it is urgent.",
		To:   "who has it, and who asked for it", Moot: "it has ended, or was prolonged",
	},
	{
		Name: GrantEnded, look: lookEnded,
		When: "A grant has ended.", To: "who had it, and who asked for it", Moot: "another grant gives the same role",
	},
	{
		Name: ReviewAsked, look: lookReview,
		When: "A review asks somebody to decide, from its beginning on or since another cannot.", To: "each reviewer, once for each review",
		Moot: "they have nothing to decide any more, or the review is over",
	},
	{
		Name: ReviewReminded, look: lookReview,
		When: "A review ends soon.", To: "each reviewer who has not decided everything", Moot: "they have nothing to decide any more, or the review is over",
	},
	{
		Name: ReviewEscalated, look: lookReview,
		When: "Somebody may decide as well, since the reviewers have not.", To: "whoever may decide as well",
		Moot: "nothing is left to decide, or the review is over",
	},
	{
		Name: ReviewPreviewed, look: lookReviewed,
		When: "What silence will do, two days before a review ends.", To: "`governance.fallback`", Moot: "never",
	},
	{
		Name: ReviewClosed, look: lookReviewed,
		When: "Every item of a review is decided.", To: "`governance.fallback`", Moot: "never",
	},
	{
		Name: TaskAsked, look: lookTask,
		When: "A human has to do a step in an app. One that cuts somebody off is urgent.", To: "the task's assignee",
		Moot: "the task is done, refused or withdrawn",
	},
	{
		Name: TaskReminded, look: lookTask,
		When: "A task is still to be done.", To: "the task's assignee", Moot: "the task is done, refused or withdrawn",
	},
	{
		Name: TaskOverdue, Urgent: true, look: lookTask,
		When: "A task was due and is not done.", To: "the task's assignee, and `escalateTo`",
		Moot: "the task is done, refused or withdrawn",
	},
	{
		Name: FindingAsked, look: lookFindings,
		When: "A scan of an app has found something new about which an operator is asked.", To: "the app's owners: `apps.NAME.owner`, else `governance.fallback`",
		Moot: "nothing of it is open any more",
	},
	{
		Name: CutOffAttention, Urgent: true, look: lookCutOff,
		When: "An account is to be turned off or deleted, and that needs attention.", To: "`notices.security`",
		Moot: "the step no longer needs attention",
	},
	{
		Name: BreakerHeld, Urgent: true, look: lookHeld,
		When: "The breaker holds a mass change.", To: "`notices.security`", Moot: "it was released or cancelled, or nothing of it is left",
	},
	{
		Name: JoinerStart, AnyDay: true, look: lookJoiner,
		When: "Somebody starts on the next day: whether their access is ready.", To: "their manager",
		Moot: "they do not start on that day any more",
	},
	{
		Name: LeaverEnd, look: lookLeaver,
		When: "Somebody's access has ended: as soon as all is proven, or what is not after a day.", To: "their manager",
		Moot: "they were hired again, or their access has not ended",
	},
}

// Kinds lists all kinds, in the order of the table in docs/notices.md.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf returns the kind with a name, and false if there is none.
func KindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// KindNames lists the names of all kinds.
func KindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// Registry is the part of the ledger that notices are looked up in: see ledger.Reader.
type Registry = ledger.Reader
