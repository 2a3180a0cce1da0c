package postgres

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenurehq/tenure/connector"
)

// The attributes of a role.
const (
	attributeComment    = "comment"
	attributeValidUntil = "validUntil"
	attributeLimit      = "connectionLimit"
	attributeSet        = "set." // and a parameter's name
)

// parameter matches the names of PostgreSQL's parameters.
var parameter = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$`)

// change is a statement that sets an attribute.
type change struct {
	attribute string
	clause    string // after ALTER ROLE name
	args      []any  // texts for its parameters
}

// changes returns the statements that set attributes, in the order of their names. It
// returns a new comment apart, since the role's mark is part of the comment; nil if the
// comment stays.
func changes(op string, attributes map[string]any) (statements []change, comment *string, err error) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		var c change
		switch {
		case name == attributeComment:
			text, ok := value.(string)
			if !ok {
				return nil, nil, wants(op, name, "a text")
			}
			comment = &text
			continue
		case name == attributeValidUntil:
			c, err = validUntil(op, value)
		case name == attributeLimit:
			c, err = connectionLimit(op, value)
		case strings.HasPrefix(name, attributeSet) && parameter.MatchString(name[len(attributeSet):]):
			c, err = set(op, name, value)
		default:
			err = connector.Invalid(op, "there is no attribute %q: known are comment, connectionLimit, validUntil and set.PARAMETER", name)
		}
		if err != nil {
			return nil, nil, err
		}
		c.attribute = name
		statements = append(statements, c)
	}
	return statements, comment, nil
}

func wants(op, name, what string) error {
	return connector.Invalid(op, "attribute %q must be %s", name, what)
}

func validUntil(op string, value any) (change, error) {
	text, ok := value.(string)
	if !ok {
		return change{}, wants(op, attributeValidUntil, "a text")
	}
	if text == "" {
		return change{clause: "VALID UNTIL 'infinity'"}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		return change{}, wants(op, attributeValidUntil, `a time as RFC 3339 has it ("2026-01-31T17:00:00Z") or a date, of which the beginning in UTC counts`)
	}
	return change{clause: "VALID UNTIL $1", args: []any{at.UTC().Format(time.RFC3339)}}, nil
}

func connectionLimit(op string, value any) (change, error) {
	if value == "" {
		return change{clause: "CONNECTION LIMIT -1"}, nil
	}
	limit, ok := value.(int64)
	if !ok || limit < 0 {
		return change{}, wants(op, attributeLimit, "a whole number, not below zero")
	}
	return change{clause: fmt.Sprintf("CONNECTION LIMIT %d", limit)}, nil
}

// set returns the statement that sets a parameter. A parameter that is a list takes a list
// of texts: the server takes one text for one item.
func set(op, name string, value any) (change, error) {
	quoted := quote(name[len(attributeSet):])
	if part := strings.Split(name[len(attributeSet):], "."); len(part) > 1 {
		quoted = pgx.Identifier(part).Sanitize()
	}
	var items []any
	switch value := value.(type) {
	case string:
		if value != "" {
			items = []any{value}
		}
	case []string:
		for _, item := range value {
			items = append(items, item)
		}
	case bool, int64:
		items = []any{fmt.Sprint(value)}
	default:
		return change{}, wants(op, name, "a text, number, true or false, or list of texts")
	}
	if len(items) == 0 {
		return change{clause: "RESET " + quoted}, nil
	}
	places := make([]string, len(items))
	for i := range items {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	return change{clause: "SET " + quoted + " TO " + strings.Join(places, ", "), args: items}, nil
}

// alter applies the changes. If the server refuses a value, the error names its attribute.
func alter(ctx context.Context, tx pgx.Tx, op, name string, statements []change) error {
	for _, c := range statements {
		err := exec(ctx, tx, "ALTER ROLE "+quote(name)+" "+c.clause, c.args...)
		if s := state(err); s == "42704" && strings.HasPrefix(c.attribute, attributeSet) || strings.HasPrefix(s, "22") {
			return connector.Invalid(op, "the server answered SQLSTATE %s: it has no such parameter, or refuses the value of attribute %q", s, c.attribute)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeComment sets the two parts of a role's comment: the text and the mark.
func writeComment(ctx context.Context, tx pgx.Tx, name, text, personID string) error {
	return exec(ctx, tx, "COMMENT ON ROLE "+quote(name)+" IS $1", formatComment(text, personID))
}

// exec runs a statement of a kind that cannot have parameters. pgx quotes the texts and
// puts them into the statement.
func exec(ctx context.Context, tx pgx.Tx, statement string, texts ...any) error {
	_, err := tx.Exec(ctx, statement, append([]any{pgx.QueryExecModeSimpleProtocol}, texts...)...)
	return err
}

// oneLine returns an error if a person's ID does not fit into the comment's last line.
func oneLine(op, personID string) error {
	if strings.ContainsAny(personID, "\r\n\x00") {
		return connector.Invalid(op, "the person ID is not one line")
	}
	return nil
}
