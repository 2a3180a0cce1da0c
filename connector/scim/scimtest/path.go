package scimtest

import "strings"

// path is an attribute path (RFC 7644 section 3.10) resolved against a schema:
// one to three attributes, the outermost first. The outermost can be an extension.
type path []attribute

// resolve returns the path that text names. If there is none, kind is the error's
// scimType.
func resolve(attrs []attribute, schema, text, kind string) (path, error) {
	var p path
	name := text
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		urn := text[:i]
		name = text[i+1:]
		if extension, ok := find(attrs, text); ok { // the extension as a whole
			return path{extension}, nil
		}
		if !strings.EqualFold(urn, schema) {
			extension, ok := find(attrs, urn)
			if !ok {
				return nil, badRequest(kind, "schema %s is not known", urn)
			}
			p, attrs = append(p, extension), extension.Sub
		}
	}
	for i, part := range strings.Split(name, ".") {
		a, ok := find(attrs, part)
		if !ok || i > 1 {
			return nil, badRequest(kind, "attribute %s is not known", text)
		}
		p, attrs = append(p, a), a.Sub
	}
	return p, nil
}

// last returns the attribute that the path leads to.
func (p path) last() attribute { return p[len(p)-1] }

// key returns the path as a string that can be compared.
func (p path) key() string {
	names := make([]string, 0, len(p))
	for _, a := range p {
		names = append(names, a.Name)
	}
	return strings.Join(names, "/")
}

// values returns every value that an object has at the path, also within lists.
func (p path) values(object map[string]any) []any {
	values := []any{object}
	for _, a := range p {
		var next []any
		for _, value := range values {
			inner, ok := value.(map[string]any)
			if !ok {
				continue
			}
			switch v := inner[a.Name].(type) {
			case nil:
			case []any:
				next = append(next, v...)
			default:
				next = append(next, v)
			}
		}
		values = next
	}
	return values
}
