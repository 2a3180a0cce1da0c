package workday

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr/source"
)

// node is an element. Namespaces are left out: Workday's documents have one, under
// whatever prefix.
type node struct {
	name     string
	attrs    map[string]string
	text     []byte
	children []*node
}

// maxDepth is how deep elements may nest. A SOAP envelope's deepest is at about 15.
const maxDepth = 64

// maxElements is how many elements a document may have: each takes many times the
// memory of the four bytes that it takes in the document. A worker has some hundreds.
const maxElements = 100_000

func malformed(text string) *source.Error {
	return &source.Error{Reason: source.ReasonMalformed, Text: text}
}

// parse reads an XML document. Entities of its own and other encodings than UTF-8
// are refused by encoding/xml.
func parse(document []byte) (*node, *source.Error) {
	if !utf8.Valid(document) {
		return nil, &source.Error{Reason: source.ReasonNotUTF8, Text: "is not UTF-8"}
	}
	decoder := xml.NewDecoder(bytes.NewReader(document))
	root := &node{}
	open := []*node{root}
	elements := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformed("is not XML")
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, malformed("is nested too deep")
			}
			if elements++; elements > maxElements {
				return nil, malformed("has too many elements: send fewer workers at once")
			}
			child := &node{name: token.Name.Local}
			if len(token.Attr) > 0 {
				child.attrs = make(map[string]string, len(token.Attr))
			}
			for _, a := range token.Attr {
				child.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, child)
			open = append(open, child)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text = append(top.text, token...)
		}
	}
	if len(root.children) != 1 {
		return nil, malformed("is not one XML document")
	}
	return root.children[0], nil
}

// each calls f for every element of a name within n, n included. It does not look
// within those it has found.
func (n *node) each(name string, f func(*node)) {
	if n.name == name {
		f(n)
		return
	}
	for _, child := range n.children {
		child.each(name, f)
	}
}

// all are the elements of a name within n.
func (n *node) all(name string) []*node {
	var list []*node
	if n != nil {
		n.each(name, func(found *node) { list = append(list, found) })
	}
	return list
}

// first is the first element of a name within n; nil if there is none.
func (n *node) first(name string) *node {
	if list := n.all(name); len(list) > 0 {
		return list[0]
	}
	return nil
}

// at follows a path of child elements, the first of each name; nil if it ends.
func (n *node) at(path ...string) *node {
	for _, name := range path {
		var next *node
		if n != nil {
			for _, child := range n.children {
				if child.name == name {
					next = child
					break
				}
			}
		}
		n = next
	}
	return n
}

// xmlSpace is the white space of XML, which is layout around a text. Other white space in
// an ID is somebody's mistake, and an error.
const xmlSpace = " \t\r\n"

// said is the text of the element at a path.
func (n *node) said(path ...string) string {
	if found := n.at(path...); found != nil {
		return strings.Trim(string(found.text), xmlSpace)
	}
	return ""
}

// truth reports whether the element at a path is true, as XML Schema writes it.
func (n *node) truth(path ...string) bool {
	text := n.said(path...)
	return text == "true" || text == "1"
}

// id is the ID of a type (WID, Employee_ID, ...) in a reference.
func (n *node) id(types ...string) string {
	for _, kind := range types {
		for _, child := range n.all("ID") {
			if child.attrs["type"] == kind {
				return strings.Trim(string(child.text), xmlSpace)
			}
		}
	}
	return ""
}
