package notice

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/tenurehq/tenure/internal/visible"
)

//go:embed templates
var embedded embed.FS

// Templates of a kind are in one file, NAME.tmpl, that defines three: "subject" and "chat",
// which get a Public, and "mail", which gets a Private. frame.txt.tmpl and frame.html.tmpl
// get a Letter.
const (
	partSubject = "subject"
	partChat    = "chat"
	partMail    = "mail"
	frameText   = "frame.txt.tmpl"
	frameHTML   = "frame.html.tmpl"
)

// Texts renders notices.
type Texts struct {
	kinds map[string]*template.Template
	text  *template.Template
	html  *htmltemplate.Template
}

// Letter is what the frame of a mail shows.
type Letter struct {
	Items []string // the texts of its notices; paragraphs are separated by empty lines
	More  int      // notices that are left out
}

// Item is one notice with what its text shows.
type Item struct {
	Kind string
	Data Private
}

// Mail is a mail without its addressees.
type Mail struct{ Subject, Text, HTML string }

// LoadTexts returns the texts of all kinds. Files in own (which may be nil) take the place of
// Tenure's. The error joins one for each file that cannot be used, which names it.
func LoadTexts(own fs.FS) (*Texts, error) {
	t := &Texts{kinds: map[string]*template.Template{}}
	var errs []error
	read := func(name string, use func(text string) error) {
		text, err := source(own, name)
		if err == nil {
			err = use(text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, kind := range kinds {
		read(kind.Name+".tmpl", func(text string) error { return t.addKind(kind, text) })
	}
	read(frameText, func(text string) (err error) {
		t.text, err = template.New(frameText).Funcs(functions).Parse(text)
		if err == nil {
			err = t.text.Execute(new(bytes.Buffer), Letter{Items: []string{"a"}})
		}
		return err
	})
	read(frameHTML, func(text string) (err error) {
		t.html, err = htmltemplate.New(frameHTML).Funcs(functions).Parse(text)
		if err == nil {
			err = t.html.Execute(new(bytes.Buffer), Letter{Items: []string{"a"}})
		}
		return err
	})
	errs = append(errs, strangers(own)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// OwnTexts is LoadTexts with a folder that has to be there.
func OwnTexts(own fs.FS) (*Texts, error) {
	if _, err := fs.Stat(own, "."); err != nil {
		return nil, errors.New("the folder cannot be read")
	}
	return LoadTexts(own)
}

// source returns a template's text.
func source(own fs.FS, name string) (string, error) {
	if own != nil {
		text, err := fs.ReadFile(own, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	text, err := embedded.ReadFile("templates/" + name)
	return string(text), err
}

// strangers returns an error for each template that belongs to no kind.
func strangers(own fs.FS) (errs []error) {
	if own == nil {
		return nil
	}
	files, err := fs.Glob(own, "*.tmpl")
	if err != nil {
		return []error{err}
	}
	for _, name := range files {
		kind := strings.TrimSuffix(name, ".tmpl")
		if _, ok := KindOf(kind); !ok && name != frameText && name != frameHTML {
			errs = append(errs, fmt.Errorf("%s: there is no kind of notice %q", name, kind))
		}
	}
	return errs
}

func (t *Texts) addKind(kind Kind, text string) error {
	parsed, err := template.New(kind.Name).Funcs(functions).Parse(text)
	if err != nil {
		return err
	}
	for _, part := range []string{partSubject, partChat, partMail} {
		if parsed.Lookup(part) == nil {
			return fmt.Errorf("it does not define %q", part)
		}
	}
	t.kinds[kind.Name] = parsed
	for _, state := range append(States(kind.Name), "") {
		data := Sample(kind.Name, state)
		if _, err := t.subject(kind.Name, data.Public); err != nil {
			return err
		}
		if _, err := t.chat(kind.Name, data.Public); err != nil {
			return err
		}
		if _, err := t.mail(Item{Kind: kind.Name, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

var functions = template.FuncMap{
	"when":       when,
	"join":       func(list []string) string { return strings.Join(list, ", ") },
	"paragraphs": func(text string) []string { return strings.Split(text, "\n\n") },
	"lines":      func(text string) []string { return strings.Split(text, "\n") },
}

// when shows an instant in the zone that it is in.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("Mon 2 Jan 2006 15:04 MST")
}

func (t *Texts) render(kind, part string, data any) (string, error) {
	parsed, ok := t.kinds[kind]
	if !ok {
		return "", fmt.Errorf("notice: there is no kind %q", kind)
	}
	var b bytes.Buffer
	if err := parsed.ExecuteTemplate(&b, part, data); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

func (t *Texts) subject(kind string, data Public) (string, error) {
	text, err := t.render(kind, partSubject, data)
	return visible.Line(strings.Join(strings.Fields(text), " ")), err
}

func (t *Texts) chat(kind string, data Public) (string, error) { return t.render(kind, partChat, data) }

func (t *Texts) mail(i Item) (string, error) { return t.render(i.Kind, partMail, i.Data) }

// mostItems is how many notices one message shows.
const mostItems = 50

// Chat renders notices for anybody to read.
func (t *Texts) Chat(items []Item) (string, error) {
	var texts []string
	for _, i := range items[:min(len(items), mostItems)] {
		text, err := t.chat(i.Kind, i.Data.Public)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	if more := len(items) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d more: tenure notice list", more))
	}
	return strings.Join(texts, "\n"), nil
}

// Mail renders notices for somebody who may know.
func (t *Texts) Mail(items []Item) (Mail, error) {
	letter := Letter{More: max(0, len(items)-mostItems)}
	for _, i := range items[:min(len(items), mostItems)] {
		text, err := t.mail(i)
		if err != nil {
			return Mail{}, err
		}
		letter.Items = append(letter.Items, text)
	}
	subject, err := t.Subject(items)
	if err != nil {
		return Mail{}, err
	}
	var text, html bytes.Buffer
	if err := errors.Join(t.text.Execute(&text, letter), t.html.Execute(&html, letter)); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: subject, Text: strings.TrimSpace(text.String()) + "\n", HTML: html.String()}, nil
}

// namedInSubject is how many notices the subject of a mail names.
const namedInSubject = 5

// Subject returns the subject of a mail with these notices. It shows what anybody may read.
func (t *Texts) Subject(items []Item) (string, error) {
	if len(items) == 1 {
		text, err := t.subject(items[0].Kind, items[0].Data.Public)
		return "Tenure: " + text, err
	}
	var names []string
	for _, i := range items {
		if !slices.Contains(names, i.Data.About) {
			names = append(names, i.Data.About)
		}
	}
	list := strings.Join(names[:min(len(names), namedInSubject)], ", ")
	if len(names) > namedInSubject {
		list += ", ..."
	}
	return visible.Line(fmt.Sprintf("Tenure: %d notices (%s)", len(items), list)), nil
}
