package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// ours begins the names of the modules that are not reported.
const ours = "github.com/tenurehq/tenure"

// libraryTemplate makes go-licenses print the lines that parseLibraries reads.
const libraryTemplate = `{{range .}}{{.Name}},{{.Version}},{{.LicenseName}},{{.LicensePath}}
{{end}}`

// unknown is the licence that go-licenses reports if it finds none or does not recognise it.
const unknown = "Unknown"

// purpose names what a module is used for.
type purpose string

const (
	ships purpose = "ships"
	tests purpose = "tests"
)

type module struct{ path, version string }

// library is part of a module that has a licence of its own, as go-licenses finds it.
type library struct {
	name, version string
	licence       string
	path          string   // file with the licence that go-licenses recognised
	texts         []string // all licence texts in the same folder
}

// row is a module in the report.
type row struct {
	module
	licence string
	purpose purpose
}

// finding is a module with its licences.
type finding struct {
	module
	purpose  purpose
	licences []string // sorted, each once
	texts    []string // the licence texts of the folder that has most of them
}

// report holds the findings by module.
type report map[module]*finding

// add adds the modules of a build. A library belongs to the module with the longest path
// that the library's name begins with.
func (r *report) add(p purpose, modules []module, libraries []library) {
	if *r == nil {
		*r = report{}
	}
	added := map[string]*finding{}
	for _, m := range modules {
		if (*r)[m] == nil {
			(*r)[m] = &finding{module: m, purpose: p}
		}
		added[m.path] = (*r)[m]
	}
	for _, l := range libraries {
		for path := l.name; path != ""; path = parent(path) {
			f := added[path]
			if f == nil {
				continue
			}
			if !slices.Contains(f.licences, l.licence) {
				f.licences = append(f.licences, l.licence)
				slices.Sort(f.licences)
			}
			if len(l.texts) > len(f.texts) {
				f.texts = l.texts
			}
			break
		}
	}
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '/'))]
}

// sorted returns the findings by module.
func (r report) sorted() []*finding {
	var all []*finding
	for _, f := range r {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.version, b.version))
	})
	return all
}

// parseModules reads lines with a module's path and version. Tenure's own modules have no
// version, or no line.
func parseModules(lines string) []module {
	var modules []module
	for line := range strings.Lines(lines) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == "" || path == ours || strings.HasPrefix(path, ours+"/") {
			continue
		}
		if m := (module{path, version}); !slices.Contains(modules, m) {
			modules = append(modules, m)
		}
	}
	return modules
}

// parseLibraries reads the output of go-licenses with libraryTemplate.
func parseLibraries(printed []byte) ([]library, error) {
	records, err := csv.NewReader(bytes.NewReader(printed)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading what go-licenses prints: %w", err)
	}
	var libraries []library
	for _, record := range records {
		if len(record) != 4 {
			return nil, fmt.Errorf("go-licenses prints %d columns, and not name, version, licence and file", len(record))
		}
		libraries = append(libraries, library{name: record[0], version: record[1], licence: record[2], path: record[3]})
	}
	return libraries, nil
}

var licenceText = regexp.MustCompile(`(?i)^((un)?licen[cs]es?|copying)([-._].*)?$`)

// licenceTexts returns the files of a folder that are licences. It leaves out Go files, and
// NOTICE and COPYRIGHT, which only name people.
func licenceTexts(entries []fs.DirEntry) []string {
	var texts []string
	for _, entry := range entries {
		if name := entry.Name(); !entry.IsDir() && licenceText.MatchString(name) && !strings.HasSuffix(name, ".go") {
			texts = append(texts, name)
		}
	}
	return texts
}

var header = []string{"module", "version", "licence", "for"}

// encode writes rows as CSV.
func encode(rows []row) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(header)
	for _, r := range rows {
		_ = w.Write([]string{r.path, r.version, r.licence, string(r.purpose)})
	}
	w.Flush()
	return out.Bytes()
}

// decode reads rows that encode wrote.
func decode(written []byte) ([]row, error) {
	records, err := csv.NewReader(bytes.NewReader(written)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || !slices.Equal(records[0], header) {
		return nil, fmt.Errorf("its first line is not %s", strings.Join(header, ","))
	}
	var rows []row
	for _, record := range records[1:] {
		rows = append(rows, row{module{record[0], record[1]}, record[2], purpose(record[3])})
	}
	return rows, nil
}

// compare returns an error that lists the modules that the rows lack, those that are no longer
// built in, and those with another purpose.
func compare(rows []row, now report) error {
	var problems []error
	reported := map[module]row{}
	for _, r := range rows {
		reported[r.module] = r
		if now[r.module] == nil {
			problems = append(problems, fmt.Errorf("%s %s is in %s, and not built in", r.path, r.version, reportFile))
		}
	}
	for _, f := range now.sorted() {
		switch r, there := reported[f.module]; {
		case !there:
			problems = append(problems, fmt.Errorf("%s %s is built in, and not in %s", f.path, f.version, reportFile))
		case r.purpose != f.purpose:
			problems = append(problems, fmt.Errorf("%s %s is for %q in %s, and for %q as it is built in", f.path, f.version, r.purpose, reportFile, f.purpose))
		}
	}
	if problems == nil {
		return nil
	}
	return errors.Join(append(problems, errors.New("run make licences, and look at what is new"))...)
}
