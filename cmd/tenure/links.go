package main

import (
	"path"
	"regexp"
	"strings"
)

// published is where everybody can read the project's files.
const published = "https://github.com/tenurehq/tenure/blob/main/"

// markdownLink is a link in Markdown.
var markdownLink = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)

// absolute returns a text of the documents, in Markdown, with links that lead somewhere
// wherever it is read. A target without a host is relative to docs.
func absolute(markdown string) string {
	return replaceLinks(markdown, func(text, target string) string {
		if !strings.Contains(target, "://") {
			target = published + path.Join("docs", target)
		}
		return "[" + text + "](" + target + ")"
	})
}

// addresses returns a text in Markdown with its links as a terminal shows them: the address
// behind the text, or in place of a text that is the address already.
func addresses(markdown string) string {
	return replaceLinks(markdown, func(text, target string) string {
		if strings.HasSuffix(target, text) {
			return target
		}
		return text + " <" + target + ">"
	})
}

func replaceLinks(markdown string, with func(text, target string) string) string {
	return markdownLink.ReplaceAllStringFunc(markdown, func(found string) string {
		parts := markdownLink.FindStringSubmatch(found)
		return with(parts[1], parts[2])
	})
}
