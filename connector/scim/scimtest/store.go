package scimtest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// record holds one resource: the attributes that a client may write, and the data that
// the service adds.
type record struct {
	id       string
	attrs    map[string]any // canonical; replaced as a whole, never changed in place
	members  map[string]int // of a group: user ID -> when it was added, as a count
	added    int            // the last of those counts
	seq      int            // order of creation
	created  time.Time
	modified time.Time
	version  int
}

func (r *record) text(name string) string {
	text, _ := r.attrs[name].(string)
	return text
}

// collection holds all resources of one type.
type collection struct {
	kind  resourceType
	byID  map[string]*record
	order []string // IDs in order of creation
}

// store holds an app's state and the indexes over it. It does no locking.
type store struct {
	seq        int
	users      *collection
	groups     *collection
	byUserName index // lower case -> user IDs
	byExternal map[*collection]index
	byName     index // a group's displayName, lower case -> group IDs
	memberOf   index // user ID -> group IDs

}

// index maps a value to the IDs of the resources that have it.
type index map[string]map[string]bool

func (x index) add(value, id string) {
	if value == "" {
		return
	}
	if x[value] == nil {
		x[value] = map[string]bool{}
	}
	x[value][id] = true
}

func (x index) remove(value, id string) {
	delete(x[value], id)
	if len(x[value]) == 0 {
		delete(x, value)
	}
}

func newStore() *store {
	s := &store{
		users:      &collection{kind: userType, byID: map[string]*record{}},
		groups:     &collection{kind: groupType, byID: map[string]*record{}},
		byUserName: index{}, byName: index{}, memberOf: index{},
	}
	s.byExternal = map[*collection]index{s.users: {}, s.groups: {}}
	return s
}

func (s *store) of(t resourceType) *collection {
	if t.name == groupType.name {
		return s.groups
	}
	return s.users
}

// unique returns an error if another resource has the userName or externalId in attrs.
// id is the resource's own ID, empty for a new one.
func (s *store) unique(c *collection, id string, attrs map[string]any) error {
	taken := func(x index, value string) bool {
		others := len(x[value])
		if x[value][id] {
			others--
		}
		return value != "" && others > 0
	}
	userName, _ := attrs["userName"].(string)
	externalID, _ := attrs["externalId"].(string)
	switch {
	case c == s.users && taken(s.byUserName, strings.ToLower(userName)):
		return &failure{status: http.StatusConflict, scimType: "uniqueness", detail: "userName " + userName + " is taken"}
	case taken(s.byExternal[c], externalID):
		return &failure{status: http.StatusConflict, scimType: "uniqueness", detail: "externalId " + externalID + " is taken"}
	}
	return nil
}

// insert adds a resource. The caller has checked the attributes.
func (s *store) insert(c *collection, attrs map[string]any, now time.Time) *record {
	r := &record{id: newID(), attrs: attrs, members: map[string]int{}, created: now, modified: now, version: 1}
	s.place(c, r)
	return r
}

func (s *store) place(c *collection, r *record) {
	s.seq++
	r.seq = s.seq
	c.byID[r.id] = r
	c.order = append(c.order, r.id)
	s.reindex(c, r, index.add)
	for user := range r.members {
		s.memberOf.add(user, r.id)
	}
}

// replace gives a resource new attributes.
func (s *store) replace(c *collection, r *record, attrs map[string]any) {
	s.reindex(c, r, index.remove)
	r.attrs = attrs
	s.reindex(c, r, index.add)
}

func (s *store) reindex(c *collection, r *record, change func(x index, value, id string)) {
	change(s.byExternal[c], r.text("externalId"), r.id)
	if c == s.users {
		change(s.byUserName, strings.ToLower(r.text("userName")), r.id)
		return
	}
	change(s.byName, strings.ToLower(r.text("displayName")), r.id)
}

// remove deletes a resource, and its memberships with it.
func (s *store) remove(c *collection, id string) {
	r := c.byID[id]
	s.reindex(c, r, index.remove)
	for user := range maps.Clone(r.members) {
		r.removeMember(s, user)
	}
	for group := range maps.Clone(s.memberOf[id]) {
		s.groups.byID[group].removeMember(s, id)
	}
	delete(c.byID, id)
	at, _ := slices.BinarySearchFunc(c.order, r.seq, func(other string, seq int) int {
		if other == id {
			return 0
		}
		return cmp.Compare(c.byID[other].seq, seq)
	})
	c.order = slices.Delete(c.order, at, at+1)
}

func (r *record) addMember(s *store, user string) (added bool) {
	if _, is := r.members[user]; is {
		return false
	}
	r.added++
	r.members[user] = r.added
	s.memberOf.add(user, r.id)
	return true
}

func (r *record) removeMember(s *store, user string) (removed bool) {
	if _, is := r.members[user]; !is {
		return false
	}
	delete(r.members, user)
	s.memberOf.remove(user, r.id)
	return true
}

// membersInOrder returns the user IDs in the order in which they were added.
func (r *record) membersInOrder() []string {
	return slices.SortedFunc(maps.Keys(r.members), func(a, b string) int {
		return cmp.Compare(r.members[a], r.members[b])
	})
}

// named returns the IDs of the groups of that displayName. It ignores the case.
func (s *store) named(displayName string) []string {
	return slices.Collect(maps.Keys(s.byName[strings.ToLower(displayName)]))
}

// groupNamed returns the group of that displayName, and creates it if it is missing.
func (s *store) groupNamed(displayName string) *record {
	for _, id := range s.named(displayName) {
		if s.groups.byID[id].text("displayName") == displayName {
			return s.groups.byID[id]
		}
	}
	return s.insert(s.groups, map[string]any{"displayName": displayName}, time.Now())
}

// groupsOf returns the groups that a user is a member of, by name.
func (s *store) groupsOf(user string) []*record {
	groups := make([]*record, 0, len(s.memberOf[user]))
	for id := range s.memberOf[user] {
		groups = append(groups, s.groups.byID[id])
	}
	slices.SortFunc(groups, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.text("displayName"), b.text("displayName")), cmp.Compare(a.seq, b.seq))
	})
	return groups
}

func (s *store) summary(r *record) User {
	u := User{
		ID: r.id, UserName: r.text("userName"), ExternalID: r.text("externalId"),
		DisplayName: r.text("displayName"), Title: r.text("title"), Active: r.attrs["active"] == true,
	}
	for _, group := range s.groupsOf(r.id) {
		u.Groups = append(u.Groups, group.text("displayName"))
	}
	return u
}

// newID makes a random UUID (RFC 9562 section 5.4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
