package provision

import (
	"strings"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
)

// relabel gives the account its new username and, if the person had it under another ID,
// the ID that they have now.
func (a *stepAttempt) relabel() (performed, error) {
	to := connector.Label{Username: a.link.RenameTo}
	if a.link.OwnerWas != "" {
		to.PersonID, to.WasPersonID = a.d.Person.PersonID, a.link.OwnerWas
	}
	err := a.app.Relabel(a.ctx, a.link.AccountID, to)
	if connector.Is(err, connector.KindNotFound) {
		return a.vanished(), nil
	}
	if connector.Is(err, connector.KindExists) && a.app.Capabilities().RecycleBin > 0 {
		return performed{}, &connector.Error{
			Kind: connector.KindExists, Op: connector.OpRelabel,
			Message: "another account has the new username, perhaps a deleted one in the app's recycle bin: rename that one, or remove it from the bin, then retry",
		}
	}
	if err != nil {
		return performed{}, err
	}
	account, found, err := a.readState(a.link.AccountID)
	switch {
	case err != nil:
		return performed{}, err
	case !found:
		return a.vanished(), nil
	case to.Username != "" && !strings.EqualFold(account.Username, to.Username), to.PersonID != "" && account.ExternalID != to.PersonID:
		return performed{}, a.notYet(connector.OpRead, "the account still has its old username or external ID")
	}
	proven := a.proven("relabelled", assess.Proof{Username: account.Username})
	proven.detail = map[string]any{"renamed": to.Username != "", "was": to.WasPersonID}
	return proven, nil
}
