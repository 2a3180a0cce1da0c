package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/hr/snapshot"
	"github.com/tenurehq/tenure/policy"
)

// Snapshot says how to read files of everybody whom an HR system knows, and whom such a
// file is about.
type Snapshot struct {
	Source     string // the HR system, as in the source of its events
	Mapping    snapshot.Mapping
	Covers     *policy.Condition // whom a file is about; nil: people whose latest profile came from Source
	MaxLeavers snapshot.Limit    // how many people one may end the employment of
}

func readSnapshot(v value) *Snapshot {
	s := &Snapshot{}
	m := &s.Mapping
	v.mapping(
		into("source", &s.Source),
		into("columns", &m.Columns),
		into("defaults", &m.Defaults),
		on("values", func(v value) {
			m.Values = make(map[string]map[string]string)
			v.entries(func(field string, v value) { m.Values[field] = v.textsByName() })
		}),
		on("dateFormat", func(v value) { m.DateFormat = scalar(v, snapshot.ParseDateFormat) }),
		on("left", func(v value) {
			v.mapping(into("column", &m.Left.Column), into("values", &m.Left.Values), into("present", &m.Left.Present))
		}),
		on("primary", func(v value) {
			v.mapping(into("column", &m.Primary.Column), into("values", &m.Primary.Values))
		}),
		on("covers", func(v value) { s.Covers = v.condition() }),
		on("maxLeavers", func(v value) {
			v.mapping(into("share", &s.MaxLeavers.Share), into("count", &s.MaxLeavers.Count))
		}),
	)
	if !v.l.failedWithin(v.path) {
		v.check(s.Mapping)
	}
	return s
}

// check reports what is wrong with a mapping.
func (v value) check(m snapshot.Mapping) {
	err := m.Check()
	if err == nil {
		return
	}
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var field *snapshot.FieldError
		if !errors.As(err, &field) {
			v.failf("%s", err)
			continue
		}
		path := join(v.path, field.Path)
		at := v.at
		if node, ok := v.l.nodes[path]; ok {
			at = placeOf(node)
		}
		v.l.fail(at, path, "%s", field.Text)
	}
}

// textsByName reads a mapping of names that the operator chose to texts.
func (v value) textsByName() map[string]string {
	all := make(map[string]string)
	v.entries(func(name string, v value) { all[name] = v.text() })
	return all
}

// condition compiles a condition over person.
func (v value) condition() *policy.Condition {
	source := v.expression()
	if v.l.failed(v.path) {
		return nil
	}
	c, err := policy.CompileCondition(v.path, source)
	v.l.failRules(err)
	return c
}

// parseShare reads 5% as 0.05.
func parseShare(text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(percent >= 0 && percent <= 100) || strings.Trim(number, "0123456789.") != "" {
		return 0, errors.New(`must be a share such as "5%" or "0.5%"`)
	}
	return percent / 100, nil
}

func parseLength(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("must be a number of characters")
	}
	return int(n), nil
}

func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("must be a number of people")
	}
	return int(n), nil
}
