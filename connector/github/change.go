package github

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Create implements connector.Connector. It invites a user by their ID. An invitation, unlike
// the setting of a membership, is refused if the user is invited or a member already.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	login := c.login(spec.PersonID, spec.Username)
	switch {
	case !spec.Active:
		return connector.Account{}, connector.Unsupported(op)
	case len(spec.Attributes) > 0:
		return connector.Account{}, connector.Invalid(op, "no attribute can be set: the accounts of GitHub belong to their owners")
	case login == "":
		return connector.Account{}, connector.Invalid(op, "it is not known which login the person has on GitHub: ask them, and add it to the setting logins")
	case !loginForm.MatchString(login):
		return connector.Account{}, connector.Invalid(op, "the username makes no login of GitHub, which has up to 39 letters, digits and dashes: add the person's login to the setting logins")
	}
	var invitee user
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", login)}, &invitee)
	switch {
	case rest.Has(err, notFound):
		return connector.Account{}, connector.Invalid(op, "GitHub has no user of the person's login: correct the setting logins, or have them make the account, then retry")
	case err != nil:
		return connector.Account{}, err
	case invitee.ID == 0 || invitee.Type != "User":
		return connector.Account{}, connector.Invalid(op, "the person's login on GitHub is no person's: correct the setting logins")
	}
	body := map[string]any{"invitee_id": invitee.ID, "role": "direct_member"}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: c.in("invitations"), Body: body}, nil)
	if f := rest.FailureOf(err); f != nil && f.Status == http.StatusUnprocessableEntity {
		_, there, unread := c.member(ctx, op, login)
		if unread == nil && there {
			return connector.Account{}, &connector.Error{Kind: connector.KindExists, Op: op, Message: "the user is a member, or invited, already"}
		}
	}
	if err != nil {
		return connector.Account{}, err
	}
	id := strconv.FormatInt(invitee.ID, 10)
	_, account, err := c.read(connector.SparingEntitlements(ctx), op, id) // a new invitation offers no team
	if err != nil && !connector.Is(err, connector.KindUnavailable) {
		// Other kinds would say that nobody was invited.
		return connector.Account{ID: id}, rest.Contradictory(op, "GitHub accepted the invitation and does not show it: "+err.Error())
	}
	return account, err
}

// Enable implements connector.Connector. A member is never off.
func (c *client) Enable(ctx context.Context, accountID string) error {
	_, _, err := c.read(connector.SparingEntitlements(ctx), connector.OpEnable, accountID)
	return err
}

// Disable implements connector.Connector. It removes the member, or cancels the invitation, and
// removes the user as outside collaborator of each repository. GitHub refuses the second if
// the user is a member still, by an enterprise team.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return connector.Unfinished(c.disable(ctx, accountID))
}

func (c *client) disable(ctx context.Context, id string) error {
	const op = connector.OpDisable
	found, there, err := c.owned(ctx, op, id)
	if err != nil || !there {
		return err
	}
	removed, err := c.remove(ctx, op, c.in("memberships", found.Login))
	if err == nil && !removed {
		err = c.sees(ctx, op)
	}
	if err != nil {
		return err
	}
	_, err = c.remove(ctx, op, c.in("outside_collaborators", found.Login))
	return err
}

// RevokeSessions implements connector.Connector. It ends the authorisations of personal access
// tokens and SSH keys, also those of somebody who is no member any more.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	found, there, err := c.owned(ctx, op, accountID)
	if err != nil || !there {
		return orGone(op, err)
	}
	type authorisation struct {
		ID    int64  `json:"credential_id"`
		Login string `json:"login"`
	}
	var all []authorisation
	for one, err := range pages[authorisation](ctx, c, op, c.in("credential-authorizations"), url.Values{"login": {found.Login}}) {
		if err != nil {
			return err
		}
		if one.Login == found.Login {
			all = append(all, one)
		}
	}
	for _, one := range all {
		if _, err := c.remove(ctx, op, c.in("credential-authorizations", strconv.FormatInt(one.ID, 10))); err != nil {
			return err
		}
	}
	return nil
}
