package salesforcetest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// statement is a query: SELECT ... FROM ... WHERE ... ORDER BY ... LIMIT ... Its conditions are joined by
// AND, or all of them by OR: SOQL wants parentheses for both, which the stand-in does not know.
type statement struct {
	fields []string
	object string
	where  []condition
	or     bool
	order  string // a field
	limit  int
}

// condition compares a field with values: texts, true, false or null.
type condition struct {
	field  string
	not    bool
	above  bool // greater than the value
	values []any
	texts  map[string]bool // the texts among the values, in lower case
}

// token is a word, a sign or a literal of a statement.
type token struct {
	text    string
	literal bool
}

var (
	tokenForm   = regexp.MustCompile(`^(?:[A-Za-z0-9_.]+|!=|[=(),>])`)
	errSOQL     = errors.New("unexpected token")
	escapes     = map[byte]string{'\\': `\`, '\'': `'`, 'n': "\n", 'r': "\r", 't': "\t", '"': `"`}
	keywordList = []string{"SELECT", "FROM", "WHERE", "AND", "OR", "IN", "ORDER", "BY", "LIMIT"}
)

// tokens splits a statement. A quotation mark ends a literal unless a backslash is before it.
func tokens(soql string) ([]token, error) {
	var found []token
	for soql = strings.TrimLeft(soql, " "); soql != ""; soql = strings.TrimLeft(soql, " ") {
		if soql[0] == '\'' {
			text, rest, err := literal(soql[1:])
			if err != nil {
				return nil, err
			}
			found, soql = append(found, token{text, true}), rest
			continue
		}
		word := tokenForm.FindString(soql)
		if word == "" {
			return nil, errSOQL
		}
		found, soql = append(found, token{word, false}), soql[len(word):]
	}
	return found, nil
}

func literal(soql string) (text, rest string, err error) {
	for i := 0; i < len(soql); i++ {
		switch soql[i] {
		case '\'':
			return text, soql[i+1:], nil
		case '\n', '\r':
			return "", "", errSOQL
		case '\\':
			i++
			if i == len(soql) || escapes[soql[i]] == "" {
				return "", "", errSOQL
			}
			text += escapes[soql[i]]
		default:
			text += soql[i : i+1]
		}
	}
	return "", "", errSOQL
}

// parser reads a statement token by token.
type parser struct {
	left []token
	err  error
}

// take returns the next token if it is one of the wanted words or signs.
func (p *parser) take(wanted ...string) bool {
	if p.err != nil || len(p.left) == 0 || p.left[0].literal || !slices.Contains(wanted, strings.ToUpper(p.left[0].text)) {
		return false
	}
	p.left = p.left[1:]
	return true
}

func (p *parser) need(wanted string) {
	if !p.take(wanted) && p.err == nil {
		p.err = fmt.Errorf("%w: %s expected", errSOQL, wanted)
	}
}

// next returns the next token.
func (p *parser) next() token {
	if p.err != nil || len(p.left) == 0 {
		p.err = errSOQL
		return token{}
	}
	one := p.left[0]
	p.left = p.left[1:]
	return one
}

// name returns the next token, which has to be a name.
func (p *parser) name() string {
	one := p.next()
	if one.literal || one.text == "" || slices.Contains(keywordList, strings.ToUpper(one.text)) || strings.ContainsAny(one.text, "=(),!>") {
		p.err = errSOQL
	}
	return one.text
}

// value returns the next token as a value.
func (p *parser) value() any {
	one := p.next()
	switch {
	case one.literal:
		return one.text
	case one.text == "true", one.text == "false":
		return one.text == "true"
	case one.text != "null":
		p.err = errSOQL
	}
	return nil
}

// parse reads a query.
func parse(soql string) (statement, error) {
	found, err := tokens(soql)
	p := &parser{left: found, err: err}
	var s statement
	p.need("SELECT")
	for more := true; more && p.err == nil; more = p.take(",") {
		s.fields = append(s.fields, p.name())
	}
	p.need("FROM")
	s.object = p.name()
	if p.take("WHERE") {
		s.where = append(s.where, p.condition())
		joint := "AND"
		if s.or = len(p.left) > 0 && !p.left[0].literal && strings.EqualFold(p.left[0].text, "OR"); s.or {
			joint = "OR"
		}
		for p.err == nil && p.take(joint) {
			s.where = append(s.where, p.condition())
		}
	}
	if p.take("ORDER") {
		p.need("BY")
		s.order = p.name()
	}
	if p.take("LIMIT") {
		if s.limit, err = strconv.Atoi(p.next().text); err != nil {
			p.err = errSOQL
		}
	}
	if len(p.left) > 0 && p.err == nil {
		p.err = errSOQL
	}
	return s, p.err
}

func (p *parser) condition() condition {
	c := condition{field: p.name()}
	switch {
	case p.take("IN"):
		p.need("(")
		for more := true; more && p.err == nil; more = p.take(",") {
			c.values = append(c.values, p.value())
		}
		p.need(")")
		c.texts = map[string]bool{}
		for _, value := range c.values {
			if text, is := value.(string); is {
				c.texts[strings.ToLower(text)] = true
			}
		}
	case p.take("!="):
		c.not, c.values = true, []any{p.value()}
	case p.take(">"):
		c.above, c.values = true, []any{p.value()}
	default:
		p.need("=")
		c.values = []any{p.value()}
	}
	return c
}

// matches reports whether a record, whose values value returns, meets the conditions.
func (s statement) matches(value func(field string) any) bool {
	return slices.ContainsFunc(s.where, func(c condition) bool { return c.holds(value(c.field)) == s.or }) == s.or
}

// holds reports whether a condition holds for a value. Texts are compared without regard to
// case, as in Salesforce.
func (c condition) holds(value any) bool {
	if text, is := value.(string); is && c.texts != nil {
		return c.texts[strings.ToLower(text)] != c.not
	}
	found := slices.ContainsFunc(c.values, func(wanted any) bool {
		a, isText := value.(string)
		b, wantsText := wanted.(string)
		if c.above {
			return isText && wantsText && a > b
		}
		return isText && wantsText && strings.EqualFold(a, b) || value == wanted
	})
	return found != c.not
}
