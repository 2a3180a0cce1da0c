package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
)

// recently is how long after HR said something what is done for that person is
// taken to be done about it.
const recently = 4 * time.Second

// wide is the width of lines of prose.
const wide = 100

// screen is the terminal.
type screen struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	names  map[string]string
	width  int                  // of the longest name
	said   map[string]time.Time // when HR last spoke of somebody, in real time
	facts  int
	wrong  int
}

func newScreen(out io.Writer, colour bool) *screen {
	s := &screen{out: out, colour: colour, names: map[string]string{}, said: map[string]time.Time{}}
	for id := range story.Expected() {
		s.names[id] = story.Name(id)
		s.width = max(s.width, text.StringWidthWithoutEscSequences(s.names[id]))
	}
	return s
}

// paint escapes a text, which may come from outside, and colours it.
func (s *screen) paint(c text.Colors, line string) string {
	line = visible.Line(line)
	if !s.colour {
		return line
	}
	return c.Sprint(line)
}

func (s *screen) print(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}

func (s *screen) title(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print("\n%s", s.paint(text.Colors{text.Bold}, line))
}

func (s *screen) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print("  %s", s.paint(text.Colors{text.Faint}, line))
}

// trouble shows that a process died and is started again.
func (s *screen) trouble(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print("  %s", s.paint(text.Colors{text.FgRed}, line))
}

// Beat implements story.Observer.
func (s *screen) Beat(b story.Beat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts += len(b.Holds)
	for _, e := range b.Events {
		s.said[e.PersonID] = time.Now()
	}
	s.print("\n%s %s", s.paint(text.Colors{text.FgCyan, text.Bold}, fmt.Sprintf("day %d", int(b.Day))),
		s.paint(text.Colors{text.Bold}, b.Text))
}

// Wrong implements story.Observer.
func (s *screen) Wrong(b story.Beat, f story.Fact, is string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong++
	s.print("  %s", s.paint(text.Colors{text.FgRed, text.Bold},
		fmt.Sprintf("WRONG, from day %d: %s in %s is %q, has to be %q", int(b.Day), s.name(f.Person), f.App, is, f.Is)))
}

// name returns how the screen calls somebody, or what only has an ID.
func (s *screen) name(id string) string {
	if ledger.IsOrphan(id) {
		return "nobody (" + id + ")"
	}
	return cmp.Or(s.names[id], id)
}

var actionColours = map[string]text.Colors{
	"created": {text.FgGreen}, "adopted": {text.FgGreen}, "enabled": {text.FgGreen},
	"disabled": {text.FgYellow}, "stripped": {text.FgYellow},
	"deleted": {text.FgRed}, "retry": {text.FgMagenta}, "skip": {text.FgMagenta},
	"drift_seen": {text.FgMagenta}, "review_decided": {text.FgMagenta}, "request_approved": {text.FgMagenta},
}

// action shows one line of the audit.
func (s *screen) action(row ledger.AuditRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := said(row, "change", "item", "review", "request", "exception")
	if id, ok := row.Detail["finding"].(float64); ok {
		by = ledger.FindingName(int64(id))
	}
	var all []string
	if _, ok := row.Detail["change"]; ok {
		if when := s.timely(row); when != "" {
			all = append(all, s.paint(text.Colors{text.Faint}, when))
		}
	}
	line := fmt.Sprintf("  %s %s %-7s %-10s %s %s",
		s.paint(text.Colors{text.Faint}, storyTime(row.At)),
		text.Pad(visible.Line(s.name(row.PersonID)), s.width, ' '), visible.Line(by), visible.Line(row.App),
		s.paint(actionColours[row.Action], fmt.Sprintf("%-14s", strings.ReplaceAll(row.Action, "_", " "))),
		strings.Join(append(all, s.details(row)...), " "))
	s.print("%s", strings.TrimRight(line, " "))
}

// timely says how long after HR said so something was done or, if HR did not say it just now, how
// long after it was due. It returns nothing if the row does not tell.
func (s *screen) timely(row ledger.AuditRow) string {
	if said, ok := s.said[row.PersonID]; ok && time.Since(said) < recently {
		return fmt.Sprintf("%.1fs after HR said so", max(0, time.Since(said)).Seconds())
	}
	since, err := time.Parse(time.RFC3339Nano, said(row, ledger.DetailSince))
	if err != nil {
		return ""
	}
	const day = 24 * time.Hour
	if late := row.At.Sub(since); late >= 2*day {
		return fmt.Sprintf("%d days after it was due", late/day)
	}
	return "on its date"
}

// said returns the first of these details of a row that is there.
func said(row ledger.AuditRow, keys ...string) string {
	for _, key := range keys {
		if word, _ := row.Detail[key].(string); word != "" {
			return word
		}
	}
	return ""
}

// storyTime is an instant of the story: the day and the time of day.
func storyTime(t time.Time) string {
	since := t.Sub(story.Start)
	days := int(since.Hours() / 24)
	return fmt.Sprintf("day %2d %s", days, t.UTC().Format("15:04"))
}

// details says which entitlements an action gave and took, or what was decided or found.
func (s *screen) details(row ledger.AuditRow) (all []string) {
	for _, d := range []struct{ key, sign string }{{"granted", "+"}, {"revoked", "-"}} {
		list, _ := row.Detail[d.key].([]any)
		for _, name := range list {
			all = append(all, visible.Line(fmt.Sprint(d.sign, name)))
		}
	}
	if _, ok := row.Detail["change"]; ok {
		return all
	}
	for _, key := range []string{"decision", "kind", "what", "role", "entitlement"} {
		if word := said(row, key); word != "" {
			all = append(all, visible.Line(word))
		}
	}
	if items, ok := row.Detail["items"].(float64); ok {
		all = append(all, words.Count(int(items), "item"))
	}
	switch who := said(row, "as"); who {
	case "":
	case ledger.ReviewNobody:
		all = append(all, "by silence")
	default:
		all = append(all, "by "+visible.Line(s.name(who)))
	}
	return all
}

// summary shows everybody's accounts, as the apps themselves show them, and what
// was done.
func (s *screen) summary(ctx context.Context, stage *story.Stage, left []story.Difference, actions map[string]int) error {
	t := table.NewWriter()
	t.SetOutputMirror(s.out)
	t.SetStyle(table.StyleLight)
	header := table.Row{"person"}
	accounts := map[string]map[string][]story.User{}
	for _, app := range stage.Stack.Apps() {
		header = append(header, app.Name)
		of, err := stage.Accounts(ctx, app.Name)
		if err != nil {
			return err
		}
		accounts[app.Name] = of
	}
	t.AppendHeader(header)
	for _, person := range slices.Sorted(maps.Keys(story.Expected())) {
		row := table.Row{s.names[person]}
		for _, app := range stage.Stack.Apps() {
			row = append(row, s.cell(person, app.Name, accounts[app.Name][person], left))
		}
		t.AppendRow(row)
	}
	s.title("Everybody's accounts, as the apps themselves show them")
	t.Render()

	var done []string
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		done = append(done, fmt.Sprintf("%d %s", actions[action], visible.Line(strings.ReplaceAll(action, "_", " "))))
	}
	for line := range strings.Lines(text.WrapSoft("done: "+strings.Join(done, ", "), wide)) {
		s.print("%s", strings.TrimRight(line, " \n"))
	}
	accountsChecked := len(story.Expected()) * len(stage.Stack.Apps())
	s.print("checked: %d facts on the way, %d wrong; %d accounts in the end, %d wrong", s.facts, s.wrong, accountsChecked, len(left))
	return nil
}

func (s *screen) cell(person, app string, accounts []story.User, left []story.Difference) string {
	is := "-"
	if len(accounts) > 0 {
		is = strings.TrimPrefix(story.State(accounts[0]), "on: ")
	}
	for _, d := range left {
		if d.Person == person && d.App == app {
			return s.paint(text.Colors{text.FgRed, text.Bold}, fmt.Sprintf("WRONG: is %s, has to be %s", d.Is, d.Want))
		}
	}
	return visible.Line(is)
}
