package okta

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// status is the status of a user (UserStatus in the reference).
type status string

const (
	staged          status = "STAGED"
	provisioned     status = "PROVISIONED"
	isActive        status = "ACTIVE"
	recovery        status = "RECOVERY"
	lockedOut       status = "LOCKED_OUT"
	passwordExpired status = "PASSWORD_EXPIRED"
	suspended       status = "SUSPENDED"
	deprovisioned   status = "DEPROVISIONED"
)

// The operations of a user's lifecycle, as the API spells them.
const (
	activate   = "activate"
	deactivate = "deactivate"
	suspend    = "suspend"
	unsuspend  = "unsuspend"
	unlock     = "unlock"
	reactivate = "reactivate"
)

// row says what a status means, and which operations disable and enable a user who has it.
type row struct {
	// active is set if somebody can sign in to the account, or will be able to without
	// anything that an administrator does: the lock ends by itself, and whoever has the
	// activation or recovery link, or the expired password, sets a new one.
	active    bool
	suspends  []string // with the setting disable: suspend
	turnsOff  []string // with the setting disable: deactivate
	turnsOn   []string
	passwords bool // its password can be set by an administrator without another effect
}

// statuses says what each status means. The reference ("User lifecycle") allows suspend only
// for ACTIVE, unlock for LOCKED_OUT (which becomes ACTIVE), unsuspend for SUSPENDED, activate
// for STAGED and DEPROVISIONED, and deactivate for all but DEPROVISIONED.
var statuses = map[status]row{
	staged:          {active: false, suspends: nil, turnsOff: []string{deactivate}, turnsOn: []string{activate}, passwords: true},
	provisioned:     {active: true, suspends: []string{deactivate}, turnsOff: []string{deactivate}},
	isActive:        {active: true, suspends: []string{suspend}, turnsOff: []string{deactivate}, passwords: true},
	recovery:        {active: true, suspends: []string{deactivate}, turnsOff: []string{deactivate}, passwords: true},
	lockedOut:       {active: true, suspends: []string{unlock, suspend}, turnsOff: []string{deactivate}, passwords: true},
	passwordExpired: {active: true, suspends: []string{deactivate}, turnsOff: []string{deactivate}, passwords: true},
	suspended:       {active: false, suspends: nil, turnsOff: []string{deactivate}, turnsOn: []string{unsuspend}, passwords: true},
	deprovisioned:   {active: false, suspends: nil, turnsOff: nil, turnsOn: []string{activate}},
}

// rowOf returns what a status means. One that nobody knows counts as active, and is
// deactivated.
func rowOf(s status) row {
	if known, ok := statuses[s]; ok {
		return known
	}
	return row{active: true, suspends: []string{deactivate}, turnsOff: []string{deactivate}}
}

// active reports whether somebody can sign in to the account, or will be able to. A user
// whose activation is under way counts as active: it ends without anybody's doing. One who is
// being deactivated counts as active until that is over.
func (u user) active() bool { return rowOf(u.Status).active || u.Transitioning == isActive }

// pauses says how long settled waits before it looks again.
var pauses = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}

// again is how long a caller waits before it looks whether a transition is over.
const again = 15 * time.Second

// Disable implements connector.Connector. It first asks for what nearly every account needs,
// and looks at the status only if Okta refuses that.
func (c *client) Disable(ctx context.Context, accountID string) error {
	const op = connector.OpDisable
	usual := suspend
	if c.deactivates {
		usual = deactivate
	}
	err := c.lifecycle(ctx, op, accountID, usual)
	if err != nil && !refusedByStatus(err) {
		return err
	}
	if err == nil && usual == suspend {
		return nil
	}
	u, err := c.settled(ctx, op, accountID)
	if err != nil {
		return err
	}
	switch u.Transitioning {
	case "":
	case deprovisioned:
		return underway(op, deactivate)
	default: // it can be suspended or deactivated once it is what it is becoming
		return underway(op, activate)
	}
	steps := rowOf(u.Status).suspends
	if c.deactivates {
		steps = rowOf(u.Status).turnsOff
	}
	return c.change(ctx, op, accountID, steps)
}

// refusedByStatus reports whether Okta refused an operation because of the user's status. The
// reference of suspend names another code for it than other operations answer.
func refusedByStatus(err error) bool { return rest.Has(err, wrongStatus, invalid) }

// Enable implements connector.Connector. Like Disable, it first asks for what nearly every
// account needs.
func (c *client) Enable(ctx context.Context, accountID string) error {
	if !c.deactivates {
		if err := c.lifecycle(ctx, connector.OpEnable, accountID, unsuspend); err == nil || !refusedByStatus(err) {
			return err
		}
	}
	u, err := c.settled(ctx, connector.OpEnable, accountID)
	switch {
	case err != nil:
		return err
	case u.Transitioning == isActive:
		return underway(connector.OpEnable, activate)
	}
	return c.change(ctx, connector.OpEnable, accountID, rowOf(u.Status).turnsOn)
}

// change makes lifecycle operations, and waits a little for the transition that the last one
// begins.
func (c *client) change(ctx context.Context, op, id string, steps []string) error {
	for _, step := range steps {
		if err := c.lifecycle(ctx, op, id, step); err != nil {
			return err
		}
		if step != activate && step != deactivate {
			continue
		}
		switch u, err := c.settled(ctx, op, id); {
		case err != nil:
			return err
		case u.Transitioning != "":
			return underway(op, step)
		}
	}
	return nil
}

// underway returns the error for a transition that Okta has begun and not completed.
func underway(op, operation string) error {
	return &connector.Error{
		Kind: connector.KindUnderway, Op: op, Operation: operation, RetryAfter: again,
		Message: "Okta has begun to " + operation + " the account, and has not finished",
	}
}

// lifecycle asks for an operation of a user's lifecycle. None of them sends mail, unless the
// setting activationMail is on.
func (c *client) lifecycle(ctx context.Context, op, id, operation string) error {
	query := url.Values{}
	switch operation {
	case activate:
		query.Set("sendEmail", strconv.FormatBool(c.activationMail))
	case deactivate, reactivate:
		query.Set("sendEmail", "false")
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("users", id, "lifecycle", operation), Query: query}, nil)
	return err
}

// settled reads a user, and again if a transition is under way that may be over in a moment.
func (c *client) settled(ctx context.Context, op, id string) (user, error) {
	u, err := c.user(ctx, op, id)
	for _, pause := range c.pauses {
		if err != nil || u.Transitioning == "" {
			break
		}
		select {
		case <-ctx.Done():
			return u, nil
		case <-time.After(pause):
		}
		u, err = c.user(ctx, op, id)
	}
	return u, err
}

// RevokeSessions implements connector.Connector. It ends the sessions at Okta, revokes the
// OAuth tokens that Okta issued, and has Okta forget the devices that skip a second factor.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	_, err := c.api.Do(ctx, rest.Request{
		Op: connector.OpRevokeSessions, Method: http.MethodDelete, Path: rest.Path("users", accountID, "sessions"),
		Query: url.Values{"oauthTokens": {"true"}, "forgetDevices": {"true"}},
	}, nil)
	return err
}

// ResetCredentials implements connector.Connector. An account without a password gets none:
// what somebody may know of it is its activation link, and Okta makes a new one.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	if provider := u.Credentials.Provider.Type; provider != "OKTA" && provider != "" {
		return &connector.Error{Kind: connector.KindUnsupported, Op: op, Message: "the account signs in by a directory or an identity provider, which keeps its credentials: reset them there"}
	}
	if u.Status == provisioned {
		return c.lifecycle(ctx, op, accountID, reactivate)
	}
	if !rowOf(u.Status).passwords || u.Credentials.Password == nil && u.Status == staged {
		return nil
	}
	fresh := map[string]any{}
	if u.Credentials.Password != nil {
		fresh["password"] = map[string]any{"value": unknown()}
	}
	if asked := u.Credentials.RecoveryQuestion; asked != nil {
		fresh["recovery_question"] = map[string]any{"question": asked.Question, "answer": unknown()}
	}
	body := map[string]any{"credentials": fresh}
	if u.text("secondEmail") != "" {
		body["profile"] = map[string]any{"secondEmail": nil} // Okta mails recovery links to it
	}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("users", accountID), Body: body}, nil); err != nil {
		return err
	}
	return c.lifecycle(ctx, op, accountID, "reset_factors")
}

// unknown returns a secret that nobody knows, with characters of each kind that password
// policies ask for.
func unknown() string { return rand.Text() + "-" + strings.ToLower(rand.Text()) + "7" }
