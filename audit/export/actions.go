package export

// kind says what an action of the record is, as others have it.
type kind struct {
	class    class
	activity int
	title    string // what was done, as people say it
	entity   string // of classEntity: what it is about
	severity int    // as OCSF has it
}

// class is a class of OCSF.
type class int

const (
	classAccount class = 3001
	classEntity  class = 3004
	classAccess  class = 3005
)

// Severities of OCSF.
const (
	informational = 1
	low           = 2
	medium        = 3
	high          = 4
)

// Activities of OCSF.
const (
	accountCreate  = 1
	accountEnable  = 2
	accountDisable = 5
	accountDelete  = 6

	entityCreate  = 1
	entityRead    = 2
	entityUpdate  = 3
	entityDelete  = 4
	entitySuspend = 12
	entityResume  = 13

	accessAssign = 1
	accessRevoke = 2

	otherActivity = 99
)

func account(activity int, title string) kind {
	return kind{classAccount, activity, title, "", informational}
}

func entity(entity string, activity int, title string) kind {
	return kind{classEntity, activity, title, entity, informational}
}

// of returns the kind with another severity.
func (k kind) of(severity int) kind {
	k.severity = severity
	return k
}

// What an entity is that the record tells of.
const (
	ofApproval  = "approval"
	ofCohort    = "held change"
	ofException = "exception"
	ofHold      = "hold"
	ofIdentity  = "identity"
	ofLedger    = "ledger"
	ofLetter    = "dead letter"
	ofNotice    = "notice"
	ofPerson    = "person"
	ofRecord    = "audit record"
	ofRequest   = "request"
	ofRetention = "retention"
	ofReview    = "review"
	ofScan      = "scan"
	ofStandIn   = "stand-in"
	ofStep      = "step"
	ofTask      = "task"
)

// actions lists all actions that the product writes. A test finds them in its code and
// compares.
var actions = map[string]kind{
	"created":            account(accountCreate, "Account created"),
	"prepared":           account(accountCreate, "Account created, disabled until the first day"),
	"adopted":            account(otherActivity, "Account that was there taken over"),
	"enabled":            account(accountEnable, "Account enabled"),
	"restored":           account(accountEnable, "Deleted account restored"),
	"updated":            account(otherActivity, "Account updated"),
	"disabled":           account(accountDisable, "Account disabled"),
	"stripped":           account(otherActivity, "Entitlements withdrawn"),
	"hand_over_begun":    account(otherActivity, "Data are to be handed over"),
	"handed_over":        account(otherActivity, "Data handed over"),
	"deleted":            account(accountDelete, "Account deleted"),
	"found_gone":         account(accountDelete, "Account found deleted"),
	"not_found":          account(otherActivity, "No account found"),
	"relabelled":         account(otherActivity, "Account labelled anew"),
	"unlinked":           account(otherActivity, "Link taken back"),
	"appears_at_sign_in": account(otherActivity, "Account appears when the person signs in"),
	"drift_seen":         account(otherActivity, "Account found changed by others").of(low),
	"freed":              account(otherActivity, "Account kept that was to end"),
	"withheld":           account(otherActivity, "Change withheld from what is protected"),
	"left_underway":      account(otherActivity, "Operation not followed any more"),

	"suspend":   entity(ofPerson, entitySuspend, "Person cut off").of(medium),
	"reinstate": entity(ofPerson, entityResume, "Person let in again"),
	"linked":    entity(ofIdentity, entityUpdate, "Two IDs said to be of one person"),
	"rename":    entity(ofPerson, entityUpdate, "Username given"),

	"needs_attention": entity(ofStep, entityUpdate, "Step needs an operator").of(low),

	"retry": entity(ofStep, entityUpdate, "Step to be tried again"),
	"skip":  entity(ofStep, entityUpdate, "Step skipped").of(low),

	"held":    entity(ofCohort, entityCreate, "Mass change held").of(medium),
	"release": entity(ofCohort, entityUpdate, "Held change released").of(low),
	"cancel":  entity(ofCohort, entityDelete, "Held change cancelled"),

	"announce": entity(ofLetter, entityUpdate, "Record to be sent again"),
	"redrive":  entity(ofLetter, entityUpdate, "Record sent again"),
	"discard":  entity(ofLetter, entityDelete, "Record discarded"),

	"task_opened":    entity(ofTask, entityCreate, "Task opened"),
	"task_reopened":  entity(ofTask, entityUpdate, "Task opened again"),
	"task_reminded":  entity(ofTask, entityUpdate, "Task reminded of"),
	"task_overdue":   entity(ofTask, entityUpdate, "Task overdue").of(low),
	"task_done":      entity(ofTask, entityUpdate, "Task reported as done"),
	"task_confirmed": entity(ofTask, entityUpdate, "Task confirmed by a second person"),
	"task_refuse":    entity(ofTask, entityUpdate, "Task refused").of(low),
	"task_withdrawn": entity(ofTask, entityDelete, "Task withdrawn"),

	"hold_placed":       entity(ofHold, entityCreate, "Hold placed"),
	"hold_released":     entity(ofHold, entityDelete, "Hold released"),
	"retention_set":     entity(ofRetention, entityUpdate, "Retention set"),
	"retention_reset":   entity(ofRetention, entityDelete, "Retention set back"),
	"retention_lapsed":  entity(ofRetention, entityDelete, "Retention lapsed"),
	"approval_asked":    entity(ofApproval, entityCreate, "Approval of a deletion asked for"),
	"approval_reminded": entity(ofApproval, entityUpdate, "Approval of a deletion reminded of"),
	"deletion_approved": entity(ofApproval, entityUpdate, "Deletion approved"),

	"exception_placed": entity(ofException, entityCreate, "Exception to policy placed").of(low),
	"exception_ended":  entity(ofException, entityDelete, "Exception to policy ended"),
	"exception_lapsed": entity(ofException, entityDelete, "Exception to policy lapsed"),

	"request_made":       entity(ofRequest, entityCreate, "Access requested"),
	"emergency_granted":  entity(ofRequest, entityCreate, "Emergency access taken").of(medium),
	"request_approved":   entity(ofRequest, entityUpdate, "Request approved"),
	"request_supported":  entity(ofRequest, entityUpdate, "Request supported"),
	"request_confirmed":  entity(ofRequest, entityUpdate, "Emergency access confirmed"),
	"request_expired":    entity(ofRequest, entityDelete, "Request expired"),
	"request_denied":     entity(ofRequest, entityUpdate, "Request denied"),
	"request_disputed":   entity(ofRequest, entityUpdate, "Emergency access disputed").of(medium),
	"request_passed":     entity(ofRequest, entityUpdate, "Request passed on"),
	"request_reassigned": entity(ofRequest, entityUpdate, "Request given to others"),
	"request_escalated":  entity(ofRequest, entityUpdate, "Request escalated"),
	"request_reminded":   entity(ofRequest, entityUpdate, "Request reminded of"),
	"request_proven":     entity(ofRequest, entityUpdate, "Requested access proven"),
	"request_cancelled":  entity(ofRequest, entityDelete, "Request cancelled"),
	"stand_in_set":       entity(ofStandIn, entityCreate, "Stand-in named"),
	"stand_in_ended":     entity(ofStandIn, entityDelete, "Stand-in ended"),

	"review_started":           entity(ofReview, entityCreate, "Review started"),
	"review_asked":             entity(ofReview, entityUpdate, "Reviewer asked"),
	"review_opened":            entity(ofReview, entityUpdate, "Review opened"),
	"review_reminded":          entity(ofReview, entityUpdate, "Reviewer reminded"),
	"review_escalated":         entity(ofReview, entityUpdate, "Review escalated"),
	"review_silence_previewed": entity(ofReview, entityUpdate, "Consequences of silence shown"),
	"review_extended":          entity(ofReview, entityUpdate, "Review extended"),
	"review_ended":             entity(ofReview, entityUpdate, "Review ended"),
	"review_closed":            entity(ofReview, entityUpdate, "Review closed"),
	"review_done":              entity(ofReview, entityUpdate, "Review done"),
	"review_decided":           entity(ofReview, entityUpdate, "Review item decided"),
	"review_moved":             entity(ofReview, entityUpdate, "Review item given to another"),
	"review_revoked":           entity(ofReview, entityUpdate, "Access revoked by a review"),
	"review_proven":            entity(ofReview, entityUpdate, "Revocation proven"),
	"review_given":             entity(ofReview, entityUpdate, "Revoked access given by something else"),

	"scan_believed":  entity(ofScan, entityUpdate, "Suspicious scan believed").of(low),
	"notice_retried": entity(ofNotice, entityUpdate, "Notice to be sent again"),

	"ledger exported": entity(ofLedger, entityRead, "Ledger exported").of(low),
	"ledger imported": entity(ofLedger, entityCreate, "Ledger imported").of(low),
	"erased":          entity(ofPerson, entityDelete, "What was known of a person erased").of(low),
	"audit_redacted":  entity(ofRecord, entityUpdate, "Text of the audit record erased").of(low),
	"audit_restarted": entity(ofRecord, entityUpdate, "Log of the audit record restarted").of(medium),
}

// kindOf returns what a record is. Of an action that is not known, it is what is always true.
func kindOf(r Record) kind {
	k, known := actions[r.Row.Action]
	if !known {
		k = entity(ofRecord, otherActivity, r.Row.Action)
	}
	switch r.State {
	case Altered:
		k = entity(ofRecord, otherActivity, "Row of the audit record was altered").of(high)
	case Missing:
		k = entity(ofRecord, otherActivity, "Row of the audit record is missing").of(high)
	case Redacted, Sound:
	}
	return k
}
