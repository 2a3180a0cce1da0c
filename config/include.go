package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keyInclude names the files that roles and apps are split over.
const keyInclude = "include"

// sourceFile is one file of the configuration.
type sourceFile struct {
	path  string
	lines []string
}

// stride tells the lines of several files apart: those of the file n begin at n
// times it, in every node and place until a problem is shown.
const stride = 1 << 24

// fileOf returns the file of a line, and the line's number there.
func (l *loader) fileOf(line int) (sourceFile, int) {
	n := line / stride
	if n >= len(l.sourceFiles) {
		return sourceFile{path: l.file}, line
	}
	return l.sourceFiles[n], line % stride
}

// lineOf describes a line to a reader who is at the place from: with its file, if that is
// another one.
func (l *loader) lineOf(line, from int) string {
	file, there := l.fileOf(line)
	if line/stride == from/stride {
		return fmt.Sprintf("in line %d", there)
	}
	return fmt.Sprintf("in %s:%d", file.path, there)
}

// add takes note of a file and marks its nodes as its own.
func (l *loader) add(path string, content []byte, root *yaml.Node) {
	l.sourceFiles = append(l.sourceFiles, sourceFile{path: path, lines: strings.Split(string(content), "\n")})
	mark(root, (len(l.sourceFiles)-1)*stride, map[*yaml.Node]bool{})
}

func mark(node *yaml.Node, by int, seen map[*yaml.Node]bool) {
	if by == 0 || node == nil || seen[node] {
		return
	}
	seen[node] = true
	node.Line += by
	mark(node.Alias, by, seen)
	for _, child := range node.Content {
		mark(child, by, seen)
	}
}

// include adds to the document the roles and apps of the files that it includes.
func (l *loader) include(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		return // reported later
	}
	var patterns []string
	var at value
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == keyInclude {
			at = value{l: l, node: resolved(root.Content[i+1]), path: keyInclude, at: placeOf(root.Content[i])}
			at.list(func(v value) { patterns = append(patterns, l.matching(v)...) })
			break
		}
	}
	slices.Sort(patterns)
	for _, path := range slices.Compact(patterns) {
		content, err := l.readFile(path)
		if err != nil {
			at.failf("%s cannot be read: %s", path, reason(err))
			continue
		}
		part, problem := parseFile(path, content)
		if problem != nil {
			problem.Line += len(l.sourceFiles) * stride
			l.problems = append(l.problems, problem)
			l.add(path, content, nil)
			continue
		}
		l.add(path, content, part)
		l.merge(root, part)
	}
}

// matching lists the files that a pattern matches. The pattern is relative to the folder
// of the configuration, and may not lead outside it.
func (l *loader) matching(v value) []string {
	pattern := v.text()
	if pattern == "" || l.failed(v.path) {
		return nil
	}
	folder := filepath.Dir(l.file)
	if !filepath.IsLocal(filepath.FromSlash(pattern)) {
		v.failf("must be below the folder of the configuration, and named from there")
		return nil
	}
	found, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	if err != nil {
		v.failf("is no pattern: %s", err)
		return nil
	}
	if len(found) == 0 {
		v.failf("matches no file")
	}
	for _, path := range found {
		if problem := includable(l.file, path); problem != "" {
			v.failf("%s %s", path, problem)
			return nil
		}
	}
	return found
}

// includable says why the file at path cannot be a part of the configuration.
func includable(configuration, path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "cannot be read: " + reason(err)
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(configuration))
	if err != nil {
		return "cannot be read: " + reason(err)
	}
	if inside, err := filepath.Rel(folder, target); err != nil || !filepath.IsLocal(inside) {
		return "is a link that leads out of the folder of the configuration"
	}
	info, err := os.Stat(target)
	itself, itselfErr := os.Stat(configuration)
	switch {
	case err != nil:
		return "cannot be read: " + reason(err)
	case !info.Mode().IsRegular():
		return "is no file"
	case itselfErr == nil && os.SameFile(info, itself):
		return "is the configuration itself"
	default:
		return ""
	}
}

// merge adds the apps and roles of an included file to the document.
func (l *loader) merge(root, part *yaml.Node) {
	parts := map[string]yaml.Kind{"apps": yaml.MappingNode, "roles": yaml.SequenceNode}
	pairs, _ := value{l: l, node: part, at: placeOf(part)}.pairs()
	for _, pair := range pairs {
		node := pair.value.node
		switch kind, ok := parts[pair.name]; {
		case !ok:
			l.fail(pair.value.at, pair.name, "an included file has apps and roles only: move this to %s", l.file)
		case isNull(node):
		case node.Kind != kind:
			pair.value.failf("must be %s, not %s", kindOf(&yaml.Node{Kind: kind}), kindOf(node))
		default:
			extend(root, pair.name, node)
		}
	}
}

// extend appends what a node holds to the document's node of that name.
func extend(root *yaml.Node, name string, node *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != name {
			continue
		}
		switch there := resolved(root.Content[i+1]); {
		case isNull(there):
			root.Content[i+1] = node
		case there.Kind == node.Kind:
			there.Content = append(there.Content, node.Content...)
		}
		return // of another kind: that is reported later
	}
	root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: node.Line, Column: node.Column}, node)
}
