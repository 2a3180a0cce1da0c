package main

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/review"
)

// membersText says in a few words who came to a role, who went, and who differs from their peers:
// "+3 -1, 2 unlike their peers".
func membersText(m *review.Membership) string {
	if m == nil {
		return ""
	}
	var parts []string
	if m.Since != "" {
		parts = append(parts, fmt.Sprintf("+%d -%d", m.Came, m.Went))
	}
	if m.Unlike > 0 {
		parts = append(parts, fmt.Sprintf("%d unlike their peers", m.Unlike))
	}
	return strings.Join(parts, ", ")
}

// membersTold says who these people are, in lines.
func membersTold(i itemView) (lines []string) {
	m := i.Facts.Members
	if m == nil {
		return nil
	}
	list := func(what string, ids []string, n int) {
		if n == 0 {
			return
		}
		more := ""
		if n > len(ids) {
			more = fmt.Sprintf(" and %d more", n-len(ids))
		}
		lines = append(lines, fmt.Sprintf("item %d, %s: %s%s", i.Item, what, strings.Join(ids, ", "), more))
	}
	if m.Since != "" {
		list("came since "+m.Since, m.CameIDs, m.Came)
		list("went since "+m.Since, m.WentIDs, m.Went)
	}
	var unlike []string
	for _, o := range m.Unlikes {
		is := "has it"
		if !o.Has {
			is = "has it not"
		}
		unlike = append(unlike, fmt.Sprintf("%s %s (%d%% of %s do)", o.Person, is, o.Share, words.Count(o.Peers, "peer")))
	}
	list("unlike those with the same department and title", unlike, m.Unlike)
	return lines
}
