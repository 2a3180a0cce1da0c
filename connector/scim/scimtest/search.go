package scimtest

import (
	"cmp"
	"slices"
	"strings"
)

// search returns the resources that match, in order of creation; a nil filter
// matches all.
func (s *store) search(c *collection, filter expression) []*record {
	ids, exact := c.order, filter == nil
	if filter != nil {
		if some, indexed, whole := s.candidates(c, filter); indexed {
			ids, exact = some, whole
		}
	}
	found := make([]*record, 0, len(ids))
	for _, id := range ids {
		r := c.byID[id]
		if exact || filter.matches(s.render(c, r, "", projection{})) {
			found = append(found, r)
		}
	}
	return found
}

// candidates finds by an index those that a filter can match, in order of
// creation. whole says that they match the whole filter, so that nothing has to
// be looked at once more.
func (s *store) candidates(c *collection, filter expression) (ids []string, indexed, whole bool) {
	switch e := filter.(type) {
	case and:
		if ids, indexed, _ = s.candidates(c, e.left); !indexed {
			ids, indexed, _ = s.candidates(c, e.right)
		}
		return ids, indexed, false
	case comparison:
		text, isText := e.value.(string)
		if e.operator != "eq" || !isText {
			return nil, false, false
		}
		set, indexed := s.indexed(c, e.path.key(), text)
		for id := range set {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(c.byID[a].seq, c.byID[b].seq) })
		return ids, indexed, indexed
	default:
		return nil, false, false
	}
}

func (s *store) indexed(c *collection, attr, value string) (ids map[string]bool, ok bool) {
	switch attr {
	case "id":
		if c.byID[value] == nil {
			return nil, true
		}
		return map[string]bool{value: true}, true
	case "externalId":
		return s.byExternal[c][value], true
	case "userName":
		return s.byUserName[strings.ToLower(value)], true
	case "displayName":
		return s.byName[strings.ToLower(value)], c == s.groups
	case "members/value":
		return s.memberOf[value], true
	case "groups/value":
		ids = map[string]bool{}
		if group := s.groups.byID[value]; group != nil {
			for user := range group.members {
				ids[user] = true
			}
		}
		return ids, true
	default:
		return nil, false
	}
}
