package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Viewer shows an operator what they want to see before they decide. It changes nothing.
// All fields are needed, except those that the methods in use do not need.
type Viewer struct {
	Ledger ledger.Reader
	Policy *policy.Policy
	Apps   Apps
	Clock  clock.Clock
	// Reviews says how reviews are held; only their methods need it.
	Reviews Reviews
}

// Operator decides and acts on behalf of the people who operate Tenure, and shows what a
// Viewer shows.
type Operator struct {
	Viewer
	Engine Engine // needed by BreakGlass only
	ledger ledger.Ledger
	runs   Runs
}

// New returns an operator that reads and writes the ledger l, and tells runs what is new
// in it. It takes the rest from v, and sets its Ledger to l.
func New(l ledger.Ledger, runs Runs, v Viewer) *Operator {
	v.Ledger = l
	return &Operator{Viewer: v, ledger: l, runs: runs}
}

// Request says who asks for something, and why. Both go on the record. The context
// carries the login of the operator: see ledger.WithLogin.
type Request struct {
	Actor  string // the name that they give
	Reason string
}

// Runs tells people's runs that there is something new in the ledger.
type Runs interface {
	// Ready returns an error if no run can be told now.
	Ready(ctx context.Context) error
	// Resume tells the person's run to look at the ledger again, and starts one if none
	// is open. Why is one line for people, without personal data.
	Resume(ctx context.Context, personID, why string) error
	// ResumeRequest tells the run of a request for a role to look at the ledger again, and
	// starts one if none is open.
	ResumeRequest(ctx context.Context, requestID int64, why string) error
	// ResumeReview tells the run of a review to look at the ledger again, and starts one if
	// none is open.
	ResumeReview(ctx context.Context, reviewID int64, why string) error
	// Scan starts a scan of an app, unless one that was started so is open.
	Scan(ctx context.Context, app string) error
	// Deliver tells the person's run of an event that the ledger has as number seq.
	Deliver(ctx context.Context, e hr.Event, seq int64) error
}

// Apps opens the apps of the configuration.
type Apps interface {
	// Find returns an error if there is no app with the name. The error may suggest a
	// similar one.
	Find(app string) error
	// Rules returns what decisions depend on: the policy, and the traits of every app.
	Rules(ctx context.Context) (assess.Rules, error)
	// Traits returns what planning has to know of one app.
	Traits(ctx context.Context, app string) (plan.App, error)
	// Open opens the connector of an app, which leaves alone what is protected. The
	// caller closes it.
	Open(ctx context.Context, app string) (connector.Connector, error)
	// OpenPaced is Open for many calls: they share the app's rate with the workers.
	OpenPaced(ctx context.Context, app string) (connector.Connector, error)
	// EnoughSeats says how many free seats of each licence of an app are enough.
	EnoughSeats(app string) ledger.EnoughSeats
}

// Progress is called with the number of people that were done since the last call. It may
// be nil.
type Progress func(more int)

func (p Progress) add(more int) {
	if p != nil {
		p(more)
	}
}

// The errors by which a Request is refused.
var (
	ErrNoActor  = errors.New("say who is asking (operator): it goes on the record")
	ErrTenure   = fmt.Errorf("%s is what does things by itself: say who is asking (operator)", ledger.ActorTenure)
	ErrNoReason = errors.New("say why (reason): it goes on the record")
)

// ErrProtected is returned for a person whom no automation touches.
var ErrProtected = errors.New("the person is protected: nothing was recorded or done")

// Verb names something that an operator may ask for.
type Verb string

// The verbs.
const (
	Suspend         Verb = "suspend"
	Reinstate       Verb = "reinstate"
	Retry           Verb = "retry"
	Skip            Verb = "skip"
	Release         Verb = "release"
	Cancel          Verb = "cancel"
	PlaceHold       Verb = "place hold"
	ReleaseHold     Verb = "release hold"
	SetRetention    Verb = "set retention"
	ResetRetention  Verb = "reset retention"
	ApproveDeletion Verb = "approve deletion"
	FinishTask      Verb = "finish task"
	RefuseTask      Verb = "refuse task"
	Discard         Verb = "discard"
	Redrive         Verb = "redrive"
	Adopt           Verb = "adopt"
	Unlink          Verb = "unlink"
	RestoreAccount  Verb = "restore account"
	GrantRole       Verb = "grant role"
	Withhold        Verb = "withhold"
	WaiveDuty       Verb = "waive duty"
	EndException    Verb = "end exception"
	AskRole         Verb = "ask for role"
	AskWaiver       Verb = "ask for waiver"
	DecideRequest   Verb = "decide request"
	CancelRequest   Verb = "cancel request"
	SetStandIn      Verb = "set stand-in"
	EndStandIn      Verb = "end stand-in"
	StartReview     Verb = "start review"
	DecideItem      Verb = "decide item"
	MoveItems       Verb = "move items"
	CloseReview     Verb = "close review"
	ExtendReview    Verb = "extend review"
	Rename          Verb = "rename"
	LinkPeople      Verb = "link people"
	UnlinkPeople    Verb = "unlink people"
	RepairFinding   Verb = "repair finding"
	EndFinding      Verb = "end finding"
	AcceptFinding   Verb = "accept finding"
	BelieveScan     Verb = "believe scan"
	RetryNotice     Verb = "retry notice"
	Export          Verb = "export"
	Import          Verb = "import"
	RestartLog      Verb = "restart log"
	Erase           Verb = "erase"
)

// unexplained holds the verbs that need no reason: what they do is reason enough.
var unexplained = map[Verb]bool{Retry: true, FinishTask: true, Adopt: true, DecideItem: true, Export: true, Import: true}

// Check returns an error unless the request has what the verb needs: who asks and, for
// most verbs, why.
func (v Verb) Check(r Request) error {
	if err := CheckActor(r.Actor); err != nil {
		return err
	}
	if !unexplained[v] && strings.TrimSpace(r.Reason) == "" {
		return ErrNoReason
	}
	return nil
}

// CheckActor returns an error unless somebody may act under this name.
func CheckActor(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return ErrNoActor
	case ledger.SameOperator(name, ledger.ActorTenure):
		return ErrTenure
	}
	return nil
}

// RefusedError says why something was not done.
type RefusedError struct {
	Text string
	// See holds the arguments of tenure that show more ("hold list --all"), as somebody may
	// copy it into a shell; empty if there is no such command.
	See string
}

func (r *RefusedError) Error() string {
	if r.See == "" {
		return r.Text
	}
	return r.Text + ": see tenure " + r.See
}

// refuse returns a *RefusedError. See is a command that shows more, with %s for each ID in it.
func refuse(text, see string, ids ...string) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = visible.Quoted(id)
	}
	return &RefusedError{Text: text, See: fmt.Sprintf(see, args...)}
}

// UntoldError means that what was decided is on the record, but that runs could not be
// told. The sweeper will tell them.
type UntoldError struct {
	People []string // the people whose runs were to be told
	Told   int      // the number of those whose runs were told
	Err    error
}

func (e *UntoldError) Error() string {
	return fmt.Sprintf("it is on the record, and the sweeper will tell their run, since this did not: %v", e.Err)
}

func (e *UntoldError) Unwrap() error { return e.Err }

// Untold separates the *UntoldError from the other errors that a method returned. If
// other is nil, what was asked for is on the record.
func Untold(err error) (untold *UntoldError, other error) {
	if !errors.As(err, &untold) {
		return nil, err
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return untold, nil
	}
	var others []error
	for _, e := range joined.Unwrap() {
		if !errors.As(e, new(*UntoldError)) {
			others = append(others, e)
		}
	}
	return untold, errors.Join(others...)
}

// Ready returns an error if no run can be told now.
func (o *Operator) Ready(ctx context.Context) error { return o.runs.Ready(ctx) }

// tell tells the runs of people that there is something new, and returns an *UntoldError
// if it cannot. Somebody whom the ledger does not know has no run.
func (o *Operator) tell(ctx context.Context, why string, people ...string) error {
	var known []string
	for _, id := range people {
		switch _, err := o.Ledger.Person(ctx, id); {
		case err == nil:
			known = append(known, id)
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
	}
	return o.tellKnown(ctx, why, known, nil)
}

// tellKnown tells the runs of people who are known to be in the ledger.
func (o *Operator) tellKnown(ctx context.Context, why string, people []string, p Progress) error {
	for told, id := range people {
		if err := o.runs.Resume(ctx, id, why); err != nil {
			return &UntoldError{People: people, Told: told, Err: err}
		}
		p.add(1)
	}
	return nil
}

// Person reads one person, and refuses an ID that the ledger does not know.
func (v *Viewer) Person(ctx context.Context, id string) (ledger.Person, error) {
	return FindPerson(ctx, v.Ledger, id)
}

// People is the part of a ledger that FindPerson needs.
type People interface {
	Person(ctx context.Context, personID string) (ledger.Person, error)
	DeadLetters(ctx context.Context, f ledger.LetterFilter, after int64, limit int) ([]ledger.DeadLetter, error)
}

// FindPerson reads one person, and refuses an ID that the ledger does not know. The
// refusal says whether there are dead letters about it.
func FindPerson(ctx context.Context, l People, id string) (ledger.Person, error) {
	person, err := l.Person(ctx, id)
	if !errors.Is(err, ledger.ErrNotFound) {
		return person, err
	}
	unknown := fmt.Sprintf("the ledger knows no person %q", id)
	letters, err := l.DeadLetters(ctx, ledger.LetterFilter{PersonID: id}, 0, 1)
	if err == nil && len(letters) > 0 {
		return person, refuse(unknown+", but there are dead letters about them", "dlq list --person %s --state all", id)
	}
	return person, errors.Join(refuse(unknown, ""), err)
}
