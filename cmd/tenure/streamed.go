package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/ledger"
)

// listView says how a list is shown.
type listView[V any] struct {
	header string // the names of the columns, separated by commas
	row    func(V) []string
	none   string // what is said of an empty list
	// whole has the list read to its end, since reading it tells something, such as the exit
	// status. Otherwise what is behind the limit is not read.
	whole bool
	// order sorts the list. All entries are then read before the first is shown: see inOrder.
	order func(a, b V) int
	frame frame
}

// frame is what is shown around a list.
type frame struct {
	// value returns the object that has the list in JSON and YAML, with an empty list; list is
	// the list's key in it. What comes before the list has to be known before the list is read.
	// If value is nil, the list stands alone.
	value func() any
	list  string
	// above and below draw, for people, what is before and after the table; title is the table's.
	above, below func(*page)
	title        string
}

// streamed shows the entries of a list as they are read, as many as --limit allows. It holds a page
// of them at a time, however long the list is, and a bounded number of one that has to be sorted. It
// reports whether there are more.
func streamed[V any](c *cli, views iter.Seq2[V, error], v listView[V]) (more bool, err error) {
	bar := c.progress(-1, "reading", "entries")
	l := &listing{c: c, header: v.header, frame: v.frame, bar: bar}
	defer func() { _ = bar.Exit() }()
	read := 0
	counted := func(yield func(V, error) bool) {
		for view, err := range views {
			if err == nil {
				read++
				_ = bar.Add(1)
			}
			if !yield(view, err) {
				return
			}
		}
	}
	shown := iter.Seq2[V, error](counted)
	if v.order != nil {
		shown = inOrder(shown, c.limit, sortedInMemory, v.order)
	}
	for view, err := range shown {
		if err != nil {
			return false, errors.Join(l.cut(), err)
		}
		if c.limit > 0 && l.shown+len(l.rows) == c.limit {
			if v.whole {
				continue
			}
			break
		}
		if err := l.put(view, v.row(view)); err != nil {
			return false, err
		}
	}
	err = errors.Join(l.flush(), l.end(v.none))
	switch more = c.limit > 0 && read > c.limit; {
	case more && (v.whole || v.order != nil):
		c.tell("%d of %d are listed: --limit 0 lists all\n", c.limit, read)
	case more:
		c.tell("%d are listed, and there are more: --limit 0 lists all\n", c.limit)
	}
	return more, err
}

// listing is a list that is shown page by page.
type listing struct {
	c      *cli
	header string
	frame  frame
	bar    interface{ Clear() error } // what says how far reading is, and makes way for what is shown
	begun  bool                       // something was shown
	shown  int
	rows   [][]string   // of the page
	text   bytes.Buffer // of the page, as JSON or YAML
	widths []int        // of the first page's columns
}

// indented is what the frame of a list indents its entries by.
const indented = "  "

// margin is what each line of an entry begins with.
func (l *listing) margin() string {
	if l.frame.value == nil {
		return ""
	}
	return indented
}

// add adds an entry to the page.
func (l *listing) add(view any, row []string) error {
	first := l.shown+len(l.rows) == 0
	l.rows = append(l.rows, row)
	switch l.c.output {
	case formatJSON:
		margin := l.margin() + indented
		l.text.WriteString(map[bool]string{true: "[\n", false: ",\n"}[first] + margin)
		enc := json.NewEncoder(&l.text)
		enc.SetEscapeHTML(false)
		enc.SetIndent(margin, indented)
		err := enc.Encode(view)
		l.text.Truncate(l.text.Len() - 1) // its line end
		return err
	case formatYAML:
		text, err := json.Marshal([]any{view})
		if err != nil {
			return err
		}
		var entry bytes.Buffer
		if err := writeYAML(&entry, text); err != nil {
			return err
		}
		for line := range strings.Lines(entry.String()) {
			if line != "\n" {
				l.text.WriteString(l.margin())
			}
			l.text.WriteString(line)
		}
	}
	return nil
}

// put adds an entry, and shows the page once it is full.
func (l *listing) put(view any, row []string) error {
	if err := l.add(view, row); err != nil {
		return errors.Join(l.cut(), err)
	}
	if len(l.rows) < ledger.PageSize {
		return nil
	}
	return l.flush()
}

// flush shows the page.
func (l *listing) flush() error {
	_ = l.bar.Clear()
	first := !l.begun
	rows := l.rows
	l.begun, l.shown, l.rows = true, l.shown+len(rows), nil
	defer l.text.Reset()
	switch l.c.output {
	case formatJSON, formatYAML:
		before, _, err := l.around(len(rows) == 0)
		if err != nil {
			return err
		}
		if first {
			_, err = io.WriteString(l.c.out, before)
		}
		text := l.text.Bytes()
		if l.c.output == formatJSON {
			text = plainJSON(text)
		}
		_, other := l.c.out.Write(text)
		return errors.Join(err, other)
	case formatCSV:
		if first {
			return writeCSV(l.c.out, strings.Split(l.header, ","), rows)
		}
		return writeCSV(l.c.out, nil, rows)
	}
	p, title := &page{color: l.c.colored()}, ""
	if first {
		if l.frame.above != nil {
			l.frame.above(p)
		}
		title = l.frame.title
	}
	l.widths = p.columns(title, l.header, rows, l.widths)
	_, err := l.c.out.Write(p.buf.Bytes())
	return err
}

// cutShort is where a list ends that could not be read to its end.
const cutShort = "cut short: the rest could not be read"

// cut shows what was read of a list before an error, if anything was, and that it is not all: whoever
// reads it may not see the exit status. JSON lacks its end then. In YAML and CSV, which would be whole
// otherwise, a text begins that does not end.
func (l *listing) cut() error {
	if !l.begun && len(l.rows) == 0 {
		return nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	mark := map[format]string{
		formatJSON: "\n", formatYAML: l.margin() + `- "` + cutShort + "\n", formatCSV: `"` + cutShort + "\n", formatTable: "(" + cutShort + ")\n",
	}[l.c.output]
	_, err := io.WriteString(l.c.out, mark)
	return err
}

// around returns the text before a list and that after it, as JSON or YAML.
func (l *listing) around(empty bool) (before, after string, err error) {
	if l.frame.value == nil {
		return "", "", nil
	}
	var text bytes.Buffer
	if err := (&cli{terminal: terminal{out: &text}, output: l.c.output}).print(l.frame.value(), nil); err != nil {
		return "", "", err
	}
	name, none := strconv.Quote(l.frame.list)+": ", "[]"
	if l.c.output == formatYAML {
		name, none = "\n"+l.frame.list+":", " []\n"
	}
	before, after, found := strings.Cut("\n"+text.String(), name+none)
	if !found {
		return "", "", fmt.Errorf("there is no empty list %q", l.frame.list)
	}
	before = strings.TrimPrefix(before+name, "\n")
	switch {
	case l.c.output == formatJSON:
	case empty:
		before += " []\n"
	default:
		before += "\n"
	}
	return before, after, nil
}

// end ends the list.
func (l *listing) end(none string) error {
	switch l.c.output {
	case formatJSON, formatYAML:
		_, after, err := l.around(false)
		if err != nil {
			return err
		}
		switch {
		case l.c.output == formatJSON && l.shown == 0:
			after = "[]" + cmp.Or(after, "\n")
		case l.c.output == formatJSON:
			after = "\n" + l.margin() + "]" + cmp.Or(after, "\n")
		case l.shown == 0 && l.frame.value == nil:
			after = "[]\n"
		}
		_, err = io.WriteString(l.c.out, after)
		return err
	case formatTable:
		if l.shown == 0 && none != "" {
			l.c.say("%s\n", none)
		}
		if l.frame.below != nil {
			p := &page{color: l.c.colored()}
			l.frame.below(p)
			_, err := l.c.out.Write(p.buf.Bytes())
			return err
		}
	}
	return nil
}

// viewsOf yields a view of each entry of a list that is listed.
func viewsOf[T, V any](list iter.Seq2[T, error], listed func(T) bool, view func(T) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for entry, err := range list {
			if err == nil && !listed(entry) {
				continue
			}
			var v V
			if err == nil {
				v, err = view(entry)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// every lists every entry.
func every[T any](T) bool { return true }

// withNames yields a view of each entry of a list. It is made with the name of the person whom the
// entry is about.
func withNames[T, V any](ctx context.Context, l ledger.Reader, list iter.Seq2[T, error], person func(T) string, view func(T, string) (V, error)) iter.Seq2[V, error] {
	names := map[string]string{}
	return viewsOf(list, every, func(entry T) (v V, err error) {
		name, err := nameOf(ctx, l, names, person(entry))
		if err != nil {
			return v, err
		}
		return view(entry, name)
	})
}
