//go:build real

package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/audit"
)

// schema is a compiled schema of OCSF.
type schema struct {
	Version    string
	Classes    map[string]definition
	Objects    map[string]definition
	Dictionary struct {
		Types struct{ Attributes map[string]primitive }
	}
}

type definition struct {
	UID         int
	Caption     string
	Attributes  map[string]attribute
	Constraints struct {
		AtLeastOne []string `json:"at_least_one"`
		JustOne    []string `json:"just_one"`
	}
}

type attribute struct {
	Type, Requirement string
	ObjectType        string `json:"object_type"`
	IsArray           bool   `json:"is_array"`
	Profiles          []string
	Enum              map[string]struct{ Caption string }
	Sibling           string
}

type primitive struct {
	Type, Regex string
	MaxLen      int `json:"max_len"`
	Range       []float64
}

// check lists what is wrong with an object.
func (s *schema) check(is definition, at string, object map[string]any) (wrong []string) {
	if len(is.Attributes) == 0 {
		return nil // anything
	}
	said := func(name string) bool { _, there := object[name]; return there }
	for name, a := range is.Attributes {
		if a.Requirement == "required" && len(a.Profiles) == 0 && !said(name) {
			wrong = append(wrong, at+"."+name+" is required")
		}
	}
	count := func(names []string) (n int) {
		for _, name := range names {
			if said(name) {
				n++
			}
		}
		return n
	}
	if names := is.Constraints.AtLeastOne; len(names) > 0 && count(names) == 0 {
		wrong = append(wrong, fmt.Sprintf("%s has none of %s", at, names))
	}
	if names := is.Constraints.JustOne; len(names) > 0 && count(names) != 1 {
		wrong = append(wrong, fmt.Sprintf("%s has not one of %s", at, names))
	}
	for name, value := range object {
		a, known := is.Attributes[name]
		if !known || len(a.Profiles) > 0 {
			wrong = append(wrong, at+"."+name+" is not in the schema")
			continue
		}
		values := []any{value}
		if a.IsArray {
			list, ok := value.([]any)
			if !ok {
				wrong = append(wrong, at+"."+name+" is no list")
				continue
			}
			values = list
		}
		for _, v := range values {
			wrong = append(wrong, s.value(a, at+"."+name, v)...)
		}
		if n, ok := value.(float64); ok && a.Sibling != "" && n != otherActivity && said(a.Sibling) {
			if want := a.Enum[strconv.Itoa(int(n))].Caption; object[a.Sibling] != want {
				wrong = append(wrong, fmt.Sprintf("%s.%s is %v, not %s", at, a.Sibling, object[a.Sibling], want))
			}
		}
	}
	return wrong
}

func (s *schema) value(a attribute, at string, v any) []string {
	if a.Type == "object_t" {
		object, ok := v.(map[string]any)
		if !ok {
			return []string{at + " is no object"}
		}
		return s.check(s.Objects[a.ObjectType], at, object)
	}
	typed := s.Dictionary.Types.Attributes[a.Type]
	base := typed.Type
	if base == "" {
		base = a.Type
	}
	if len(a.Enum) > 0 {
		if _, ok := a.Enum[fmt.Sprint(v)]; !ok {
			return []string{fmt.Sprintf("%s cannot be %v", at, v)}
		}
	}
	switch base {
	case "string_t":
		text, ok := v.(string)
		if !ok || typed.MaxLen > 0 && len(text) > typed.MaxLen || typed.Regex != "" && !regexp.MustCompile(typed.Regex).MatchString(text) {
			return []string{fmt.Sprintf("%s: %v is no %s", at, v, a.Type)}
		}
	case "integer_t", "long_t":
		n, ok := v.(float64)
		if !ok || n != math.Trunc(n) || len(typed.Range) == 2 && (n < typed.Range[0] || n > typed.Range[1]) {
			return []string{fmt.Sprintf("%s: %v is no %s", at, v, a.Type)}
		}
	case "boolean_t":
		if _, ok := v.(bool); !ok {
			return []string{fmt.Sprintf("%s: %v is no %s", at, v, a.Type)}
		}
	default:
		return []string{fmt.Sprintf("%s: no value of the type %s is expected", at, a.Type)}
	}
	return nil
}

// Every action that the product writes is, in every form that its row can have, what the
// published schema says. The section export of scripts/test-real fetches the schema, and says where
// it is.
func TestEventsAreAsTheSchemaHasThem(t *testing.T) {
	folder := os.Getenv("TENURE_REAL_OCSF")
	require.NotEmpty(t, folder, "TENURE_REAL_OCSF: scripts/test-real export sets it")
	text, err := os.ReadFile(filepath.Join(folder, "ocsf.json"))
	require.NoError(t, err)
	var s schema
	require.NoError(t, json.Unmarshal(text, &s))
	require.Equal(t, ocsfVersion, s.Version)
	classes := map[int]definition{}
	for _, c := range s.Classes {
		classes[c.UID] = c
	}
	events, used := 0, map[int]bool{}
	for _, action := range append(slices.Sorted(maps.Keys(actions)), "something new", "") {
		for _, r := range forms(action) {
			for _, m := range OCSF.Render(r, "v1") {
				var e map[string]any
				require.NoError(t, json.Unmarshal(m.Text, &e))
				uid := int(e["class_uid"].(float64))
				wrong := s.check(classes[uid], "", e)
				assert.Empty(t, wrong, "%s: %s", action, m.Text)
				if classes[uid].Caption != e["class_name"] || !strings.HasPrefix(fmt.Sprint(e["type_name"]), classes[uid].Caption+": ") {
					t.Errorf("%s: class %d is %s", action, uid, classes[uid].Caption)
				}
				events, used[uid] = events+1, true
			}
		}
	}
	t.Logf("%d events of %d actions, in the classes %d", events, len(actions), slices.Sorted(maps.Keys(used)))
}

// forms returns records with an action, as they can be.
func forms(action string) (all []Record) {
	for _, of := range [][2]string{{"10004", "wiki"}, {"10004", ""}, {"", "wiki"}, {"", ""}} {
		for _, text := range []*string{nil, detail(`{"granted":["a","b"],"revoked":["c"],"item":"v-1/2"}`), detail(`{"granted":[],"revoked":null,"task":4,"request":"r-1"}`)} {
			for _, by := range [][2]string{{"tenure", ""}, {"ada", "ada@host"}, {"ada", ""}, {"", ""}} {
				row := sample()
				row.Action, row.Person, row.App, row.Detail, row.Actor, row.Login, row.Key = action, of[0], of[1], text, by[0], by[1], ""
				r := recordOf(7, row)
				all = append(all, r)
				for _, state := range []State{Redacted, Altered} {
					r.State = state
					all = append(all, r)
				}
			}
		}
	}
	return append(all, Of(origin, audit.Entry{Leaf: audit.NewLeaf(1, sample())}))
}
