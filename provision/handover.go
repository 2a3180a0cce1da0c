package provision

import (
	"errors"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// handOver gives the account's data to whoever policy says, by the account in the same app that
// is certain to be theirs.
func (a *stepAttempt) handOver() (performed, error) {
	can, h := a.app.Capabilities(), a.d.HandOvers[a.step.App]
	if !can.HandOver && (h.To.PersonID != "" || !can.HandOverByDelete) {
		return performed{}, connector.Unsupported(connector.OpHandOver)
	}
	if h.To.PersonID == "" {
		return performed{}, noReceiver(h.Why)
	}
	if err := a.checkReceiver(h.To); err != nil {
		return performed{}, err
	}
	if err := a.noteReceiver(h.To); err != nil {
		return performed{}, err
	}
	err := a.app.HandOver(a.ctx, a.link.AccountID, h.To.AccountID)
	if connector.Is(err, connector.KindNotFound) { // of the two, the receiver's account was just read
		if _, found, unread := a.readState(a.link.AccountID); unread == nil && !found {
			return a.vanished(), nil
		}
	}
	if err != nil {
		return performed{}, err
	}
	proven := a.proven("handed_over", assess.Proof{})
	proven.detail = map[string]any{"to": h.To.PersonID, "by": h.To.By}
	return proven, nil
}

// receiverByDelete returns who is given the data of somebody who has left as their account is
// deleted, in an app that hands data over only then; the zero receiver in any other app, or if
// nobody is.
func (a *stepAttempt) receiverByDelete() (ledger.Receiver, error) {
	h := a.d.HandOvers[a.step.App]
	handsOver := func(s plan.Step) bool { return s.App == a.step.App && s.Kind == plan.HandOver }
	switch {
	case !a.app.Capabilities().HandOverByDelete, a.d.skipsHandOver(a.step.App):
		return ledger.Receiver{}, nil
	case h.To.PersonID == "" && slices.ContainsFunc(a.d.Plan.Steps, handsOver): // the receiver was lost since this was planned
		return ledger.Receiver{}, notGiven(h.Why)
	}
	return h.To, nil
}

// deleteFor deletes the account, and has the app give its data to the receiver, if there is one. It
// returns to whom they were given. Where only the deletion takes access, it does not wait for
// somebody who can be given them.
func (a *stepAttempt) deleteFor(to ledger.Receiver) (ledger.Receiver, error) {
	if to.PersonID != "" {
		err := a.giveByDeleting(to)
		var refused *Error
		waits := errors.As(err, &refused) && refused.Code == CodeNoRecipient
		if !waits || a.link.State != ledger.LinkActive {
			return to, err
		}
	}
	return ledger.Receiver{}, a.app.Delete(a.ctx, a.link.AccountID)
}

// giveByDeleting deletes the account and has the app give its data to the receiver.
func (a *stepAttempt) giveByDeleting(to ledger.Receiver) error {
	err := a.checkReceiver(to)
	var refused *Error
	if errors.As(err, &refused) && refused.Code == CodeNoRecipient {
		return notGiven(refused.why)
	}
	if err != nil {
		return err
	}
	if err := a.noteReceiver(to); err != nil {
		return err
	}
	err = a.app.Delete(connector.WithRecipient(a.ctx, to.AccountID), a.link.AccountID)
	var app *connector.Error
	if errors.As(err, &app) && connector.Is(err, connector.KindInvalid, connector.KindConflict, connector.KindUnsupported) {
		return notGiven("the app refuses to give them to the receiver: " + app.Message)
	}
	return err
}

// maybeHandedOver returns who was given the data by a deletion of an earlier attempt whose answer
// was lost, or false if there was none: a call was made after the receiver was noted.
func (a *stepAttempt) maybeHandedOver() (ledger.Receiver, bool) {
	to, changed := a.link.Receiver, a.changes.before.ChangedAt
	return to, to.PersonID != "" && !changed.Before(to.At)
}

// notGiven returns the error for an account that is not deleted because nobody can be given its
// data by that. Skipping its own step would keep the account, so an operator skips another one.
func notGiven(why string) *Error {
	return &Error{
		Code: CodeNoRecipient,
		Message: "the account is not deleted, because nobody can be given its data by that: " + why + ". See to it that somebody can (the manager or " +
			"the role that leaver.handOver names) and retry; or move the data by hand and skip the hand-over, which deletes the account without it. " +
			"To skip the deletion keeps the account",
	}
}

// skipsHandOver reports whether an operator has said that the data in an app are not handed over.
func (d decision) skipsHandOver(app string) bool {
	return slices.ContainsFunc(d.Plan.Skipped, func(key string) bool {
		return plan.Step{App: app, Kind: plan.HandOver, Key: key}.Genuine()
	})
}

// withoutHandOver reports whether a deletion was in attention only because nobody could be given
// the data, and an operator has said since that they are not handed over.
func (d decision) withoutHandOver(s ledger.Step) bool {
	return s.Kind == string(plan.Delete) && s.Code == CodeNoRecipient && d.skipsHandOver(s.App)
}

// handOverQuestions asks whether accounts are deleted without handing their data over, where the
// app does both at once and nobody could be given the data.
func (d decision) handOverQuestions() (out []Attention) {
	for _, s := range d.Plan.ByDelete {
		refused := func(known ledger.Step) bool {
			_, planned := d.step(known.Key)
			return planned && known.App == s.App && known.Kind == string(plan.Delete) && known.State == ledger.StepAttention && known.Code == CodeNoRecipient
		}
		if slices.ContainsFunc(d.Person.Steps, refused) {
			out = append(out, Attention{
				Key: s.Key, App: s.App, Code: CodeNoRecipient,
				Message: "the app hands data over as it deletes the account, and nobody can be given them: the deletion says why. To have the account deleted " +
					"without, move the data by hand, then 'tenure run skip " + d.Person.PersonID + " --key " + s.Key + " --reason TEXT'",
			})
		}
	}
	return out
}

// noReceiver returns the error for data that nobody can be given.
func noReceiver(why string) *Error {
	return &Error{
		Code: CodeNoRecipient,
		Message: "nobody can be given the data: " + why + ". Move the data by hand and skip this, or see to it that somebody can " +
			"(the manager or the role that leaver.handOver names) and retry",
		why: why,
	}
}

// noteReceiver records who is given the data, before they are.
func (a *stepAttempt) noteReceiver(to ledger.Receiver) error {
	was := a.link.Receiver
	if to.PersonID == "" || to.PersonID == was.PersonID && to.AccountID == was.AccountID && to.By == was.By {
		return nil
	}
	to.At = a.engine.Clock.Now()
	if err := a.engine.Ledger.NoteReceiver(a.ctx, a.d.Person.PersonID, a.step.App, to); err != nil {
		return LedgerError(err)
	}
	a.link.Receiver = to
	return nil
}

// checkReceiver checks that the ledger and the app show the account as the receiver's, and as
// enabled.
func (a *stepAttempt) checkReceiver(to ledger.Receiver) error {
	links, err := a.engine.Ledger.Links(a.ctx, ledger.LinkFilter{App: a.step.App, AccountID: to.AccountID})
	if err != nil {
		return LedgerError(err)
	}
	links = slices.DeleteFunc(links, func(l ledger.Link) bool { return l.State == ledger.LinkDeleted })
	if len(links) != 1 || links[0].PersonID != to.PersonID || links[0].State != ledger.LinkActive {
		return noReceiver("the account that was to get them is not certain to be the receiver's any more")
	}
	account, err := a.app.Read(connector.SparingEntitlements(a.ctx), to.AccountID)
	switch {
	case connector.Is(err, connector.KindNotFound):
		return noReceiver("the receiver's account is not in the app any more")
	case err != nil:
		return err
	case !account.Active:
		return noReceiver("the app shows the receiver's account as disabled")
	case a.marked(account.ExternalID) && account.ExternalID != to.PersonID && account.ExternalID != links[0].OwnerWas:
		return noReceiver("the receiver's account has somebody else's external ID")
	}
	return nil
}

// marked reports whether an external ID tells whose an account is: the app keeps it as Tenure
// has set it.
func (a *stepAttempt) marked(externalID string) bool {
	rules, _ := a.engine.Policy.App(a.step.App)
	return externalID != "" && a.app.Capabilities().Adopt && !slices.Contains(rules.Ignore, connector.ExternalID)
}

// How long a human has to hand data over, and how often they are reminded, if only policy says
// who is asked: as for the tasks of a connector that says nothing else.
const (
	handOverWithin = 48 * time.Hour
	handOverRemind = 24 * time.Hour
)

// askHandOver returns how a human is asked to hand data over that the connector cannot, or that
// nobody can be given; false if nobody is asked.
func (a *stepAttempt) askHandOver() (connector.Ask, bool) {
	rules, _ := a.engine.Policy.App(a.step.App)
	can := a.app.Capabilities()
	able := (can.HandOver || can.HandOverByDelete) && a.d.HandOvers[a.step.App].To.PersonID != ""
	if rules.Leaver.HandOverBy == "" || able {
		return connector.Ask{}, false
	}
	return connector.Ask{Assignee: rules.Leaver.HandOverBy, Within: handOverWithin, Remind: handOverRemind}, true
}
