package scim

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// change makes edits in the user that r names, in the form that the service
// takes. r.ifMatch goes with them; a PUT, which would undo what others change
// meanwhile, takes the version that it was made from, and is made anew if that has
// passed.
func (c *client) change(ctx context.Context, r request, all ...edit) error {
	if len(all) == 0 {
		return nil
	}
	if r.id == "" {
		return noID(r.op)
	}
	r.collection = users
	how := c.how(ctx)
	switch {
	case how.form == byPut && r.ifMatch == "":
		return again(ctx, func() error { return c.replace(ctx, r, all) })
	case how.form == byPut:
		return c.replace(ctx, r, all)
	}
	r.method, r.body = http.MethodPatch, patch(how.form.operations(all)...)
	send := func() error {
		_, err := c.service.do(ctx, r, nil)
		return err
	}
	if r.ifMatch != "" {
		return send() // whoever has given the version reads it again
	}
	err := again(ctx, send)
	if a := answerOf(err); a != nil && (a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented) {
		return &connector.Error{Kind: connector.KindUnsupported, Op: r.op, Cause: a, Message: a.Error() + ": the app does not offer PATCH: say changeUsers: put"}
	}
	return err
}

func (c *client) replace(ctx context.Context, r request, all []edit) error {
	user, etag, err := c.get(ctx, r.op, r.id)
	if err != nil {
		return err
	}
	if r.ifMatch == "" {
		r.ifMatch = etag
	}
	r.method, r.body = http.MethodPut, replaced(user, all)
	_, err = c.service.do(ctx, r, nil)
	return err
}

const (
	// racesLost is how often a change is sent that always comes too late.
	racesLost = 6
	// raceWait is the longest pause before the second one; it doubles from there.
	raceWait = 50 * time.Millisecond
)

// again does what comes too late, because the resource was changed meanwhile, once
// more: at once, and then after pauses of random length, since others do the same.
func again(ctx context.Context, do func() error) error {
	for lost := 0; ; lost++ {
		err := do()
		if a := answerOf(err); a == nil || !a.lostRace() || lost == racesLost-1 {
			return err
		}
		if lost == 0 {
			continue
		}
		pause := time.NewTimer(time.Duration(rand.Int64N(int64(raceWait << lost)))) //nolint:gosec // G404: nobody gains by guessing it
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}
