package scimtest

import (
	"fmt"
	"testing"
	"time"
)

var testTime = time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)

// BenchmarkTenThousandUsers measures what one joiner costs an app of 10,000 users.
func BenchmarkTenThousandUsers(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10_000 {
		s.AddUser(User{UserName: fmt.Sprintf("u%d", i), ExternalID: fmt.Sprint(i), Active: true, Groups: []string{"everyone"}})
	}
	filter, err := parseFilter(`externalId eq "none"`, userType)
	if err != nil {
		b.Fatal(err)
	}
	group := s.store.groupNamed("everyone")
	for i := 0; b.Loop(); i++ {
		s.store.search(s.store.users, filter)
		user := s.store.insert(s.store.users, map[string]any{"userName": fmt.Sprintf("new%d", i)}, testTime)
		group.addMember(s.store, user.id)
		s.store.render(s.store.users, user, "", projection{})
		s.store.remove(s.store.users, user.id)
	}
}
