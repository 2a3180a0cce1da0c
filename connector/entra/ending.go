package entra

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// RevokeSessions implements connector.Connector. It makes Entra ID refuse every refresh token
// and session cookie that was issued before (learn.microsoft.com/graph/api/user-
// revokesigninsessions).
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	var answer struct{ Value *bool }
	r := rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("users", accountID, "revokeSignInSessions"), Repeatable: true}
	if _, err := c.api.Do(ctx, r, &answer); err != nil {
		return err
	}
	if answer.Value != nil && !*answer.Value {
		return rest.Contradictory(op, "Microsoft Graph answered that it did not revoke the sessions")
	}
	if !c.devices {
		return nil
	}
	return c.disableDevices(ctx, op, accountID)
}

// disableDevices disables the devices that are registered by the user. They keep sessions of
// their own (learn.microsoft.com/entra/identity/users/users-revoke-access).
func (c *client) disableDevices(ctx context.Context, op, accountID string) error {
	devices, err := rest.Collect(each[user](ctx, c, rest.Request{Op: op, Path: rest.Path("users", accountID, "registeredDevices"), Query: url.Values{"$top": {mostOnPage}}}))
	if err != nil {
		return err
	}
	for _, device := range devices {
		if on, shown := device["accountEnabled"].(bool); shown && !on {
			continue
		}
		r := rest.Request{Op: op, Method: http.MethodPatch, Path: rest.Path("devices", device.Text("id")), Body: user{"accountEnabled": false}}
		_, err := c.api.Do(ctx, r, nil)
		if connector.Is(err, connector.KindForbidden) {
			err = failed(op, connector.KindForbidden, "the sessions are revoked, and the devices are not disabled: the app registration needs the right Device.ReadWrite.All and the directory role Cloud Device Administrator")
		}
		if err = rest.Gone(err); err != nil {
			return err
		}
	}
	return nil
}

// methods maps the types of authentication methods to where one of them is removed (learn.
// microsoft.com/graph/api/resources/authenticationmethods-overview). The password is not among
// them: it is replaced.
var methods = map[string]string{
	"emailAuthenticationMethod":                   "emailMethods",
	"externalAuthenticationMethod":                "externalAuthenticationMethods",
	"fido2AuthenticationMethod":                   "fido2Methods",
	"microsoftAuthenticatorAuthenticationMethod":  "microsoftAuthenticatorMethods",
	"phoneAuthenticationMethod":                   "phoneMethods",
	"platformCredentialAuthenticationMethod":      "platformCredentialMethods",
	"softwareOathAuthenticationMethod":            "softwareOathMethods",
	"temporaryAccessPassAuthenticationMethod":     "temporaryAccessPassMethods",
	"windowsHelloForBusinessAuthenticationMethod": "windowsHelloForBusinessMethods",
}

// passwordMethod is the type of the password among the authentication methods.
const passwordMethod = "passwordAuthenticationMethod"

// ResetCredentials implements connector.Connector. It sets a password that nobody knows, and
// removes every other way to sign in. Users from Active Directory have their password there.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	r := rest.Request{Op: op, Method: http.MethodPatch, Path: rest.Path("users", accountID), Body: user{"passwordProfile": password()}}
	if _, err := c.api.Do(ctx, r, nil); err != nil {
		u, readErr := c.brief(ctx, op, accountID)
		if readErr == nil && u.Is(synced) && connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
			return failed(op, connector.KindUnsupported, "the password is kept in Active Directory")
		}
		return err
	}
	return c.removeMethods(ctx, op, accountID)
}

// removeMethods removes the authentication methods. Graph does not remove the default one while
// there are others (learn.microsoft.com/graph/api/phoneauthenticationmethod-delete), so that
// those that were refused are tried once more in the end.
func (c *client) removeMethods(ctx context.Context, op, accountID string) error {
	left, err := rest.Collect(each[user](ctx, c, rest.Request{Op: op, Path: rest.Path("users", accountID, "authentication", "methods")}))
	if connector.Is(err, connector.KindNotFound) {
		return failed(op, connector.KindUnavailable, "Microsoft Graph knows the user, and does not know its authentication methods yet")
	}
	for range 2 {
		var refused []user
		for _, method := range left {
			one := c.removeMethod(ctx, op, accountID, method)
			switch {
			case connector.Is(one, connector.KindInvalid):
				refused, err = append(refused, method), one
			case one != nil:
				return one
			}
		}
		if left = refused; len(left) == 0 {
			return nil
		}
	}
	return err
}

func (c *client) removeMethod(ctx context.Context, op, accountID string, method user) error {
	kind := strings.TrimPrefix(method.Text("@odata.type"), "#microsoft.graph.")
	if kind == passwordMethod {
		return nil
	}
	where, known := methods[kind]
	if !known {
		return connector.Invalid(op, "the account has an authentication method of a type that is not known here: remove it in the Entra admin centre")
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID, "authentication", where, method.Text("id"))}, nil)
	return rest.Gone(err)
}

// Delete implements connector.Connector. The user goes to the recycle bin (learn.microsoft.com/
// graph/api/user-delete).
func (c *client) Delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	u, err := c.brief(ctx, op, accountID)
	switch {
	case rest.Gone(err) != nil:
		return err
	case u.Is(synced):
		return c.elsewhere(op)
	case err == nil && c.appRoles:
		if err := c.takeAppRoles(ctx, op, accountID); err != nil {
			return err
		}
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID), Repeatable: true}, nil)
	return rest.Gone(err)
}

// takeAppRoles takes the apps that were assigned to the user directly, so that a restored
// account does not have them again (learn.microsoft.com/graph/api/user-list-
// approleassignments, which shows those of the user's groups too).
func (c *client) takeAppRoles(ctx context.Context, op, accountID string) error {
	assigned, err := rest.Collect(each[user](ctx, c, rest.Request{Op: op, Path: rest.Path("users", accountID, "appRoleAssignments")}))
	if rest.Gone(err) != nil {
		return err
	}
	for _, a := range assigned {
		if !strings.EqualFold(a.Text("principalId"), accountID) {
			continue
		}
		_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID, "appRoleAssignments", a.Text("id"))}, nil)
		if err = rest.Gone(err); err != nil {
			return err
		}
	}
	return nil
}

// Restore implements connector.Connector. The account comes back as it was deleted, with its
// groups and licences (learn.microsoft.com/graph/api/directory-deleteditems-restore). Tenure
// deletes accounts that it has disabled, so that they come back disabled.
func (c *client) Restore(ctx context.Context, accountID string) error {
	const op = connector.OpRestore
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("directory", "deletedItems", accountID, "restore")}, nil)
	return c.absent(ctx, op, accountID, err)
}
