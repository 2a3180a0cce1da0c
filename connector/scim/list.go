package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

const (
	users  = "Users"
	groups = "Groups"
)

// listResponse is the body of a list (RFC 7644 section 3.4.2, with the additions of RFC 9865).
type listResponse struct {
	TotalResults *total            `json:"totalResults"` // may be missing in pages by cursor
	Resources    []json.RawMessage `json:"Resources"`    // decoded one at a time: see maxAccount
	NextCursor   string            `json:"nextCursor"`   // empty on the last page
}

// total is a number of resources. Some services send it as text.
type total int

// UnmarshalJSON implements json.Unmarshaler.
func (t *total) UnmarshalJSON(raw []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	*t = total(n)
	return err
}

const (
	// mostResources bounds how many resources one call reads.
	mostResources = 2_000_000
	// mostMatches bounds how many accounts one look-up finds. More than one is already a
	// question for a human.
	mostMatches = 100
	// mostPages bounds how many pages a look-up of a few resources reads. A service that
	// ignores its filter sends everything, for longer than a step may take.
	mostPages = 100
	// longestID bounds the length of a resource's ID, in bytes.
	longestID = 4 << 10
)

// decode decodes one resource of a list.
func (r request) decode(raw json.RawMessage) (found resource, err error) {
	if r.collection == users && len(raw) > maxAccount {
		return nil, tooLong(r.op, maxAccount)
	}
	if decode(raw, &found) != nil {
		return nil, noSCIM(r.op)
	}
	if id := found.text("id"); id == "" || len(id) > longestID {
		return nil, noSCIM(r.op)
	}
	return found, nil
}

// position is where a page begins: at an index (1 is the first), or at a cursor, which is
// empty for the first page. With zero, the service may count from 0.
type position struct {
	index    int
	zero     bool
	byCursor bool
	cursor   string
}

// page asks for count resources. It uses the operation, the collection and the query of r.
func (s *service) page(ctx context.Context, r request, from position, count int) (listResponse, error) {
	query := maps.Clone(r.query)
	if query == nil {
		query = url.Values{}
	}
	switch {
	case from.byCursor:
		query.Set("cursor", from.cursor)
	case from.index > 0:
		first := 1
		if from.zero {
			first = 0
		}
		query.Set("startIndex", strconv.Itoa(from.index-1+first))
	}
	query.Set("count", strconv.Itoa(count))
	r.method, r.whole, r.query = http.MethodGet, true, query

	var list listResponse
	_, err := s.do(ctx, r, &list)
	a := answerOf(err)
	excludes := query.Has("excludedAttributes")
	switch {
	case a != nil && a.status == http.StatusNotFound && query.Has("filter") && s.probe(ctx, r.op, r.collection) == nil:
		// Some services answer so if there is none. Or a proxy failed for a moment.
		list = listResponse{}
		if _, err = s.do(ctx, r, &list); isNotThere(err) {
			return listResponse{Resources: []json.RawMessage{}}, nil
		}
	case a != nil && a.status == http.StatusBadRequest && excludes:
		query.Del("excludedAttributes")
		list, again := s.page(ctx, r, from, count)
		if again == nil {
			s.learned.noExclusions.met(s.now())
			return list, nil
		}
		if !refusedFilter(again) {
			err = again // the page fails in either form
		}
	case err == nil && excludes:
		s.learned.noExclusions.refuted()
	}
	if err != nil {
		return listResponse{}, err
	}
	if list.TotalResults == nil && list.Resources == nil {
		return listResponse{}, noSCIM(r.op)
	}
	return list, nil
}

// isNotThere reports whether an answer is a 404.
func isNotThere(err error) bool {
	a := answerOf(err)
	return a != nil && a.status == http.StatusNotFound
}

// next returns where the next page begins, if there may be one. received counts the
// resources of all pages so far. The total does not end a list: some services count the
// resources of the page, and some none.
func (l listResponse) next(from position, received int) (position, bool) {
	switch {
	case l.NextCursor != "": // even if none was asked for: a service may page by cursor by default
		return position{byCursor: true, cursor: l.NextCursor}, true
	case from.byCursor, len(l.Resources) == 0, received == 1 && l.TotalResults != nil && *l.TotalResults == 1:
		return position{}, false
	default:
		return position{index: received + 1, zero: from.zero}, true
	}
}

// exceeds reports whether the total counts more resources than were received.
func (l listResponse) exceeds(received int) bool {
	return l.TotalResults != nil && int(*l.TotalResults) > received
}

// each yields all resources of a collection, page by page, each one once even if the
// collection changes meanwhile. It ends with the first error.
func (c *client) each(ctx context.Context, r request) iter.Seq2[resource, error] {
	return func(yield func(resource, error) bool) {
		w := c.walker(ctx, r)
		for more := true; more; {
			found, ended, err := w.fetch(ctx)
			for _, one := range found {
				if !yield(one, nil) {
					return
				}
			}
			if err == nil && !ended {
				more, err = w.advance(ctx)
			}
			if err != nil {
				yield(nil, err)
			}
			if ended || err != nil {
				return
			}
		}
	}
}

// walker goes through the pages of a collection.
type walker struct {
	client          *client
	request         request
	from            position // of the next page
	count           int      // how many resources to ask for at once
	received, pages int
	seen, cursors   map[string]bool
	list            listResponse // the last page
	before          int          // how many were seen before it
	complete        bool         // as far as the total says
}

func (c *client) walker(ctx context.Context, r request) *walker {
	how := c.how(ctx)
	return &walker{
		client: c, request: r, count: how.pageSize,
		from: position{index: 1, byCursor: how.cursor, zero: c.service.learned.fromZero.holds(c.now())},
		seen: map[string]bool{}, cursors: map[string]bool{},
	}
}

// fetch returns the resources of the next page that were on no page before. It reports
// whether there is no such page.
func (w *walker) fetch(ctx context.Context) (found []resource, ended bool, err error) {
	r := w.request
	if r.few && w.pages == mostPages {
		return nil, false, endless(r)
	}
	w.pages++
	list, at, err := w.client.pageFrom(ctx, r, w.from, w.count, w.received, w.seen)
	if err != nil && w.complete && !connector.Retryable(err) {
		return nil, true, nil // there is no page behind the last one
	}
	if err != nil {
		return nil, false, err
	}
	w.list, w.from, w.before = list, at, len(w.seen)
	for _, raw := range list.Resources {
		one, err := r.decode(raw)
		if err != nil {
			return found, false, err
		}
		if id := one.text("id"); !w.seen[id] {
			w.seen[id] = true
			found = append(found, one)
		}
	}
	return found, false, nil
}

// advance goes to the page after the one that was fetched, and reports whether there may be
// one.
func (w *walker) advance(ctx context.Context) (more bool, err error) {
	c, r, list := w.client, w.request, w.list
	if w.received += len(list.Resources); w.received > mostResources {
		return false, connector.Invalid(r.op, "the app sends pages without end")
	}
	if w.complete && len(w.seen) == w.before {
		return false, nil
	}
	stuck := len(list.Resources) > 0 && len(w.seen) == w.before || w.cursors[list.NextCursor]
	if stuck {
		return false, connector.Invalid(r.op, "the app sends the same page again and again: its paging (startIndex or cursor) does not work: see the paging setting")
	}
	if w.received == len(list.Resources) {
		c.sawTotal(list)
	}
	w.complete = !list.exceeds(w.received) && list.NextCursor == ""
	if w.complete && list.TotalResults != nil && w.received > 1 && !w.from.byCursor && r.query.Has("filter") && c.endsAtTotal(ctx, r) {
		return false, nil
	}
	next, more := list.next(w.from, w.received)
	if !more {
		if list.exceeds(w.received) && (r.collection == groups || w.from.byCursor) {
			return false, incomplete(r.op)
		}
		return false, nil
	}
	w.from, w.cursors[next.cursor] = next, next.byCursor
	return true, nil
}

// pageFrom returns the page at a position, and the position at which it found the page:
// another one if the answer omits the first resource, since the service then counts from 0
// or knows no index. received counts the resources of the pages before, seen has their IDs.
func (c *client) pageFrom(ctx context.Context, r request, from position, count, received int, seen map[string]bool) (listResponse, position, error) {
	zero := &c.service.learned.fromZero
	list, err := c.service.page(ctx, r, from, count)
	if from.zero && received == 0 && refusedFilter(err) {
		zero.refuted()
		from.zero = false
		list, err = c.service.page(ctx, r, from, count)
	}
	switch {
	case err != nil:
		return listResponse{}, from, err
	case received == 0 && list.contradicts() && from.index == 1:
		return c.first(ctx, r, count)
	case received == 0 && list.contradicts():
		return listResponse{}, from, contradicts(r.op)
	case received == 0 && len(list.Resources) == 0 && r.query.Has("filter") && from.index == 1 && !from.zero && c.passesOver(ctx, r, list):
		return c.first(ctx, r, count)
	case received > 0 && len(list.Resources) == 0 && list.exceeds(received) && from.index > 0 && !from.zero:
		// One resource is missing: it may be the first.
		missing, err := c.service.page(ctx, r, position{index: 1, zero: true}, 1)
		if err != nil {
			return listResponse{}, from, err
		}
		if missing.news(r, seen) {
			zero.met(c.now())
			from.zero = true
			return missing, from, nil
		}
	}
	return list, from, nil
}

// passesOver reports whether a look-up that found nothing may have skipped its only match, as
// in a service that counts from 0 and whose totals count only the page. It finds out by the
// service's first resource, and remembers that for a while.
func (c *client) passesOver(ctx context.Context, r request, none listResponse) bool {
	learned := &c.service.learned
	if learned.fromOne.holds(c.now()) || none.TotalResults != nil && learned.totalsOfAll.holds(c.now()) {
		return false
	}
	all := request{op: r.op, collection: r.collection}
	if r.collection == groups {
		all.query = c.withoutMembers(url.Values{})
	}
	first, err := c.service.page(ctx, all, position{index: 1}, 1)
	if err != nil {
		return false
	}
	c.sawTotal(first)
	if none.TotalResults != nil && first.countsMore() {
		return false
	}
	seen := map[string]bool{}
	for _, raw := range first.Resources {
		if found, err := all.decode(raw); err == nil {
			seen[found.text("id")] = true
		}
	}
	zeroth, err := c.service.page(ctx, all, position{index: 1, zero: true}, 1)
	switch {
	case err == nil && zeroth.news(all, seen):
		learned.fromZero.confirmed(c.now(), 0)
		return true
	case len(seen) > 0 && !connector.Retryable(err):
		learned.fromOne.confirmed(c.now(), 0)
	}
	return false
}

// first returns the first page of a service that skips the first resource.
func (c *client) first(ctx context.Context, r request, count int) (listResponse, position, error) {
	from := position{index: 1, zero: true}
	list, err := c.service.page(ctx, r, from, count)
	if err == nil && !list.contradicts() {
		if list.news(r, nil) {
			c.service.learned.fromZero.met(c.now())
		}
		return list, from, nil
	}
	list, err = c.service.page(ctx, r, position{}, count)
	if err == nil && list.contradicts() {
		err = contradicts(r.op)
	}
	return list, position{}, err
}

// news reports whether a page holds a resource that was not seen before.
func (l listResponse) news(r request, seen map[string]bool) bool {
	for _, raw := range l.Resources {
		if found, err := r.decode(raw); err == nil && !seen[found.text("id")] {
			return true
		}
	}
	return false
}

// errEndless is the cause of the error for a look-up that reads mostPages.
var errEndless = errors.New("the look-up does not end")

// endless returns the error for a look-up of a few resources that has read mostPages.
func endless(r request) error {
	attr, _, _ := strings.Cut(r.query.Get("filter"), " ")
	message := fmt.Sprintf("the look-up by %s was given up after %d pages: the app does not seem to heed the filter, and sends everything. Have it filter by %s", attr, mostPages, attr)
	if setting := withoutFilter[attr]; setting != "" {
		message += ", or say " + setting
	}
	return &connector.Error{Kind: connector.KindInvalid, Op: r.op, Cause: errEndless, Message: message}
}

// withoutFilter maps the attribute of a filter to the setting that avoids the filter.
var withoutFilter = map[string]string{
	"externalId": "filterExternalID: false", "emails.value": "filterEmails: false", "members.value": "filterMembers: false",
}

// incomplete returns the error for a list that ends before it has sent all that its total
// counts. Any resource could be the missing one.
func incomplete(op string) error {
	return &connector.Error{
		Kind: connector.KindContradictory, Op: op,
		Message: "the app's list ends before all that its totalResults counts was sent: if it goes on, see the paging setting",
	}
}

// contradicts reports whether a first page counts resources and shows none.
func (l listResponse) contradicts() bool {
	return len(l.Resources) == 0 && l.TotalResults != nil && *l.TotalResults > 0 && l.NextCursor == ""
}

// contradicts returns the error for an answer that counts resources and shows none. It
// proves neither that there are some nor that there are none.
func contradicts(op string) error {
	return &connector.Error{
		Kind: connector.KindContradictory, Op: op,
		Message: "the app's answer contradicts itself: totalResults says that something was found, and nothing is sent",
	}
}

// List lists every account, and asks for pages only as they are needed.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		memberships := c.memberships(ctx, connector.OpList)
		for found, err := range c.each(ctx, request{op: connector.OpList, collection: users}) {
			var account connector.Account
			if err == nil {
				account, err = c.account(ctx, connector.OpList, found, memberships)
			}
			if !yield(account, err) || err != nil {
				return
			}
		}
	}
}

// equals returns the filter for one value of an attribute (RFC 7644 section 3.4.2.2).
func equals(attr, value string) string { return attr + " eq " + quote(value) }

// quote returns a value as a string in a filter, which is a JSON string. It leaves angle
// brackets and the ampersand as they are, since not every service knows \u escapes.
func quote(value string) string {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string into memory: cannot fail
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// endsAtTotal reports whether a list of more than one is complete once its total has been
// received, so that the last, empty page need not be read. A total may count only the page.
// Tenure believes that it counts everything for a while after a page showed that; otherwise
// it asks for a page of one resource, which shows it. This is for look-ups only: a list that
// proves something about everybody is read to its end.
func (c *client) endsAtTotal(ctx context.Context, r request) bool {
	if c.service.learned.totalsOfAll.holds(c.now()) {
		return true
	}
	list, err := c.service.page(ctx, r, position{index: 1}, 1)
	if err != nil {
		return false
	}
	c.sawTotal(list)
	return list.countsMore()
}

// countsMore reports whether the total of a first page counts more than the page has.
func (l listResponse) countsMore() bool {
	return l.TotalResults != nil && len(l.Resources) > 0 && int(*l.TotalResults) > len(l.Resources)
}

// sawTotal notes what the total of a first page counts, if it tells.
func (c *client) sawTotal(first listResponse) {
	if first.countsMore() {
		c.service.learned.totalsOfAll.confirmed(c.now(), 0)
	}
}
