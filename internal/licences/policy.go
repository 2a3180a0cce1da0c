package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// policy holds the content of accepted.yaml.
type policy struct {
	Ships      []string    `yaml:"ships"`
	Tests      []string    `yaml:"tests"`
	Exceptions []exception `yaml:"exceptions"`
}

// exception records the licence of a module, as somebody has read it.
type exception struct {
	Module  string `yaml:"module"`
	Version string `yaml:"version"`
	Licence string `yaml:"licence"`
	Source  string `yaml:"source"`
	Because string `yaml:"because"`
}

func readPolicy(text []byte) (policy, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var p policy
	if err := decoder.Decode(&p); err != nil {
		return policy{}, err
	}
	seen := map[string]bool{}
	for _, e := range p.Exceptions {
		if e.Module == "" || e.Version == "" || e.Licence == "" || e.Because == "" || !strings.HasPrefix(e.Source, "https://") {
			return policy{}, fmt.Errorf("the exception for %q lacks module, version, licence, source (https://...) or because", e.Module)
		}
		if seen[e.Module+" "+e.Version] {
			return policy{}, fmt.Errorf("%s %s has two exceptions", e.Module, e.Version)
		}
		seen[e.Module+" "+e.Version] = true
	}
	return p, nil
}

// allows reports whether modules for that purpose may have the licence.
func (p policy) allows(purpose purpose, licence string) bool {
	return slices.Contains(p.Ships, licence) || purpose == tests && slices.Contains(p.Tests, licence)
}

// exceptionFor returns the exception for a module, and reports whether there is one.
func (p policy) exceptionFor(m module) (exception, bool) {
	i := slices.IndexFunc(p.Exceptions, func(e exception) bool { return e.Module == m.path && e.Version == m.version })
	if i < 0 {
		return exception{}, false
	}
	return p.Exceptions[i], true
}

// judge returns the report's rows, or an error with everything that the policy does not allow.
func (p policy) judge(found report) ([]row, error) {
	var rows []row
	var problems []error
	for _, f := range found.sorted() {
		problem := p.problem(f)
		licence := strings.Join(f.licences, " AND ")
		e, excepted := p.exceptionFor(f.module)
		switch {
		case excepted && problem == nil:
			problems = append(problems, fmt.Errorf("%s %s: its exception is not needed: take it out of accepted.yaml", f.path, f.version))
		case excepted:
			licence = e.Licence
		case problem != nil:
			problems = append(problems, problem)
		}
		rows = append(rows, row{f.module, licence, f.purpose})
	}
	problems = append(problems, p.stale(func(m module) bool { return found[m] != nil })...)
	return rows, errors.Join(problems...)
}

// problem returns an error if a module needs an exception, with the reason.
func (p policy) problem(f *finding) error {
	if len(f.licences) == 0 {
		return fmt.Errorf("%s %s: go-licenses does not report it", f.path, f.version)
	}
	for _, licence := range f.licences {
		if licence == unknown {
			return fmt.Errorf("%s %s: no licence, or none that is recognised: find and read it, then accept it in accepted.yaml", f.path, f.version)
		}
		if !p.allows(f.purpose, licence) {
			return fmt.Errorf("%s %s: %s is not allowed in what %s: see accepted.yaml", f.path, f.version, licence, f.purpose)
		}
	}
	if len(f.texts) > 1 {
		return fmt.Errorf("%s %s: only one of %s was read: read all, then accept them in accepted.yaml", f.path, f.version, strings.Join(f.texts, ", "))
	}
	return nil
}

// stale returns the exceptions for modules, or versions, that are not built in.
func (p policy) stale(builtIn func(module) bool) []error {
	var problems []error
	for _, e := range p.Exceptions {
		if !builtIn(module{e.Module, e.Version}) {
			problems = append(problems, fmt.Errorf("%s %s is not built in (any more, or in another version): take its exception out of accepted.yaml, or read the licence of the version that is", e.Module, e.Version))
		}
	}
	return problems
}

// judgeRows checks the rows of a written report: every licence must be allowed, or be the one
// in the module's exception.
func (p policy) judgeRows(rows []row) error {
	var problems []error
	there := map[module]bool{}
	for _, r := range rows {
		there[r.module] = true
		if e, excepted := p.exceptionFor(r.module); excepted && e.Licence == r.licence {
			continue
		}
		for licence := range strings.SplitSeq(r.licence, " AND ") {
			if !p.allows(r.purpose, licence) {
				problems = append(problems, fmt.Errorf("%s %s: %s is not allowed in what %s: see accepted.yaml", r.path, r.version, licence, r.purpose))
			}
		}
	}
	return errors.Join(append(problems, p.stale(func(m module) bool { return there[m] })...)...)
}
