package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/secret"
)

var reference = regexp.MustCompile(`\$\{[^}]*\}?`)

// needed reports whether secrets and files of this part of the document have to be there.
func (v value) needed() bool { return slices.Contains(v.l.needs, partOf(v.path)) }

// resolveSecrets replaces the references in a text by what they refer to. One
// that cannot be resolved is reported, and the result is empty then. Where none is
// needed, they are only checked for their form.
func (v value) resolveSecrets(text string) string {
	resolve := v.l.secret
	if !v.needed() {
		resolve = func(ref string) (string, string) {
			_, _, problem := parseReference(ref)
			return ref, problem
		}
	}
	whole := true
	text = reference.ReplaceAllStringFunc(text, func(ref string) string {
		secret, problem := resolve(ref)
		if problem != "" {
			v.failf("%s", problem)
			whole = false
		}
		return secret
	})
	if !whole {
		return ""
	}
	return text
}

// secretIn returns a text whose references are resolved each time it is used, so that a
// secret that is rotated in its file needs no restart. It reports references that cannot
// be resolved now.
func (v value) secretIn(text string) secret.Secret {
	v.resolveSecrets(text)
	l, path := v.l, v.path
	return secret.New(func() (string, error) {
		var problems []error
		text := reference.ReplaceAllStringFunc(text, func(ref string) string {
			now, problem := l.secret(ref)
			if problem != "" {
				problems = append(problems, errors.New(path+": "+problem))
			}
			return now
		})
		if len(problems) > 0 {
			return "", errors.Join(problems...)
		}
		return text, nil
	})
}

// secret reads a text that is not empty and may refer to secrets, which are resolved when
// the text is used.
func (v value) secret() secret.Secret {
	text, ok := v.str()
	if !ok {
		return secret.Secret{}
	}
	return v.secretIn(text)
}

// credential reads a text that must refer to a secret and never holds one.
func (v value) credential() secret.Secret {
	if text, ok := v.str(); ok && !reference.MatchString(text) {
		v.failf("must not be written here: refer to it by ${env:NAME} or ${file:PATH}")
		return secret.Secret{}
	}
	return v.secret()
}

// parseReference reads ${env:NAME} or ${file:PATH}.
func parseReference(ref string) (kind, name, problem string) {
	kind, name, _ = strings.Cut(strings.TrimSuffix(strings.TrimPrefix(ref, "${"), "}"), ":")
	if !strings.HasSuffix(ref, "}") || name == "" || kind != "env" && kind != "file" {
		return "", "", ref + " is no secret: must be ${env:NAME} or ${file:PATH}"
	}
	return kind, name, ""
}

// secret returns the secret that a reference names, or what is wrong with the reference.
func (l *loader) secret(ref string) (secret, problem string) {
	kind, name, problem := parseReference(ref)
	if problem != "" {
		return "", problem
	}
	if kind == "env" {
		secret, ok := l.lookupEnv(name)
		if !ok || secret == "" {
			return "", "secret " + ref + " is missing: the environment has no variable " + name
		}
		return secret, ""
	}
	content, err := l.readFile(l.relative(name))
	secret = strings.TrimRight(string(content), "\r\n")
	switch {
	case err != nil:
		return "", "secret " + ref + " is missing: " + reason(err)
	case secret == "":
		return "", "secret " + ref + " is missing: the file is empty"
	}
	return secret, ""
}

// relative returns a path that is relative to the folder of the configuration.
func (l *loader) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(l.file), path)
}
