package pages

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// node is an element of a rendered page, in document order.
type node struct {
	name   string
	attrs  map[string]string
	text   string // all text inside, with white space collapsed
	parent *node
}

// within returns the nearest ancestor of that name, or nil.
func (n *node) within(name string) *node {
	for p := n.parent; p != nil; p = p.parent {
		if p.name == name {
			return p
		}
	}
	return nil
}

// has reports whether the attribute exists.
func (n *node) has(attr string) bool {
	_, ok := n.attrs[attr]
	return ok
}

// document is a rendered page.
type document []*node

func (d document) all(name string) document {
	var found document
	for _, n := range d {
		if n.name == name {
			found = append(found, n)
		}
	}
	return found
}

func (d document) byID(id string) *node {
	for _, n := range d {
		if n.attrs["id"] == id {
			return n
		}
	}
	return nil
}

// inside returns the elements of that name below the node.
func (d document) inside(ancestor *node, name string) document {
	var found document
	for _, n := range d.all(name) {
		for p := n.parent; p != nil; p = p.parent {
			if p == ancestor {
				found = append(found, n)
			}
		}
	}
	return found
}

func render(t *testing.T, page templ.Component) string {
	t.Helper()
	var html strings.Builder
	if err := page.Render(t.Context(), &html); err != nil {
		t.Fatalf("render: %v", err)
	}
	return html.String()
}

// parse reads a page with an XML parser that knows HTML's void elements: the
// templates close all other elements.
func parse(t *testing.T, page templ.Component) document {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(render(t, page)))
	decoder.Strict = false
	decoder.AutoClose = xml.HTMLAutoClose
	decoder.Entity = xml.HTMLEntity

	var doc document
	var current *node
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return doc
		}
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attrs: map[string]string{}, parent: current}
			for _, attr := range token.Attr {
				n.attrs[attr.Name.Local] = attr.Value
			}
			doc, current = append(doc, n), n
		case xml.EndElement:
			current.text = strings.Join(strings.Fields(current.text), " ")
			current = current.parent
		case xml.CharData:
			for n := current; n != nil; n = n.parent {
				n.text += string(token)
			}
		}
	}
}
