package scim

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/backoff"
)

// change makes edits in the user that r names, in the form that the service accepts. It
// sends r.ifMatch along. A PUT would undo concurrent changes. Therefore change sends the
// version that it was made from, and makes the PUT anew if there is a newer version.
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
		noPatch.refuted() // the service has no PUT, so that it may have PATCH after all
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

// patch changes a user by PATCH. If the service does not know "remove", attributes are
// replaced by null, which means the same (RFC 7643 section 2.5). If the service refuses the
// PATCH, the reason may be the case of the operations' names.
func (c *client) patch(ctx context.Context, r request, f form, all []edit) error {
	send := func(operations []operation) error {
		r.method, r.body = http.MethodPatch, patch(operations...)
		do := func() error {
			_, err := c.service.do(ctx, r, nil)
			return err
		}
		if r.ifMatch != "" {
			return do() // the caller gave the version, and reads it again
		}
		return again(ctx, do)
	}
	return c.inForms(f.operations(all), true, send)
}

// inForms sends the operations of a PATCH in the form that the service is believed to accept
// and, if it refuses that, in the others: with names in lower case or as "Add" and, with
// mayNull, with "replace" by null instead of "remove".
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
			return err // also of another form: the change may have been made, or is sent again
		}
		if i == 0 {
			first = err
		}
	}
	return first
}

// note notes which form of a PATCH the service accepted.
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
	// racesLost is how often a change is sent if each time another one comes before it.
	racesLost = 6
)

// races holds the pauses after a change has lost a race.
var races = backoff.Range{Min: 100 * time.Millisecond, Max: 2 * time.Second}

// again repeats a change that lost a race to another one: first at once, then after pauses
// of random length, since others do the same.
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

// operation is one operation of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

func patch(operations ...operation) any {
	return struct {
		Schemas    []string    `json:"schemas"`
		Operations []operation `json:"Operations"`
	}{[]string{patchSchema}, operations}
}

// edit holds the new value of an attribute, in the form of SCIM; nil clears the attribute.
type edit struct {
	attr  attribute
	value any
}

// edits returns the edits that set the given attributes. It calls current, which reads the
// account, only to change a list, which it replaces as a whole: a path with a filter fails
// in an account that has no such value yet.
func edits(given map[string]any, current func() (resource, error)) ([]edit, error) {
	var all []edit
	for _, name := range slices.Sorted(maps.Keys(given)) {
		attr, err := lookup(connector.OpUpdate, name)
		if err != nil {
			return nil, err
		}
		value, err := attr.encode(connector.OpUpdate, name, given[name])
		if err != nil {
			return nil, err
		}
		if attr.shape == work {
			user, err := current()
			if err != nil {
				return nil, err
			}
			old, _ := user.list(attr.path[0])
			list := withWork(old, value)
			value = list
			if len(list) == 0 {
				value = nil
			}
		}
		all = append(all, edit{attr, value})
	}
	return all, nil
}

// operations returns edits as the operations of a PATCH. Two kinds of edit have a path in
// either form: clearing an attribute, since there is no other way, and replacing a list,
// since services such as SCIMMY add the lists of an object to those that are there.
func (f form) operations(all []edit) []operation {
	var list []operation
	object := resource{}
	for _, e := range all {
		_, isList := e.value.([]resource)
		switch {
		case e.value == nil:
			list = append(list, operation{Op: "remove", Path: e.attr.target()})
		case f == byObject && !isList:
			e.apply(object)
		default:
			list = append(list, operation{Op: "replace", Path: e.attr.target(), Value: e.value})
		}
	}
	if len(object) > 0 {
		list = append(list, operation{Op: "replace", Value: object})
	}
	return list
}

// withoutRemove returns operations with "replace" by null instead of "remove", and whether
// any of them was a "remove".
func withoutRemove(operations []operation) (nulled []operation, removes bool) {
	nulled = slices.Clone(operations)
	for i, o := range nulled {
		if strings.EqualFold(o.Op, "remove") {
			nulled[i], removes = operation{Op: "replace", Path: o.Path, Value: json.RawMessage("null")}, true
		}
	}
	return nulled, removes
}

// capitalised returns operations with their names in the form that some services want: "Add".
func capitalised(operations []operation) []operation {
	capitals := slices.Clone(operations)
	for i := range capitals {
		capitals[i].Op = strings.ToUpper(capitals[i].Op[:1]) + capitals[i].Op[1:]
	}
	return capitals
}

// apply makes the edit in a user.
func (e edit) apply(user resource) {
	if e.value != nil {
		user.put(e.value, e.attr.names()...)
		return
	}
	names := e.attr.names()
	last := len(names) - 1
	inner := map[string]any(user)
	if last > 0 {
		inner, _ = user.at(names[:last]...).(map[string]any)
	}
	delete(inner, spelled(inner, names[last]))
}

// replaced returns the body of a PUT: the user as it was sent, with the edits made, and
// without the attributes that only the service writes.
func replaced(user resource, all []edit) resource {
	body := resource{}
	maps.Copy(body, user)
	delete(body, spelled(body, "meta"))
	delete(body, spelled(body, "groups"))
	schemas, _ := body.at("schemas").([]any)
	schemas = slices.Clone(schemas)
	for _, e := range all {
		e.apply(body)
		if e.value != nil && e.attr.schema != "" && !slices.Contains(schemas, any(e.attr.schema)) {
			schemas = append(schemas, e.attr.schema)
		}
	}
	body.put(schemas, "schemas")
	return body
}
