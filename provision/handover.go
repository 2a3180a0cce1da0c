package provision

import (
	"context"
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
	if err := a.app.HandOver(a.ctx, a.link.AccountID, h.To.AccountID); err != nil {
		return performed{}, err
	}
	proven := a.proven("handed_over", assess.Proof{})
	proven.detail = map[string]any{"to": h.To.PersonID, "by": h.To.By}
	return proven, nil
}

// withReceiver returns the context for deleting the account of somebody who has left, in an app
// that hands data over as it deletes, and who is given the data; the zero receiver in any other
// app, or if nobody is.
func (a *stepAttempt) withReceiver() (context.Context, ledger.Receiver, error) {
	h := a.d.HandOvers[a.step.App]
	to := h.To
	handsOver := func(s plan.Step) bool { return s.App == a.step.App && s.Kind == plan.HandOver }
	switch {
	case !a.app.Capabilities().HandOverByDelete:
		return a.ctx, ledger.Receiver{}, nil
	case to.PersonID == "" && slices.ContainsFunc(a.d.Plan.Steps, handsOver): // the receiver was lost since this was planned
		return nil, ledger.Receiver{}, noReceiver(h.Why)
	case to.PersonID == "":
		return a.ctx, ledger.Receiver{}, nil
	}
	if err := a.checkReceiver(to); err != nil {
		return nil, ledger.Receiver{}, err
	}
	if err := a.noteReceiver(to); err != nil {
		return nil, ledger.Receiver{}, err
	}
	return connector.WithRecipient(a.ctx, to.AccountID), to, nil
}

// noReceiver returns the error for data that nobody can be given.
func noReceiver(why string) *Error {
	return &Error{
		Code: CodeNoRecipient,
		Message: "nobody can be given the data: " + why + ". Move the data by hand and skip this, or see to it that somebody can " +
			"(the manager or the role that leaver.handOver names) and retry",
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
