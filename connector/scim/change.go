package scim

import (
	"context"
	"net/http"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/backoff"
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
	noPatch := &c.service.learned.noPatch
	puts := how.form == byPut || noPatch.holds(c.now())
	if puts {
		err := c.put(ctx, r, all)
		if c.traits.form == byPut || !refusedMethod(err) {
			return err
		}
		noPatch.refuted() // it has no PUT, so that it may have PATCH after all
		how.form = c.traits.form
	}
	err := c.patch(ctx, r, how.form, all)
	if err == nil {
		noPatch.refuted()
	}
	if !refusedMethod(err) {
		return err
	}
	put := err
	if !puts {
		put = c.put(ctx, r, all)
	}
	switch {
	case put == nil:
		noPatch.met(c.now())
		return nil
	case !refusedMethod(put):
		return put
	}
	a := answerOf(err)
	return &connector.Error{Kind: connector.KindUnsupported, Op: r.op, Cause: a, Message: a.Error() + ": the app offers neither PATCH nor PUT of users"}
}

// patch changes a user by PATCH. Where the service knows no "remove", what is cleared
// is replaced by null, which is the same (RFC 7643 section 2.5). Where it is refused, it
// may be for the case of the operations' names.
func (c *client) patch(ctx context.Context, r request, f form, all []edit) error {
	send := func(operations []operation) error {
		r.method, r.body = http.MethodPatch, patch(operations...)
		do := func() error {
			_, err := c.service.do(ctx, r, nil)
			return err
		}
		if r.ifMatch != "" {
			return do() // whoever has given the version reads it again
		}
		return again(ctx, do)
	}
	return c.inForms(f.operations(all), true, send)
}

// inForms sends the operations of a PATCH in the form that the service is believed to
// take and, if it refuses that, in the others: with names in lower case or as "Add", and,
// where mayNull, with "replace" by null in the place of "remove".
func (c *client) inForms(operations []operation, mayNull bool, send func([]operation) error) error {
	noRemove, capitals := &c.service.learned.noRemove, &c.service.learned.capitalOps
	nulled, removes := withoutRemove(operations)
	removes = removes && mayNull
	byNull, byCapitals := removes && noRemove.holds(c.now()), capitals.holds(c.now())
	var first error
	for i := range 4 {
		null, capital := byNull != (i%2 == 1), byCapitals != (i > 1)
		if i%2 == 1 && !removes {
			continue
		}
		form := operations
		if null {
			form = nulled
		}
		if capital {
			form = capitalised(form)
		}
		err := send(form)
		if err == nil {
			c.note(noRemove, byNull, null)
			c.note(capitals, byCapitals, capital)
			return nil
		}
		if !refusedFilter(err) {
			return err // of another form, too: it may have been done, or is to be sent again
		}
		if i == 0 {
			first = err
		}
	}
	return first
}

// note notes that a service took what shows a deviation, or what shows that there is none.
func (c *client) note(d *deviation, expected, shown bool) {
	if !shown || !expected {
		d.settle(c.now(), shown)
	}
}

func (c *client) put(ctx context.Context, r request, all []edit) error {
	if r.ifMatch == "" {
		return again(ctx, func() error { return c.replace(ctx, r, all) })
	}
	return c.replace(ctx, r, all)
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
)

// races are the pauses after a change was lost to another one.
var races = backoff.Range{Min: 100 * time.Millisecond, Max: 2 * time.Second}

// again does what comes too late, because the resource was changed meanwhile, once
// more: at once, and then after pauses of random length, since others do the same.
func again(ctx context.Context, do func() error) error {
	for lost, pauses := 0, races.Start(); ; lost++ {
		err := do()
		if a := answerOf(err); a == nil || !a.lostRace() || lost == racesLost-1 {
			return err
		}
		if lost == 0 {
			continue
		}
		if pauses.Wait(ctx, 0) != nil {
			return err
		}
	}
}
