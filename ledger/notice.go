package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Notices is the outbox: what people and channels are to be told. A notice is stored in the
// transaction of the fact that it tells of (WithNotices), and sent later by the holder of the
// lease LeaseNotices. See docs/adr/0052-notices.md.
type Notices interface {
	NoticeReader
	// Notify stores notices that are part of no other call.
	Notify(ctx context.Context, notices []Notice) error
	// SendingNotices records, before a message is sent, that it is going to hold these
	// notices: each has one attempt more, and is not due again before Next. It returns
	// ErrLeaseLost if somebody else holds the lease, and ErrStale if one of them waits no
	// longer.
	SendingNotices(ctx context.Context, l Lease, s Sending) error
	// SettleNotices records what has become of notices that wait. It returns ErrLeaseLost if
	// somebody else holds the lease. Notices that wait no longer stay as they are.
	SettleNotices(ctx context.Context, l Lease, s []Settled) error
	// RetryNotices makes notices that failed wait again, from now on, with an audit row, and
	// returns them.
	RetryNotices(ctx context.Context, r NoticeRetry) ([]Notice, error)
}

// NoticeReader is the part of Notices that changes nothing.
type NoticeReader interface {
	// Notices lists notices by ID, after the given ID, at most limit.
	Notices(ctx context.Context, f NoticeFilter, after int64, limit int) ([]Notice, error)
	// CountNotices counts the notices that wait, those that have failed, and the messages that
	// somebody began to send after an instant.
	CountNotices(ctx context.Context, since time.Time) (NoticeCounts, error)
}

// LeaseNotices is the name of the lease of whoever sends notices.
const LeaseNotices = "notices"

// Notice is something that somebody is to be told. It names what it is about, and holds no
// personal data: its text is made when it is sent.
type Notice struct {
	ID   int64  // given by the ledger, ascending, never reused
	Kind string // of package notice
	// About names what it is about, such as "r-12". The ledger fills it in if the fact gets
	// its name in the same call. A notice of such a call that makes nothing is not stored.
	About    string
	PersonID string // whom it is about; may be empty
	App      string // may be empty
	// Occasion tells apart what the same recipient is told of the same kind about the same
	// thing, such as a second reminder.
	Occasion string
	To       string // "person:10004", "chat:security" or "mail:it@example.com"
	Urgent   bool   // it is sent at once
	MadeAt   time.Time
	SendAt   time.Time // not before

	State    NoticeState
	Attempts int
	Message  string // the message that holds it, since somebody began to send it
	FirstAt  time.Time
	TriedAt  time.Time
	Why      string // why it is moot, or the last attempt failed: no personal data
	EndedAt  time.Time
}

// Key identifies the notice: of two with one key, the first is stored.
func (n Notice) Key() string {
	return strings.Join([]string{n.Kind, n.About, n.PersonID, n.App, n.Occasion, n.To}, "\x1f")
}

const noticePrefix = "n-"

// Name returns the name by which people refer to the notice, such as "n-12".
func (n Notice) Name() string { return noticePrefix + strconv.FormatInt(n.ID, 10) }

// NoticeID returns the number of the notice with a name, and false if the text is no such
// name.
func NoticeID(name string) (int64, bool) { return numberIn(name, noticePrefix) }

// NoticeState names where a notice stands.
type NoticeState string

// The states of a notice.
const (
	NoticeWaiting NoticeState = "waiting"
	NoticeSent    NoticeState = "sent"
	NoticeMoot    NoticeState = "moot"   // what it was to tell is no longer so, or its recipient may not be told
	NoticeFailed  NoticeState = "failed" // it could not be sent for a day
)

// NoticeStates lists every state.
func NoticeStates() []NoticeState {
	return []NoticeState{NoticeWaiting, NoticeSent, NoticeMoot, NoticeFailed}
}

// Sending is an attempt to send a message.
type Sending struct {
	Notices []int64
	Message string // its ID: an attempt that is repeated has the same
	At      time.Time
	Next    time.Time // when to try again, unless the attempt is settled before
}

// Settled says what has become of a notice.
type Settled struct {
	ID    int64
	State NoticeState // NoticeWaiting: it is sent later
	Why   string
	At    time.Time
	// SendAt is when it is sent instead, if it waits. Zero: as it is.
	SendAt time.Time
}

// NoticeRetry asks for notices that failed to be sent after all.
type NoticeRetry struct {
	IDs              []int64
	Operator, Reason string
	At               time.Time
}

// NoticeFilter selects notices; fields that are zero match all.
type NoticeFilter struct {
	ID     int64
	Kind   string
	To     string
	About  string
	States []NoticeState
	DueBy  time.Time // only those that wait, and may be sent by then
}

// NoticeCounts counts notices.
type NoticeCounts struct {
	Waiting, Failed int
	Messages        int // that somebody began to send
}

type noticesKey struct{}

// WithNotices returns a context whose next ledger call that writes stores these notices in its
// transaction. If the call changes nothing because it is repeated, it stores none twice.
func WithNotices(ctx context.Context, notices ...Notice) context.Context {
	if len(notices) == 0 {
		return ctx
	}
	return context.WithValue(ctx, noticesKey{}, slices.Concat(NoticesOf(ctx), notices))
}

// NoticesOf returns ctx's notices.
func NoticesOf(ctx context.Context) []Notice {
	notices, _ := ctx.Value(noticesKey{}).([]Notice)
	return notices
}
