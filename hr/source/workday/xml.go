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

// node is an element. It has no namespace, since all of Workday's documents have the same
// one, with different prefixes.
type node struct {
	name     string
	attrs    map[string]string
	text     []byte
	children []*node
}

// maxDepth bounds how deep elements may nest. A SOAP envelope needs about 15.
const maxDepth = 64

// maxElements bounds the elements of a document. An element of four bytes takes many times
// as much memory. A worker has a few hundred elements.
const maxElements = 100_000

func malformed(text string) *source.Error {
	return &source.Error{Reason: source.ReasonMalformed, Text: text}
}

// parse reads an XML document. encoding/xml refuses documents that define entities or have
// another encoding than UTF-8.
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

// each calls f for every element with a name in n, n included. It does not search inside
// the elements that it has found.
func (n *node) each(name string, f func(*node)) {
	if n.name == name {
		f(n)
		return
	}
	for _, child := range n.children {
		child.each(name, f)
	}
}

// all returns the elements with a name in n.
func (n *node) all(name string) []*node {
	var list []*node
	if n != nil {
		n.each(name, func(found *node) { list = append(list, found) })
	}
	return list
}

// first returns the first element with a name in n; nil if there is none.
func (n *node) first(name string) *node {
	if list := n.all(name); len(list) > 0 {
		return list[0]
	}
	return nil
}

// at follows a path of child elements, taking the first one of each name. It returns nil if
// one is missing.
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

// xmlSpace holds the white space of XML, which is only layout around a text. Other white
// space in an ID is a mistake, and gives an error.
const xmlSpace = " \t\r\n"

// said returns the text of the element at a path.
func (n *node) said(path ...string) string {
	if found := n.at(path...); found != nil {
		return strings.Trim(string(found.text), xmlSpace)
	}
	return ""
}

// truth reports whether the text of the element at a path is true in XML Schema.
func (n *node) truth(path ...string) bool {
	text := n.said(path...)
	return text == "true" || text == "1"
}

// id returns the ID of one of the types (WID, Employee_ID, ...) in a reference.
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
