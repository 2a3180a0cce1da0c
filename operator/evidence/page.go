package evidence

import (
	_ "embed" // the template of the page
	"errors"
	"fmt"
	"html/template"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/figures"
)

//go:embed page.html
var pageText string

// page writes the page that a human can print, from the files of the pack.
func (k *maker) page(about About) error {
	r := &reader{folder: k.folder, lines: map[string]int{}}
	for _, f := range about.Files {
		r.lines[f.Name] = f.Lines
	}
	t, err := template.New("page").Funcs(k.functions(r)).Parse(pageText)
	if err != nil {
		return err
	}
	f, err := k.out.File(filePage)
	if err != nil {
		return err
	}
	err = t.Execute(f, about)
	return errors.Join(err, r.err, f.Close())
}

// reader reads the files of a pack again.
type reader struct {
	folder Folder
	lines  map[string]int
	err    error // the first one
}

// all yields the lines of a file; none if it is not in the pack.
func all[T any](r *reader, name string) iter.Seq[T] {
	return func(yield func(T) bool) {
		if _, there := r.lines[name]; !there {
			return
		}
		for line, err := range lines[T](r.folder, name) {
			if err != nil {
				r.err = errors.Join(r.err, fmt.Errorf("%s: %w", name, err))
				return
			}
			if !yield(line) {
				return
			}
		}
	}
}

// PersonWithAccess is somebody with what had to change.
type PersonWithAccess struct {
	Moment
	Access []Access
}

// people yields the people of a file with their accesses, which are in the other file in the same
// order.
func people(r *reader, file string) iter.Seq[PersonWithAccess] {
	return func(yield func(PersonWithAccess) bool) {
		next, stop := iter.Pull(all[Access](r, file+"-access.jsonl"))
		defer stop()
		for m := range all[Moment](r, file+".jsonl") {
			p := PersonWithAccess{Moment: m}
			for range m.Accounts {
				if a, ok := next(); ok {
					p.Access = append(p.Access, a)
				}
			}
			if !yield(p) {
				return
			}
		}
	}
}

// late yields what was late, of those who left and joined.
func late(r *reader) iter.Seq[Access] {
	return func(yield func(Access) bool) {
		for _, file := range []string{"leavers-access.jsonl", "joiners-access.jsonl", "movers-access.jsonl"} {
			for a := range all[Access](r, file) {
				if a.Late && !yield(a) {
					return
				}
			}
		}
	}
}

// functions returns what the template calls.
func (k *maker) functions(r *reader) template.FuncMap {
	return template.FuncMap{
		"has":        func(file string) bool { _, there := r.lines[file]; return there },
		"count":      func(file string) int { return r.lines[file] },
		"checks":     func() iter.Seq[Check] { return all[Check](r, fileTieOut) },
		"figures":    func() iter.Seq[figures.Figure] { return all[figures.Figure](r, "figures.jsonl") },
		"people":     func(file string) iter.Seq[PersonWithAccess] { return people(r, file) },
		"late":       func() iter.Seq[Access] { return late(r) },
		"events":     func() iter.Seq[Event] { return all[Event](r, "events.jsonl") },
		"letters":    func() iter.Seq[Letter] { return all[Letter](r, "letters.jsonl") },
		"tasks":      func() iter.Seq[Task] { return all[Task](r, "tasks.jsonl") },
		"requests":   func() iter.Seq[Request] { return all[Request](r, "requests.jsonl") },
		"exceptions": func() iter.Seq[Exception] { return all[Exception](r, "exceptions.jsonl") },
		"duties":     func() iter.Seq[Duty] { return all[Duty](r, "duties.jsonl") },
		"findings":   func() iter.Seq[Finding] { return all[Finding](r, "findings.jsonl") },
		"reviews":    func() iter.Seq[Review] { return all[Review](r, "reviews.jsonl") },
		"items":      func() iter.Seq[Item] { return all[Item](r, "review-items.jsonl") },
		"scans":      func() iter.Seq[Scan] { return all[Scan](r, "scans.jsonl") },
		"accounts":   func() iter.Seq[Account] { return all[Account](r, "accounts.jsonl") },
		"everybody":  func() iter.Seq[figures.Whose] { return slices.Values(figures.Everybody()) },
		"instant":    k.instant,
		"took":       took,
		"numbers":    numbers,
		"join":       func(list []string) string { return strings.Join(list, ", ") },
		"rows":       rowNumbers,
		"of":         minutesOf,
		"percent":    func(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" },
		"words":      func(name any) string { return strings.ReplaceAll(fmt.Sprint(name), "_", " ") },
	}
}

// instant shows an instant in the zone of the pack.
func (k *maker) instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(k.Zone).Format("2006-01-02 15:04:05")
}

// took shows a number of seconds: "3d 6h".
func took(seconds int64) string {
	var parts []string
	for _, unit := range []struct {
		name string
		of   int64
	}{{"d", 24 * 3600}, {"h", 3600}, {"m", 60}, {"s", 1}} {
		if n := seconds / unit.of; n > 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+unit.name)
		}
		seconds %= unit.of
	}
	if parts == nil {
		return "0s"
	}
	return strings.Join(parts, " ")
}

// minutesOf shows how much of a time was somebody's; nothing for none.
func minutesOf(minutes map[string]int64, whose figures.Whose) string {
	if minutes[string(whose)] == 0 {
		return ""
	}
	return took(minutes[string(whose)])
}

// numbers shows the numbers of a check.
func numbers(all []Number) string {
	parts := make([]string, len(all))
	for i, n := range all {
		parts[i] = fmt.Sprintf("%s: %d", n.What, n.N)
	}
	return strings.Join(parts, "; ")
}

func rowNumbers(rows []int64) string {
	parts := make([]string, len(rows))
	for i, n := range rows {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ", ")
}
