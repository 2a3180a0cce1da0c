package google

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// lookAgain is how long to wait before a transfer is looked at again. Google does not say how
// long one takes; that of a full Drive takes hours.
const lookAgain = 5 * time.Minute

// transferable maps what can be handed over to the application and its parameters, as the
// Data Transfer API's page "Transfer parameters" lists them. Without both privacy levels,
// files that are not shared would be deleted with the account.
var transferable = map[string]struct {
	id     string
	params []param
}{
	"drive":        {"55656082996", []param{{"PRIVACY_LEVEL", []string{"PRIVATE", "SHARED"}}}},
	"calendar":     {"435070579839", []param{{"RELEASE_RESOURCES", []string{"TRUE"}}}},
	"lookerStudio": {"810260081642", nil},
}

type param struct {
	Key   string   `json:"key"`
	Value []string `json:"value"`
}

// transfer is a transfer of data (Data Transfer API, transfers).
type transfer struct {
	ID           string        `json:"id,omitempty"`
	From         string        `json:"oldOwnerUserId"`
	To           string        `json:"newOwnerUserId"`
	Applications []application `json:"applicationDataTransfers"`
	Status       string        `json:"overallTransferStatusCode,omitempty"`
}

type application struct {
	ID     string  `json:"applicationId"`
	Params []param `json:"applicationTransferParams,omitempty"`
	Status string  `json:"applicationTransferStatus,omitempty"`
}

// The statuses at which a transfer has ended.
const (
	completed = "completed"
	failed    = "failed"
)

const transfers = "/admin/datatransfer/v1/transfers"

// HandOver implements connector.Connector. A transfer that is under way already is followed,
// not begun again: by its ID, or found among all if that was lost. One that has ended is: it may
// be of an earlier leave, and a transfer of what was transferred moves nothing.
func (c *client) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	const op = connector.OpHandOver
	if id := connector.OperationOf(ctx); id != "" {
		if known, err := c.follow(ctx, id, fromAccountID, toAccountID); known || err != nil {
			return err
		}
	}
	if _, err := c.get(ctx, op, fromAccountID); err != nil {
		return err
	}
	to, err := c.get(ctx, op, toAccountID)
	if err != nil {
		return err
	}
	if off(to) {
		return connector.Invalid(op, "the account that is to get the data is suspended or archived: name another recipient")
	}
	wanted := c.wanted(fromAccountID, toAccountID)
	underway, err := c.underway(ctx, wanted)
	if err != nil {
		return err
	}
	if underway.ID == "" {
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: transfers, Body: wanted}, &underway); err != nil {
			return unsettled(err)
		}
	}
	return c.state(underway, fromAccountID, toAccountID)
}

// follow looks how far a transfer is that an earlier call has begun. It reports false if there is
// another one to begin: policy has another recipient by now, and the transfer to the earlier one
// has failed. If it was completed, a human has to move the data on.
func (c *client) follow(ctx context.Context, id, from, to string) (known bool, err error) {
	const op = connector.OpHandOver
	var t transfer
	_, err = c.api.Do(ctx, rest.Request{Op: op, Path: transfers + rest.Path(id)}, &t)
	if connector.Is(err, connector.KindNotFound) {
		if t, err = c.underway(ctx, c.wanted(from, to)); err == nil && t.ID == "" {
			return false, connector.Invalid(op, "Google does not show the transfer any more that it had begun: see in the Admin console whether the data were moved; a retry transfers what is left")
		}
	}
	switch {
	case err != nil:
		return false, err
	case t.ID == id && t.From == from && t.To != to && strings.EqualFold(t.Status, completed):
		return false, connector.Invalid(op, "Google has transferred the data to an earlier recipient, who cannot be given them any more: move them on from that account in the Admin console, then retry, which transfers what is left")
	case t.ID == id && t.From == from && t.To != to && ended(t.Status):
		return false, nil
	case t.ID == id && t.From == from && t.To != to:
		return true, atWork(t, "Google is transferring the data to an earlier recipient, and the rest is transferred after that")
	}
	return true, c.state(t, from, to)
}

// wanted returns the transfer of all that is to be handed over.
func (c *client) wanted(from, to string) transfer {
	t := transfer{From: from, To: to}
	for _, name := range c.handOver {
		t.Applications = append(t.Applications, application{ID: transferable[name].id, Params: transferable[name].params})
	}
	return t
}

// underway returns a transfer that is under way, of the same data from and to the same
// people; an empty one if there is none.
func (c *client) underway(ctx context.Context, wanted transfer) (transfer, error) {
	query := url.Values{"oldOwnerUserId": {wanted.From}, "newOwnerUserId": {wanted.To}}
	if c.customer != "my_customer" { // the API takes only the ID itself
		query.Set("customerId", c.customer)
	}
	for t, err := range list[transfer](ctx, c.api, connector.OpHandOver, transfers, "dataTransfers", query) {
		if err != nil {
			return transfer{}, err
		}
		if t.From == wanted.From && t.To == wanted.To && !ended(t.Status) && t.covers(wanted) {
			return t, nil
		}
	}
	return transfer{}, nil
}

// ended reports whether a status is one at which nothing more happens.
func ended(status string) bool {
	return strings.EqualFold(status, completed) || strings.EqualFold(status, failed)
}

// covers reports whether a transfer is of all that is wanted, private files too.
func (t transfer) covers(wanted transfer) bool {
	return !slices.ContainsFunc(wanted.Applications, func(want application) bool {
		return !slices.ContainsFunc(t.Applications, func(has application) bool {
			return has.ID == want.ID && !slices.ContainsFunc(want.Params, func(p param) bool {
				return !slices.ContainsFunc(has.Params, func(other param) bool {
					return other.Key == p.Key && !slices.ContainsFunc(p.Value, func(v string) bool { return !slices.Contains(other.Value, v) })
				})
			})
		})
	})
}

// state returns nil if a transfer is completed, and else the error that says how far it is.
func (c *client) state(t transfer, from, to string) error {
	const op = connector.OpHandOver
	if t.ID == "" || t.From != from || t.To != to {
		return rest.Contradictory(op, "Google shows a transfer that is not this one")
	}
	var lost []string
	for _, name := range c.handOver {
		for _, a := range t.Applications {
			if a.ID == transferable[name].id && strings.EqualFold(a.Status, failed) {
				lost = append(lost, name)
			}
		}
	}
	switch {
	case strings.EqualFold(t.Status, failed) || len(lost) > 0 && ended(t.Status):
		what := "the data"
		if len(lost) > 0 {
			what = strings.Join(lost, ", ")
		}
		return connector.Invalid(op, "Google's transfer failed for %s: both accounts must be licensed for it, and the recipient must have room. Mend that and retry, or move the data by hand and skip this", what)
	case strings.EqualFold(t.Status, completed):
		return nil
	}
	return atWork(t, "Google is transferring the data")
}

// atWork returns the error of a transfer that is under way.
func atWork(t transfer, what string) error {
	return &connector.Error{Kind: connector.KindUnderway, Op: connector.OpHandOver, Operation: t.ID, RetryAfter: lookAgain, Message: what}
}
