package scim

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// way is a way in which a service shows a membership.
type way uint8

const (
	onUser   way = 1 << iota // the user, read by itself, came with the group
	byFilter                 // the group was found by its member
	byWalk                   // the group, among all groups, showed its member
)

// remembered is how long a membership that a service has shown proves that it shows them.
const remembered = 7 * 24 * time.Hour

// lingering is how long an app may still show a membership after it was removed.
const lingering = 10 * time.Minute

// mostSightings bounds how many accounts have their memberships remembered.
const mostSightings = 1000

// sightings holds the memberships that this process knows of: those that the service showed,
// and those that it says it made. A look that finds no membership proves that there is none
// only while the same kind of look finds others of these. Otherwise the service may have
// stopped showing memberships, or may never have shown one.
type sightings struct {
	mu sync.Mutex
	of map[string]sighting // by idKey of the account
	at map[way]time.Time   // when one was last shown
	// taken holds when memberships were removed. If the app still shows one of them for a
	// while, that is no reason to expect it later.
	taken map[membershipKey]time.Time
}

// membershipKey is an account, by idKey, and a group.
type membershipKey struct{ account, group string }

// sighting holds the groups that an account was seen in or put into, and how it was seen.
type sighting struct {
	accountID string
	groups    map[string]way // zero: it was never seen there
}

// saw notes the groups that an account is in now; it is in no others.
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

// gave notes that an account should be in a group, even if the app does not show it.
func (s *sightings) gave(accountID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.taken, membershipKey{idKey(accountID), name})
	known := sighting{accountID, map[string]way{name: 0}}
	maps.Copy(known.groups, s.of[idKey(accountID)].groups)
	s.put(known)
}

// put stores a sighting. If there are too many, it replaces another one.
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

// took notes that an account was removed from a group.
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

// wasTaken reports whether a membership was removed lately, and seen to be gone.
func (s *sightings) wasTaken(now time.Time, accountID, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lingers(now, accountID, name)
}

// lingers reports whether the app may still show a membership that was removed.
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

// doubt notes that an account no longer shows its groups in a way in which it did before.
// It is still expected to be in them.
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

// allTaken reports whether the service has shown memberships in a way, and all known ones
// have been removed since. Then it is right that it shows none.
func (s *sightings) allTaken(now time.Time, how way) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, shown := s.at[how]
	return shown && len(s.of) == 0 && now.Sub(at) < remembered
}

// witness returns an account, other than besides, that showed its groups in a way. Another
// look should show them again.
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

// only forgets the accounts that are in no group, by all groups and their members (idKey).
func (s *sightings) only(of map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.of, func(key string, _ sighting) bool { return len(of[key]) == 0 })
}
