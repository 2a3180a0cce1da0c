package scim

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// way is how a membership was seen.
type way uint8

const (
	onUser   way = 1 << iota // the user, read by itself, came with the group
	byFilter                 // the group was found by its member
	byWalk                   // the group, among all groups, showed its member
)

// remembered is how long it counts that a service has shown a membership.
const remembered = 7 * 24 * time.Hour

// lingering is how long an app may show a membership that was taken.
const lingering = 10 * time.Minute

// mostSightings is how many accounts' memberships are remembered.
const mostSightings = 1000

// sightings are the memberships that this process knows of: those that a service showed,
// and those that it says it made. That nothing is found proves only that there is nothing
// while others of them are found in the same way: a service may have lost what it could
// do, or may never have shown a membership at all.
type sightings struct {
	mu sync.Mutex
	of map[string]sighting // by idKey of the account
	at map[way]time.Time   // when one was last shown
	// taken is when which memberships were taken: what an app shows late is expected of
	// nobody.
	taken map[membershipKey]time.Time
}

// membershipKey is an account, by idKey, and a group.
type membershipKey struct{ account, group string }

// sighting is an account, and the groups that it was seen in, or put into, and how.
type sighting struct {
	accountID string
	groups    map[string]way // zero: it was never seen there
}

// saw notes the groups that an account was seen in now, and no others.
func (s *sightings) saw(now time.Time, accountID string, names []string, how way) {
	if len(names) == 0 {
		s.forget(accountID)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[way]time.Time{}
	}
	s.at[how] = now
	seen := sighting{accountID, map[string]way{}}
	for _, name := range names {
		if !s.lingers(now, accountID, name) {
			seen.groups[name] = how
		}
	}
	if len(seen.groups) == 0 {
		delete(s.of, idKey(accountID))
		return
	}
	s.put(seen)
}

// gave notes that an account should be in a group, whether it is shown there or not.
func (s *sightings) gave(accountID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.taken, membershipKey{idKey(accountID), name})
	known := sighting{accountID, map[string]way{name: 0}}
	maps.Copy(known.groups, s.of[idKey(accountID)].groups)
	s.put(known)
}

// put keeps a sighting, in the place of another one where there are too many.
func (s *sightings) put(seen sighting) {
	if s.of == nil {
		s.of = map[string]sighting{}
	}
	key := idKey(seen.accountID)
	if _, known := s.of[key]; !known && len(s.of) >= mostSightings {
		for other := range s.of { // any will do
			delete(s.of, other)
			break
		}
	}
	s.of[key] = seen
}

// took notes that an account is no longer in a group.
func (s *sightings) took(now time.Time, accountID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.taken, func(_ membershipKey, at time.Time) bool { return now.Sub(at) >= lingering })
	if s.taken == nil {
		s.taken = map[membershipKey]time.Time{}
	}
	s.taken[membershipKey{idKey(accountID), name}] = now
	groups := s.of[idKey(accountID)].groups
	delete(groups, name)
	if len(groups) == 0 {
		delete(s.of, idKey(accountID))
	}
}

// wasTaken reports whether a membership was taken, and seen to be gone, a while ago.
func (s *sightings) wasTaken(now time.Time, accountID, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lingers(now, accountID, name)
}

// lingers reports whether the app may still show a membership that was taken.
func (s *sightings) lingers(now time.Time, accountID, name string) bool {
	at, taken := s.taken[membershipKey{idKey(accountID), name}]
	return taken && now.Sub(at) < lingering
}

// forget notes that an account is in no group.
func (s *sightings) forget(accountID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, idKey(accountID))
}

// doubt notes that an account no longer shows its groups in a way in which it did. It is
// expected to be in them all the same.
func (s *sightings) doubt(accountID string, how way) {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := s.of[idKey(accountID)].groups
	for name := range groups {
		groups[name] &^= how
	}
}

// shows reports whether an account was seen in a group.
func (s *sightings) shows(accountID, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[idKey(accountID)].groups[name] != 0
}

// expects reports whether an account should be in some group.
func (s *sightings) expects(accountID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of[idKey(accountID)].groups) > 0
}

// expectsIn reports whether somebody should be in a group.
func (s *sightings) expectsIn(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seen := range s.of {
		if _, ok := seen.groups[name]; ok {
			return true
		}
	}
	return false
}

// any reports whether anybody should be in some group.
func (s *sightings) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of) > 0
}

// allTaken reports whether the service has shown memberships in a way, and all that are
// known of have been taken: that none is shown is how it should be.
func (s *sightings) allTaken(now time.Time, how way) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, shown := s.at[how]
	return shown && len(s.of) == 0 && now.Sub(at) < remembered
}

// witness returns an account other than this one that showed its groups in a way, as
// another look should show.
func (s *sightings) witness(how way, besides string) (accountID string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, seen := range s.of {
		shown := slices.ContainsFunc(slices.Collect(maps.Values(seen.groups)), func(by way) bool { return by&how != 0 })
		if shown && key != idKey(besides) {
			return seen.accountID, true
		}
	}
	return "", false
}

// only keeps the sightings of accounts that all groups were seen to have, by idKey.
func (s *sightings) only(of map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.of, func(key string, _ sighting) bool { return len(of[key]) == 0 })
}
