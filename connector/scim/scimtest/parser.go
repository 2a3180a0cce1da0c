package scimtest

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxDepth is how deep parentheses and brackets may be nested.
const maxDepth = 32

var operators = []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}

// parser is a recursive-descent parser of filters and of PATCH paths: "or" binds
// weakest, then "and", then "not".
type parser struct {
	rest   string
	attrs  []attribute // that the filter may name
	schema string
	depth  int
}

// parseFilter parses a filter on resources of a type.
func parseFilter(text string, t resourceType) (expression, error) {
	p := &parser{rest: text, attrs: t.attributes, schema: t.schema}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.skip(); p.rest != "" {
		return nil, p.unexpected()
	}
	return e, nil
}

func (p *parser) or() (expression, error) {
	return p.chain("or", p.and, func(l, r expression) expression { return or{l, r} })
}

func (p *parser) and() (expression, error) {
	return p.chain("and", p.factor, func(l, r expression) expression { return and{l, r} })
}

func (p *parser) chain(word string, next func() (expression, error), join func(l, r expression) expression) (expression, error) {
	left, err := next()
	for err == nil && p.keyword(word) {
		var right expression
		right, err = next()
		left = join(left, right)
	}
	return left, err
}

func (p *parser) factor() (expression, error) {
	switch {
	case p.keyword("not"):
		if p.skip(); !strings.HasPrefix(p.rest, "(") {
			return nil, p.unexpected()
		}
		inner, err := p.factor()
		return not{inner}, err
	case p.symbol("("):
		return p.nested(")", p.attrs)
	default:
		return p.comparison()
	}
}

// nested parses a filter up to a closing symbol. The filter may name attrs only.
func (p *parser) nested(closing string, attrs []attribute) (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, badRequest("invalidFilter", "the filter is nested too deep")
	}
	outer := p.attrs
	p.attrs = attrs
	inner, err := p.or()
	p.attrs = outer
	p.depth--
	if err == nil && !p.symbol(closing) {
		err = p.unexpected()
	}
	return inner, err
}

func (p *parser) comparison() (expression, error) {
	attrPath, err := p.attributePath("invalidFilter")
	if err != nil {
		return nil, err
	}
	if p.symbol("[") {
		inner, err := p.nested("]", attrPath.last().Sub)
		return within{attrPath, inner}, err
	}
	operator := strings.ToLower(p.word())
	if !slices.Contains(operators, operator) {
		return nil, badRequest("invalidFilter", "operator %q is not known", operator)
	}
	// A list of objects is compared by the "value" of its objects.
	if value, ok := find(attrPath.last().Sub, "value"); ok && operator != "pr" {
		attrPath = append(slices.Clone(attrPath), value)
	}
	if operator == "pr" {
		return comparison{attrPath, operator, nil}, nil
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	return comparison{attrPath, operator, value}, fits(attrPath.last(), operator, value)
}

// fits returns an error if a comparison does not suit the attribute's type.
func fits(a attribute, operator string, value any) error {
	_, isText := value.(string)
	switch {
	case a.Type == "complex":
		return badRequest("invalidFilter", "attribute %s is compared by one of its own", a.Name)
	case a.Type == "boolean" && isText, a.Type != "boolean" && !isText:
		return badRequest("invalidFilter", "attribute %s is a %s and cannot be compared with %v", a.Name, a.Type, value)
	case a.Type == "boolean" && operator != "eq" && operator != "ne":
		return badRequest("invalidFilter", "operator %s is not for booleans", operator)
	}
	return nil
}

func (p *parser) attributePath(kind string) (path, error) {
	name := p.word()
	if name == "" {
		return nil, p.unexpected()
	}
	return resolve(p.attrs, p.schema, name, kind)
}

// value parses a JSON string, true or false.
func (p *parser) value() (any, error) {
	p.skip()
	if !strings.HasPrefix(p.rest, `"`) {
		switch word := p.word(); word {
		case "true", "false":
			return word == "true", nil
		default:
			return nil, badRequest("invalidFilter", "%q is no value: a text in quotes, true or false is expected", word)
		}
	}
	end := 1
	for end < len(p.rest) && p.rest[end] != '"' {
		if p.rest[end] == '\\' {
			end++
		}
		end++
	}
	var text string
	if end >= len(p.rest) || json.Unmarshal([]byte(p.rest[:end+1]), &text) != nil {
		return nil, badRequest("invalidFilter", "a text is not well-formed")
	}
	p.rest = p.rest[end+1:]
	return text, nil
}

func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " \t") }

// word takes everything up to the next space or symbol.
func (p *parser) word() string {
	p.skip()
	end := strings.IndexAny(p.rest, ` ()[]"`)
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// keyword takes the next word if it is that one, and reports whether it did.
func (p *parser) keyword(word string) bool {
	before := p.rest
	if strings.EqualFold(p.word(), word) {
		return true
	}
	p.rest = before
	return false
}

func (p *parser) symbol(s string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) unexpected() error {
	if p.rest == "" {
		return badRequest("invalidFilter", "the filter ends too early")
	}
	return badRequest("invalidFilter", "%q was not expected", p.rest)
}
