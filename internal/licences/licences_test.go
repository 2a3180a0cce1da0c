package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var oneModule = module{"example.test/a", "v1.0.0"}

// with returns a report with one module.
func with(purpose purpose, texts []string, licences ...string) report {
	return report{oneModule: {module: oneModule, purpose: purpose, licences: licences, texts: texts}}
}

var anException = exception{Module: "example.test/a", Version: "v1.0.0", Licence: "BSD-3-Clause", Source: "https://example.test", Because: "somebody read it"}

func TestJudge(t *testing.T) {
	other := anException
	other.Version = "v0.9.0"
	cases := map[string]struct {
		found      report
		exceptions []exception
		licence    string
		problem    string // part of it
	}{
		"fit":                     {found: with(ships, []string{"LICENSE"}, "MIT"), licence: "MIT"},
		"two that are fit":        {found: with(ships, nil, "BSD-3-Clause", "MIT"), licence: "BSD-3-Clause AND MIT"},
		"unfit":                   {found: with(ships, nil, "AGPL-3.0"), problem: "AGPL-3.0 is not allowed in what ships"},
		"one of two is unfit":     {found: with(ships, nil, "GPL-2.0", "MIT"), problem: "GPL-2.0 is not allowed"},
		"fit for tests":           {found: with(tests, nil, "MPL-2.0"), licence: "MPL-2.0"},
		"fit only for tests":      {found: with(ships, nil, "MPL-2.0"), problem: "MPL-2.0 is not allowed in what ships"},
		"unfit for tests":         {found: with(tests, nil, "GPL-3.0"), problem: "GPL-3.0 is not allowed in what tests"},
		"missing":                 {found: with(tests, nil, unknown), problem: "no licence"},
		"not looked at":           {found: with(ships, nil), problem: "does not report it"},
		"several texts":           {found: with(ships, []string{"LICENSE", "LICENSE-2"}, "MIT"), problem: "only one of LICENSE, LICENSE-2"},
		"excepted":                {found: with(ships, nil, unknown), exceptions: []exception{anException}, licence: "BSD-3-Clause"},
		"excepted, several texts": {found: with(ships, []string{"COPYING", "LICENSE"}, "MIT"), exceptions: []exception{anException}, licence: "BSD-3-Clause"},
		"exception not needed":    {found: with(ships, nil, "MIT"), exceptions: []exception{anException}, problem: "not needed"},
		"exception of another version": {found: with(ships, nil, unknown), exceptions: []exception{other},
			problem: "example.test/a v0.9.0 is not built in"},
		"exception of a module that is gone": {found: report{}, exceptions: []exception{anException}, problem: "is not built in"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := policy{Ships: []string{"MIT", "BSD-3-Clause"}, Tests: []string{"MPL-2.0"}, Exceptions: c.exceptions}
			rows, err := p.judge(c.found)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("the problem is %v, want %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 1 || rows[0].licence != c.licence {
				t.Errorf("the rows are %v, want the licence %q", rows, c.licence)
			}
			if err := p.judgeRows(rows); err != nil {
				t.Errorf("what was written is refused when it is read: %v", err)
			}
		})
	}
}

func TestLibrariesCountForTheirModule(t *testing.T) {
	var found report
	found.add(ships, []module{{"example.test/a", "v1.0.0"}, {"example.test/a/b", "v2.0.0"}}, []library{
		{name: "example.test/a/internal/x", licence: "MIT"},
		{name: "example.test/a", licence: "BSD-3-Clause"},
		{name: "example.test/a/b/c", licence: "ISC"},
		{name: "example.test/another", licence: "GPL-3.0"},
	})
	found.add(tests, []module{{"example.test/a", "v1.0.0"}, {"example.test/t", "v1.0.0"}}, []library{{name: "example.test/t", licence: "MPL-2.0"}})
	var got []string
	for _, f := range found.sorted() {
		got = append(got, strings.Join([]string{f.path, f.version, strings.Join(f.licences, "+"), string(f.purpose)}, " "))
	}
	want := []string{"example.test/a v1.0.0 BSD-3-Clause+MIT ships", "example.test/a/b v2.0.0 ISC ships", "example.test/t v1.0.0 MPL-2.0 tests"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompareNamesWhatChanged(t *testing.T) {
	rows := []row{{module{"example.test/a", "v1.0.0"}, "MIT", tests}, {module{"example.test/gone", "v1.0.0"}, "MIT", ships}}
	var now report
	now.add(ships, []module{{"example.test/a", "v1.0.0"}, {"example.test/new", "v1.0.0"}}, nil)
	err := compare(rows, now)
	if err == nil {
		t.Fatal("a report of something else is taken")
	}
	for _, want := range []string{"example.test/gone v1.0.0 is in", "example.test/new v1.0.0 is built in, and not", `example.test/a v1.0.0 is for "tests"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said in %q", want, err)
		}
	}
	if err := compare([]row{{oneModule, "MIT", ships}}, with(ships, nil)); err != nil {
		t.Errorf("a report of what is built in is refused: %v", err)
	}
}

func TestWrittenRowsAreJudged(t *testing.T) {
	p := policy{Ships: []string{"MIT"}}
	for licence, fit := range map[string]bool{"MIT": true, "": false, unknown: false, "GPL-3.0": false, "MIT AND GPL-3.0": false} {
		if err := p.judgeRows([]row{{oneModule, licence, ships}}); (err == nil) != fit {
			t.Errorf("%q: the error is %v", licence, err)
		}
	}
}

func TestLicenceTexts(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"LICENSE", "LICENCE.md", "COPYING.LESSER", "UNLICENSE", "license-go", "license.go", "licenses/x", "NOTICE", "README.md", "licensed"} {
		files[name] = &fstest.MapFile{}
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	got := licenceTexts(entries)
	slices.Sort(got)
	if want := []string{"COPYING.LESSER", "LICENCE.md", "LICENSE", "UNLICENSE", "license-go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadPolicy(t *testing.T) {
	if _, err := readPolicy(acceptedYAML); err != nil {
		t.Errorf("accepted.yaml: %v", err)
	}
	for name, text := range map[string]string{
		"a key that there is not": "shipped: [MIT]",
		"no source":               "exceptions: [{module: a, version: v1, licence: MIT, because: x}]",
		"no version":              "exceptions: [{module: a, licence: MIT, because: x, source: 'https://a'}]",
		"twice": "exceptions: [{module: a, version: v1, licence: MIT, because: x, source: 'https://a'}, " +
			"{module: a, version: v1, licence: ISC, because: y, source: 'https://b'}]",
	} {
		if _, err := readPolicy([]byte(text)); err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
}

// TestReportIsFit checks the committed report against the policy. `make check` tests that the
// report lists the modules that are built in.
func TestReportIsFit(t *testing.T) {
	p, err := readPolicy(acceptedYAML)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join("..", "..", reportFile))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := decode(written)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.judgeRows(rows); err != nil {
		t.Error(err)
	}
}
