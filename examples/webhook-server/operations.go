package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pageSize is how many accounts an answer lists.
const pageSize = 200

// operations holds everything that this service does. Each may be repeated: it succeeds if
// there is nothing to do.
var operations = map[string]func(*store, request) (any, error){
	"check": func(*store, request) (any, error) { return object{"identity": "the example service"}, nil },
	"find":  find,
	"read": func(s *store, ask request) (any, error) {
		var found account
		err := s.with(ask.AccountID, func(a *account) error { found = a.clone(); return nil })
		return object{"account": found}, err
	},
	"list":              list,
	"list_entitlements": listEntitlements,
	"create":            create,
	"adopt":             adopt,
	"update": func(s *store, ask request) (any, error) {
		return object{}, s.change(ask.AccountID, func(a *account) error { a.set(ask.Attributes); return nil })
	},
	"disable": func(s *store, ask request) (any, error) {
		return object{}, s.change(ask.AccountID, func(a *account) error { a.Active = false; return nil })
	},
	"enable": func(s *store, ask request) (any, error) {
		return object{}, s.change(ask.AccountID, func(a *account) error { a.Active = true; return nil })
	},
	"grant": grant,
	"revoke": func(s *store, ask request) (any, error) {
		return object{}, s.change(ask.AccountID, func(a *account) error {
			a.Entitlements = slices.DeleteFunc(a.Entitlements, func(name string) bool { return slices.Contains(ask.Entitlements, name) })
			return nil
		})
	},
	// This service has no sessions. A service that has some ends them here.
	"revoke_sessions": func(s *store, ask request) (any, error) {
		return object{}, s.with(ask.AccountID, func(*account) error { return nil })
	},
	// This service has no data that belongs to people. A service that has some hands it over here.
	"hand_over": func(s *store, ask request) (any, error) {
		return object{}, s.with(ask.AccountID, func(*account) error {
			if _, ok := s.data.Accounts[ask.ToAccountID]; !ok {
				return failure("not_found")
			}
			return nil
		})
	},
	"delete": func(s *store, ask request) (any, error) { return object{}, s.delete(ask.AccountID) },
}

// looks lists the operations that change nothing.
var looks = []string{"check", "find", "read", "list", "list_entitlements"}

func find(s *store, ask request) (any, error) {
	matches, ok := map[string]func(account) bool{
		"external_id": func(a account) bool { return a.PersonID == ask.Value },
		"username":    func(a account) bool { return strings.EqualFold(a.Username, ask.Value) },
		"email":       func(a account) bool { return a.Attributes["email"] == ask.Value },
	}[ask.By]
	if !ok {
		return nil, failure("unsupported")
	}
	return object{"accounts": slices.DeleteFunc(s.all(), func(a account) bool { return !matches(a) })}, nil
}

// list returns one page of accounts. The cursor is the ID of the last account on a page.
func list(s *store, ask request) (any, error) {
	after, err := strconv.Atoi(cmp.Or(ask.Cursor, "0"))
	if err != nil {
		return nil, failure("invalid")
	}
	page := slices.DeleteFunc(s.all(), func(a account) bool { return a.number() <= after })
	if len(page) <= pageSize {
		return object{"accounts": page}, nil
	}
	return object{"accounts": page[:pageSize], "cursor": page[pageSize-1].ID}, nil
}

func listEntitlements(s *store, _ request) (any, error) {
	all := []object{}
	for _, name := range s.entitlements {
		all = append(all, object{"name": name, "kind": "group"})
	}
	return object{"entitlements": all}, nil
}

func create(s *store, ask request) (any, error) {
	wanted := account{Username: ask.Account.Username, PersonID: ask.Account.PersonID, Active: ask.Account.Active}
	if wanted.Username == "" {
		return nil, failure("invalid")
	}
	wanted.set(ask.Account.Attributes)
	made, err := s.add(wanted)
	return object{"account": made}, err
}

func adopt(s *store, ask request) (any, error) {
	return object{}, s.change(ask.AccountID, func(a *account) error {
		if a.PersonID != "" && a.PersonID != ask.PersonID {
			return failure("conflict")
		}
		for _, other := range s.data.Accounts {
			if other.ID != a.ID && other.PersonID == ask.PersonID {
				return failure("exists")
			}
		}
		a.PersonID = ask.PersonID
		return nil
	})
}

// grant grants the entitlements that exist, and names those that do not.
func grant(s *store, ask request) (any, error) {
	unknown := slices.DeleteFunc(slices.Clone(ask.Entitlements), func(name string) bool { return slices.Contains(s.entitlements, name) })
	err := s.change(ask.AccountID, func(a *account) error {
		for _, name := range ask.Entitlements {
			if !slices.Contains(unknown, name) && !slices.Contains(a.Entitlements, name) {
				a.Entitlements = append(a.Entitlements, name)
			}
		}
		slices.Sort(a.Entitlements)
		return nil
	})
	return object{"unknown": append([]string{}, unknown...)}, err
}

// set sets attributes. An empty text or list clears one.
func (a *account) set(attributes map[string]any) {
	a.Attributes = maps.Clone(a.Attributes)
	for name, value := range attributes {
		if list, isList := value.([]any); value == "" || isList && len(list) == 0 {
			delete(a.Attributes, name)
			continue
		}
		if a.Attributes == nil {
			a.Attributes = map[string]any{}
		}
		a.Attributes[name] = value
	}
}
