package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// account is an account in the form of the contract.
type account struct {
	ID           string         `json:"id"`
	Username     string         `json:"username"`
	PersonID     string         `json:"personId,omitempty"`
	Active       bool           `json:"active"`
	Attributes   map[string]any `json:"attributes,omitempty"`
	Entitlements []string       `json:"entitlements,omitempty"`
}

func (a account) number() int {
	n, _ := strconv.Atoi(a.ID)
	return n
}

func (a account) clone() account {
	a.Attributes, a.Entitlements = maps.Clone(a.Attributes), slices.Clone(a.Entitlements)
	return a
}

// store keeps accounts in a file.
type store struct {
	file         string
	entitlements []string

	mu   sync.Mutex
	data struct {
		Last     int                 `json:"last"` // the last ID given: no ID is given twice
		Accounts map[string]*account `json:"accounts"`
	}
}

func openStore(file string, entitlements []string) (*store, error) {
	s := &store{file: file, entitlements: entitlements}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &s.data)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.data.Accounts == nil {
		s.data.Accounts = map[string]*account{}
	}
	return s, nil
}

// save replaces the file, as a whole or not at all.
func (s *store) save() error {
	raw, err := json.Marshal(s.data)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

// all returns every account, sorted by ID.
func (s *store) all() []account {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]account, 0, len(s.data.Accounts))
	for _, a := range s.data.Accounts {
		list = append(list, a.clone())
	}
	slices.SortFunc(list, func(a, b account) int { return cmp.Compare(a.number(), b.number()) })
	return list
}

// with calls do for an existing account.
func (s *store) with(id string, do func(*account) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.data.Accounts[id]
	if !ok {
		return failure("not_found")
	}
	return do(a)
}

// change calls do for an existing account, and saves the change.
func (s *store) change(id string, do func(*account) error) error {
	return s.with(id, func(a *account) error {
		if err := do(a); err != nil {
			return err
		}
		return s.save()
	})
}

// add creates an account, unless one of that name or person exists.
func (s *store) add(a account) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.data.Accounts {
		if strings.EqualFold(other.Username, a.Username) || a.PersonID != "" && other.PersonID == a.PersonID {
			return account{}, failure("exists")
		}
	}
	s.data.Last++
	a.ID = strconv.Itoa(s.data.Last)
	s.data.Accounts[a.ID] = &a
	return a.clone(), s.save()
}

func (s *store) delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.data.Accounts[id]; !ok {
		return failure("not_found")
	}
	delete(s.data.Accounts, id)
	return s.save()
}
