package salesforce

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector/rest"
)

// record is a row of an answer to a query.
type record = rest.Object

// rows is one page of an answer to a query.
type rows struct {
	Total   *int     `json:"totalSize"`
	Done    *bool    `json:"done"`
	Next    string   `json:"nextRecordsUrl"`
	Records []record `json:"records"`
}

// quote returns a text as a literal of SOQL. Salesforce reserves the quotation mark and the
// backslash. Line ends could not stand in a literal.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", "").Replace(text) + "'"
}

// quoteAll returns texts as a list of SOQL's operator IN.
func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return "(" + strings.Join(quoted, ",") + ")"
}

// query runs a SOQL query, and yields its rows page after page. An answer that holds fewer
// rows than it counts is an error.
func (c *client) query(ctx context.Context, op, soql string) iter.Seq2[record, error] {
	first := rest.Request{Op: op, Path: c.data + "/query", Query: url.Values{"q": {soql}}}
	return func(yield func(record, error) bool) {
		total, seen, done := -1, 0, false
		next := func(page rows, _ http.Header) (rest.Request, bool) {
			return rest.Request{Op: op, Link: c.link(ctx, page.Next)}, !done
		}
		for page, err := range rest.Pages(ctx, c.api, first, next) {
			if err == nil && (page.Total == nil || page.Done == nil || page.Records == nil || !*page.Done && page.Next == "") {
				err = rest.Contradictory(op, "Salesforce answered a query without a result")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if done = *page.Done; total < 0 {
				total = *page.Total
			}
			for _, row := range page.Records {
				if seen++; !yield(row, nil) {
					return
				}
			}
		}
		if seen != total {
			yield(nil, rest.Contradictory(op, fmt.Sprintf("Salesforce says that a query has %d rows, and shows %d", total, seen)))
		}
	}
}

// link returns the address of the next page, which Salesforce gives as a path. Anything else
// stays as it is, and is refused if it leads elsewhere.
func (c *client) link(ctx context.Context, next string) string {
	base, err := c.api.Base(ctx, "")
	if err != nil || !strings.HasPrefix(next, "/services/data/") {
		return next
	}
	return base.String() + next
}

// all returns the rows of a query.
func (c *client) all(ctx context.Context, op, soql string) ([]record, error) {
	return rest.Collect(c.query(ctx, op, soql))
}

// insert creates a record, and returns its ID.
func (c *client) insert(ctx context.Context, op, object string, fields map[string]any) (id string, err error) {
	var made struct {
		ID      string `json:"id"`
		Success bool   `json:"success"`
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: c.data + "/sobjects/" + object, Body: fields}, &made)
	if err == nil && (!made.Success || made.ID == "") {
		err = rest.Contradictory(op, "Salesforce answered a creation without the record")
	}
	return made.ID, err
}

// patch changes fields of a record.
func (c *client) patch(ctx context.Context, op, object, id string, fields map[string]any) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPatch, Path: c.data + "/sobjects" + rest.Path(object, id), Body: fields}, nil)
	return err
}

// remove deletes a record. It succeeds if the record is not there.
func (c *client) remove(ctx context.Context, op, object, id string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: c.data + "/sobjects" + rest.Path(object, id)}, nil)
	if rest.Has(err, "NOT_FOUND", "ENTITY_IS_DELETED") {
		return nil
	}
	return err
}
