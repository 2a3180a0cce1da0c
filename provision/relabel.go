package provision

import (
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// relabel gives the account the username that it is to get and, if the person had it
// under another ID, the ID that they have now.
func (t *task) relabel() (done, error) {
	to := connector.Label{Username: t.link.RenameTo}
	if t.link.OwnerWas != "" {
		to.PersonID, to.WasPersonID = t.d.Person.PersonID, t.link.OwnerWas
	}
	err := t.app.Relabel(t.ctx, t.link.AccountID, to)
	if connector.Is(err, connector.KindNotFound) {
		return t.vanished(), nil
	}
	if err != nil {
		return done{}, err
	}
	account, found, err := t.readState(t.link.AccountID)
	switch {
	case err != nil:
		return done{}, err
	case !found:
		return t.vanished(), nil
	case to.Username != "" && !strings.EqualFold(account.Username, to.Username), to.PersonID != "" && account.ExternalID != to.PersonID:
		return done{}, notYet(connector.OpRead, "the account is known by what it was")
	}
	link := t.link
	link.Username, link.RenameTo, link.OwnerWas = account.Username, "", ""
	link.ProvenAt = t.a.Clock.Now()
	return done{link: link, action: "relabelled", detail: map[string]any{"renamed": to.Username != "", "was": to.WasPersonID}}, nil
}
