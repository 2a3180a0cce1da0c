package scimtest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const searchSchema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// searchRequest is the body of a search by POST (RFC 7644 section 3.4.3). It leaves out
// sorting, which this service does not support and may ignore (section 3.4.2.3).
type searchRequest struct {
	Schemas            []string `json:"schemas"`
	Attributes         []string `json:"attributes"`
	ExcludedAttributes []string `json:"excludedAttributes"`
	Filter             string   `json:"filter"`
	StartIndex         *int     `json:"startIndex"`
	Cursor             *string  `json:"cursor"`
	Count              *int     `json:"count"`
}

// query returns the search as the parameters of a GET.
func (q searchRequest) query() url.Values {
	query := url.Values{}
	for name, list := range map[string][]string{"attributes": q.Attributes, "excludedAttributes": q.ExcludedAttributes} {
		if len(list) > 0 {
			query.Set(name, strings.Join(list, ","))
		}
	}
	if q.Filter != "" {
		query.Set("filter", q.Filter)
	}
	for name, n := range map[string]*int{"startIndex": q.StartIndex, "count": q.Count} {
		if n != nil {
			query.Set(name, strconv.Itoa(*n))
		}
	}
	if q.Cursor != nil {
		query.Set("cursor", *q.Cursor)
	}
	return query
}

// search answers a POST of /.search below a resource type's endpoint.
func (s *Service) search(r *http.Request, t resourceType) (reply, error) { return s.searched(r, t) }

func (s *Service) searched(r *http.Request, types ...resourceType) (reply, error) {
	var body searchRequest
	if err := decode(r, &body); err != nil {
		return reply{}, err
	}
	if !slices.Contains(body.Schemas, searchSchema) {
		return reply{}, badRequest("invalidSyntax", "schemas must hold %s", searchSchema)
	}
	query := body.query()
	if err := s.deviations().refusesQuery(query); err != nil {
		return reply{}, err
	}
	return s.listed(r, query, types...)
}

// searchAll answers a POST of /.search, which covers users and groups.
func (s *Service) searchAll(w http.ResponseWriter, r *http.Request) {
	types := []resourceType{userType, groupType}
	if s.deviations().NoGroups {
		types = types[:1]
	}
	found, err := s.searched(r, types...)
	if err != nil {
		writeError(w, err)
		return
	}
	found.send(w)
}

// search returns the resources that match, in order of creation; a nil filter
// matches all.
func (s *store) search(c *collection, filter expression) []*record {
	ids, exact := c.order, filter == nil
	var looked projection
	if filter != nil {
		looked = projection{only: filter.names()}
		if some, indexed, whole := s.candidates(c, filter); indexed {
			ids, exact = some, whole
		}
	}
	found := make([]*record, 0, len(ids))
	for _, id := range ids {
		r := c.byID[id]
		if exact || filter.matches(s.render(c, r, "", looked)) {
			found = append(found, r)
		}
	}
	return found
}

// candidates returns the IDs of the resources that a filter can match, in order of
// creation. indexed reports whether an index could tell them. If whole is set, they
// match the whole filter and need no further check.
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
