package scim

import (
	"context"
	"net/http"
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
		return again(func() error { return c.replace(ctx, r, all) })
	case how.form == byPut:
		return c.replace(ctx, r, all)
	}
	r.method, r.body = http.MethodPatch, patch(how.form.operations(all)...)
	_, err := c.service.do(ctx, r, nil)
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

// again does once more what failed because the user changed meanwhile, perhaps
// in something else.
func again(do func() error) error {
	err := do()
	if a := answerOf(err); a != nil && a.status == http.StatusPreconditionFailed {
		err = do()
	}
	return err
}
