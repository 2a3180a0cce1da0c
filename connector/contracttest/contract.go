package contracttest

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Contract is what a vendor publishes about its API. Its methods may be called from any
// goroutine.
type Contract struct {
	Document string // name and version of the document, as docs/connectors.md shows it
	Date     string // when the vendor published it, as far as the document says; may be empty

	operations []*operation
	sides      [2]*side
}

// The sides of an exchange.
const (
	ofRequest = iota
	ofAnswer
)

// operation is one method at one path.
type operation struct {
	method string
	path   []string // segments; "{name}" stands for any
	query  map[string]string
	// needsQuery lists the parameters that have to be there.
	needsQuery []string
	// needsBody: the request has to have a body.
	needsBody bool
	// request and answers hold the locations of schemas in the documents of their sides, by
	// media type and by status. The location of a body that may be anything is "".
	request map[string]string
	answers map[string]map[string]string
}

// String returns the method and the path as the contract has them.
func (o *operation) String() string { return o.method + " /" + strings.Join(o.path, "/") }

// side holds the schemas of requests, or of answers.
type side struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// documentURL names a side's document to its compiler.
const documentURL = "https://contract.invalid/document"

func newSide(document any) (*side, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(documentURL, document); err != nil {
		return nil, err
	}
	return &side{compiler: compiler, schemas: map[string]*jsonschema.Schema{}}, nil
}

// schema returns the schema at a location of the side's document.
func (s *side) schema(location string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema := s.schemas[location]; schema != nil {
		return schema, nil
	}
	schema, err := s.compiler.Compile(documentURL + "#" + location)
	if err != nil {
		return nil, err
	}
	s.schemas[location] = schema
	return schema, nil
}

// pointer returns the location of the value at a path of names.
func pointer(names ...string) string {
	var location strings.Builder
	for _, name := range names {
		name = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		location.WriteString("/" + url.PathEscape(name))
	}
	return location.String()
}

// Exchange is a request and its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte

	Status       int // zero if no answer came
	AnswerHeader http.Header
	Answer       []byte
}

// Breach is one way in which an exchange breaks a contract.
type Breach struct {
	Operation string // "POST /users"; the request's own method and path if the contract has no such operation
	OfAnswer  bool   // the answer broke it, and not the request
	Status    int    // of the answer
	At        string // "/emails/*/value": where in the body; "?filter": the parameter; "" for the whole
	Problem   string
}

// String returns the breach as one line. It holds no value of the exchange.
func (b Breach) String() string {
	what := "request"
	if b.OfAnswer {
		what = "answer " + strconv.Itoa(b.Status)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s: %s", b.Operation, what, strings.TrimSpace(b.At+" "+b.Problem)))
}

// Check returns how an exchange breaks the contract.
func (c *Contract) Check(x Exchange) []Breach {
	o := c.find(x.Method, x.URL.EscapedPath())
	if o == nil {
		return []Breach{{Operation: x.Method + " " + x.URL.Path, Problem: "the contract has no such operation"}}
	}
	breaches := c.checkQuery(o, x.URL.Query())
	breaches = append(breaches, c.checkRequest(o, x)...)
	for i := range breaches {
		breaches[i].Status = x.Status
	}
	if x.Status != 0 {
		for _, b := range c.checkAnswer(o, x) {
			b.OfAnswer, b.Status = true, x.Status
			breaches = append(breaches, b)
		}
	}
	for i := range breaches {
		breaches[i].Operation = o.String()
	}
	slices.SortFunc(breaches, func(a, b Breach) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(breaches)
}

// find returns the operation of a request: where several fit, the one with the most segments
// that are no parameters. It returns nil if there is none.
func (c *Contract) find(method, path string) *operation {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = plain
		}
	}
	var best *operation
	most := -1
	for _, o := range c.operations {
		if o.method != method || len(o.path) != len(segments) {
			continue
		}
		if literal, ok := fits(o.path, segments); ok && literal > most {
			best, most = o, literal
		}
	}
	return best
}

// fits reports whether a path fits a template, and how many of the template's segments are no
// parameters. A segment such as "members('{id}')" or "{id}:undelete" has its literal parts.
func fits(template, segments []string) (literal int, ok bool) {
	for i, want := range template {
		before, rest, variable := strings.Cut(want, "{")
		_, after, _ := strings.Cut(rest, "}")
		switch got := segments[i]; {
		case !variable && got == want:
			literal++
		case !variable, !strings.HasPrefix(got, before), !strings.HasSuffix(got, after), len(got) <= len(before)+len(after):
			return 0, false
		}
	}
	return literal, true
}

// checkQuery holds a request's parameters to the contract.
func (c *Contract) checkQuery(o *operation, query url.Values) []Breach {
	var breaches []Breach
	for name, values := range query {
		location, ok := o.query[name]
		if !ok {
			breaches = append(breaches, Breach{At: "?" + name, Problem: "is no parameter of this operation"})
			continue
		}
		for _, value := range values {
			for _, b := range c.checkValue(ofRequest, location, asParameter(value)...) {
				breaches = append(breaches, Breach{At: "?" + name, Problem: b.Problem})
			}
		}
	}
	for _, name := range o.needsQuery {
		if !query.Has(name) {
			breaches = append(breaches, Breach{At: "?" + name, Problem: "is a parameter that has to be there"})
		}
	}
	return breaches
}

// asParameter returns what the text of a parameter may stand for: the schema decides which.
func asParameter(text string) []any {
	readings := []any{text}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		readings = append(readings, n)
	}
	if b, err := strconv.ParseBool(text); err == nil && len(text) > 1 {
		readings = append(readings, b)
	}
	list := []any{}
	for item := range strings.SplitSeq(text, ",") {
		list = append(list, item)
	}
	return append(readings, list)
}

// checkRequest holds a request's body to the contract.
func (c *Contract) checkRequest(o *operation, x Exchange) []Breach {
	switch {
	case len(x.Body) == 0 && o.needsBody:
		return []Breach{{Problem: "has no body, and needs one"}}
	case len(x.Body) == 0:
		return nil
	case len(o.request) == 0:
		return []Breach{{Problem: "has a body, and the contract knows of none"}}
	}
	location, breaches := c.ofMedia(o.request, x.Header)
	if location == "" {
		return breaches
	}
	return append(breaches, c.checkBody(ofRequest, location, x.Body)...)
}

// checkAnswer holds an answer to the contract. The contracts do not list what any server may
// answer: too many requests, a fault of its own, credentials that it does not take.
func (c *Contract) checkAnswer(o *operation, x Exchange) []Breach {
	media, listed := o.answers[strconv.Itoa(x.Status)]
	if !listed {
		media, listed = o.answers[strconv.Itoa(x.Status/100)+"XX"]
	}
	if !listed && x.Status >= http.StatusBadRequest {
		media, listed = o.answers["default"]
	}
	switch {
	case !listed && (x.Status >= http.StatusInternalServerError || x.Status == http.StatusTooManyRequests || x.Status == http.StatusUnauthorized):
		return nil
	case !listed:
		return []Breach{{Problem: "is a status that the contract does not list"}}
	case len(media) == 0 && len(x.Answer) == 0, x.Method == http.MethodHead:
		return nil
	case len(media) == 0:
		return []Breach{{Problem: "has a body, and the contract knows of none"}}
	}
	location, breaches := c.ofMedia(media, x.AnswerHeader)
	if location == "" {
		return breaches
	}
	return append(breaches, c.checkBody(ofAnswer, location, x.Answer)...)
}

// ofMedia returns the schema of a body by its media type. A type that the contract does not
// list is a breach, and the body is held to the schema of another JSON type.
func (c *Contract) ofMedia(media map[string]string, header http.Header) (string, []Breach) {
	sent := header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(sent)
	if err != nil {
		return "", []Breach{{At: "Content-Type", Problem: "says no media type"}}
	}
	if location, ok := media[kind]; ok {
		return location, nil
	}
	breaches := []Breach{{At: "Content-Type", Problem: fmt.Sprintf("is %s, which the contract does not list", kind)}}
	if isJSON(kind) {
		for other, location := range media {
			if isJSON(other) {
				return location, breaches
			}
		}
	}
	return "", breaches
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

func (c *Contract) checkBody(of int, location string, body []byte) []Breach {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []Breach{{Problem: "is no JSON"}}
	}
	return c.checkValue(of, location, value)
}

// checkValue returns the breaches of a value, of which there may be several readings; none if
// one of them fits. Without a location, any value fits.
func (c *Contract) checkValue(of int, location string, readings ...any) []Breach {
	if location == "" {
		return nil
	}
	schema, err := c.sides[of].schema(location)
	if err != nil {
		return []Breach{{Problem: "cannot be checked: " + err.Error()}}
	}
	var breaches []Breach
	for _, value := range readings {
		err := schema.Validate(value)
		if err == nil {
			return unknown([]*jsonschema.Schema{schema}, value, "")
		}
		// What is wrong with a reading of the right type says more than that the type is wrong.
		found := leaves(err)
		if breaches == nil || !strings.HasPrefix(found[0].Problem, "is ") || strings.HasPrefix(found[0].Problem, "is none") {
			breaches = slices.Concat(found, unknown([]*jsonschema.Schema{schema}, value, ""))
		}
	}
	return breaches
}
