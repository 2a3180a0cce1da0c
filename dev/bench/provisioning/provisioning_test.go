package provisioning

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func made(t *testing.T) File {
	t.Helper()
	file, err := Make(Size{People: 50, Moves: 20, Leavers: 10, Seed: 3})
	require.NoError(t, err)
	return file
}

func TestTheSameFlagsMakeTheSameFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, made(t).Write(filepath.Join(dir, name)))
	}
	for _, ending := range []string{".jsonl", ".csv", ".1-hire.csv", ".2-move.csv", ".3-leave.csv"} {
		a, err := os.ReadFile(filepath.Join(dir, "a"+ending))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(dir, "b"+ending))
		require.NoError(t, err)
		assert.Equal(t, string(a), string(b), ending)
		lines := map[string]int{".jsonl": 80, ".csv": 81}[ending]
		if lines == 0 {
			lines = 51
		}
		assert.Equal(t, lines, strings.Count(string(a), "\n"), ending)
	}
	read, err := Read(filepath.Join(dir, "a"))
	require.NoError(t, err)
	assert.Equal(t, made(t), read)
	other, err := Make(Size{People: 50, Moves: 20, Leavers: 10, Seed: 4})
	require.NoError(t, err)
	assert.NotEqual(t, made(t), other)
	for _, size := range []Size{{}, {People: 1, Moves: 2}, {People: 1, Leavers: 2}, {People: 1, Moves: -1}} {
		_, err := Make(size)
		assert.Error(t, err)
	}
}

func TestWhoMovesGetsOtherGroups(t *testing.T) {
	file := made(t)
	assert.Equal(t, Size{People: 50, Moves: 20, Leavers: 10}, file.Size())
	hired := map[string]Line{}
	for _, l := range file.Of(Hire) {
		hired[l.Username] = l
	}
	for _, l := range file.Of(Move) {
		assert.NotEqual(t, hired[l.Username].Groups, l.Groups)
		assert.Subset(t, Groups(), l.Groups)
		assert.NotEqual(t, hired[l.Username].Title, l.Title)
	}
	assert.Len(t, slices.DeleteFunc(file.After(Leave), func(l Line) bool { return l.Active }), 10)
}

// server is a target in memory.
type server struct {
	target
	all map[string]Account
}

func (s server) accounts(context.Context) (map[string]Account, error) { return maps.Clone(s.all), nil }

func (s server) remove(_ context.Context, a Account) error {
	delete(s.all, a.Username)
	return nil
}

// as returns a server that is as a file says.
func as(file File) server {
	s := server{all: map[string]Account{}}
	for _, l := range file.After(Leave) {
		a := Account{Username: l.Username, Active: l.Active, Groups: l.Groups, Values: map[string]string{}}
		for column := range columns {
			a.Values[column] = l.value(column)
		}
		s.all[l.Username] = a
	}
	return s
}

func TestEveryDifferenceIsFound(t *testing.T) {
	file := made(t)
	assert.Empty(t, differs(file, false, false, nil, as(file).all))
	assert.Len(t, differs(file, true, false, nil, as(file).all), 10, "leavers are to be deleted")
	people := file.After(Leave)
	on := people[slices.IndexFunc(people, func(l Line) bool { return l.Active })].Username
	off := people[slices.IndexFunc(people, func(l Line) bool { return !l.Active })].Username
	change := func(who string, change func(a *Account)) []string {
		s := as(file)
		a := s.all[who]
		a.Values = maps.Clone(a.Values)
		change(&a)
		s.all[who] = a
		return differs(file, false, false, nil, s.all)
	}
	assert.Len(t, change(on, func(a *Account) { a.Active = false }), 1)
	assert.Len(t, change(off, func(a *Account) { a.Active = true }), 1)
	assert.Len(t, change(on, func(a *Account) { a.Groups = a.Groups[:1] }), 1)
	assert.Len(t, change(off, func(a *Account) { a.Groups = []string{"bench-staff"} }), 1)
	for column := range columns {
		assert.Len(t, change(on, func(a *Account) { a.Values[column] += "x" }), 1, column)
		assert.Empty(t, change(off, func(a *Account) { a.Values[column] += "x" }), column)
	}
	s := as(file)
	delete(s.all, on)
	assert.Equal(t, []string{on + ": it is not there"}, differs(file, false, false, nil, s.all))
	s = as(file)
	delete(s.all, off)
	assert.Len(t, differs(file, false, false, nil, s.all), 1, "a leaver who is to be off is gone")
}

func TestResetDeletesWhatTheFileMakesOnly(t *testing.T) {
	file := made(t)
	s := as(file)
	s.all["bench"], s.all["bench000051"] = Account{Username: "bench"}, Account{Username: "bench000051"}
	delete(s.all, "bench000001")
	n, err := reset(t.Context(), s, file)
	require.NoError(t, err)
	assert.Equal(t, 49, n)
	assert.ElementsMatch(t, []string{"bench", "bench000051"}, slices.Collect(maps.Keys(s.all)))
}

func TestRequestsHaveKinds(t *testing.T) {
	for path, want := range map[string]string{
		"/scim/v2/Users": "GET /Users", "/scim/v2/Users/12": "GET /Users/ID", "/scim/v2/Groups/a-b": "GET /Groups/ID", "/scim/v2/ServiceProviderConfig": "GET /ServiceProviderConfig",
	} {
		assert.Equal(t, want, kindOf("GET", "/scim/v2", path))
	}
}

// Requests of LDAP are counted as they go through, whatever their length, and nothing of them changes.
func TestRequestsOfLDAPAreCounted(t *testing.T) {
	var sent bytes.Buffer
	sent.Write([]byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00}) // bind
	long := append([]byte{0x02, 0x02, 0x01, 0x00, 0x68, 0x83, 0x01, 0x00, 0x00}, make([]byte, 1<<16)...)   // add
	sent.Write(append([]byte{0x30, 0x83, 0x01, 0x00, 0x09}, long...))
	sent.Write([]byte{0x30, 0x05, 0x02, 0x01, 0x03, 0x42, 0x00}) // unbind
	want := sent.String()
	var got bytes.Buffer
	var count Counter
	require.Error(t, countLDAP(&sent, &got, &count), "the end")
	assert.Equal(t, want, got.String())
	assert.Equal(t, map[string]int{"bind": 1, "add": 1, "unbind": 1}, count.Counts())
	assert.Empty(t, count.Counts(), "they were asked for")
	assert.ErrorContains(t, countLDAP(strings.NewReader("GET / HTTP/1.1\r\n"+strings.Repeat("x", 200)), &got, &count), "no LDAP")
}
