//go:build real

package deviations

import (
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/targets"
)

// deviation is something that an administrator did past Tenure.
type deviation struct {
	finding string                               // as the ledger has to have it: kind, what, username, whose, state
	plant   func()                               // does it
	makes   func(all map[string]targets.Account) // does the same to what the server showed before, as far as Tenure leaves it
	then    string                               // the state of the finding after the next scan; empty if it has ended
}

// deviations has the administrators of the three servers do sixty things with the servers' own
// tools, of every kind that reconciliation knows, and some that it must not find. One scan of each
// app finds every one and nothing else. In the end each server shows, by its own tools, what was
// there before and what an operator is asked about.
func (f *firm) deviations(t *testing.T) {
	for _, s := range f.sites {
		f.scan(t, s.app)
	}
	require.Empty(t, f.findings(t), "nobody has done anything past Tenure")

	planted, ends := map[string]deviation{}, map[string]map[string]targets.Account{}
	random := mathrand.New(mathrand.NewPCG(60, 0))
	for i, s := range f.sites {
		before := s.Accounts(t)
		pick := f.picker(t, before, random)
		for _, d := range f.planned(t, s, before, newcomersOf(i), pick) {
			name := s.app + ": " + d.finding
			require.NotContains(t, planted, name, "it is planted twice")
			planted[name] = d
			d.plant()
			d.makes(before)
		}
		f.harmless(t, s, before, pick)
		ends[s.app] = before
	}
	require.Len(t, planted, 60)

	begun := time.Now()
	for _, s := range f.sites {
		f.scan(t, s.app)
	}
	found := f.findings(t)
	missed, invented := difference(planted, found)
	assert.Empty(t, missed, "not found")
	assert.Empty(t, invented, "found, although nobody did it")
	t.Logf("three scans took %s", time.Since(begun).Round(time.Second))

	require.NoError(t, f.settle())
	for _, s := range f.sites {
		f.scan(t, s.app) // what was missing once is missing twice
	}
	require.NoError(t, f.settle())
	for _, s := range f.sites {
		assert.Equal(t, ends[s.app], s.Accounts(t), "%s is not as it should be in the end", s.app)
		f.scan(t, s.app)
	}
	stay, repaired := map[string]deviation{}, 0
	for name, d := range planted {
		if d.then == "" {
			repaired++
		} else {
			app, _, _ := strings.Cut(name, ": ")
			stay[app+": "+d.then] = d
		}
	}
	f.asked = f.findings(t)
	missed, invented = difference(stay, f.asked)
	assert.Empty(t, missed, "an operator is not asked any more")
	assert.Empty(t, invented, "found after everything was repaired")
	t.Logf("%d planted, %d found, %d invented, %d repaired, %d asked", len(planted), len(found), len(invented), repaired, len(f.asked))
}

// difference lists what was planted and not found, and what was found and not planted.
func difference(planted map[string]deviation, found []string) (missed, invented []string) {
	for name := range planted {
		if !slices.Contains(found, name) {
			missed = append(missed, name)
		}
	}
	for _, name := range found {
		if _, ok := planted[name]; !ok {
			invented = append(invented, name)
		}
	}
	slices.Sort(missed)
	return missed, invented
}

// reactions says what becomes of a finding by threeApps, where that is not that it is repaired.
var reactions = map[string]map[string]string{
	"openldap":   {"off": "open", "stray": "open", "missing": "pending"}, // until a second scan has shown it
	"postgresql": {"off": "open", "stray": "open", "lacking": "open"},
	"scimmy":     {"off": "open", "attributes": "reported"},
}

// planned lists twenty things that the administrator of a site does past Tenure. People are
// chosen from what the site shows before.
func (f *firm) planned(t *testing.T, s site, before map[string]targets.Account, beyond newcomers, pick picks) (all []deviation) {
	// linked is about an account that is somebody's. change is what Tenure leaves of it if it
	// does not repair that.
	linked := func(kind, what, username string, plant func(), change func(a *targets.Account)) {
		state := reactions[s.app][kind]
		if state == "" {
			state = "repairing"
		}
		d := deviation{
			finding: strings.Join([]string{kind, what, username, before[username].Person, state}, " "), plant: plant, makes: func(map[string]targets.Account) {},
		}
		if state == "open" || state == "reported" {
			d.then, d.makes = d.finding, func(all map[string]targets.Account) {
				a := all[username]
				change(&a)
				all[username] = a
			}
		}
		all = append(all, d)
	}
	for range 2 {
		leaver := pick(func(a targets.Account) bool { return !a.On })
		linked("state", "", leaver, func() { s.Turn(t, leaver, true) }, nil)

		someone := pick(func(a targets.Account) bool { return a.On })
		linked("off", "", someone, func() { s.Turn(t, someone, false) }, func(a *targets.Account) { a.On = false })

		lost := pick(func(a targets.Account) bool { return a.On && len(a.Groups) > 0 })
		linked("missing", "", lost, func() { s.Remove(t, lost) }, nil)

		renamed := pick(func(a targets.Account) bool { return a.On })
		linked("attributes", s.Titled(), renamed, func() { s.Retitle(t, renamed, "Emperor") }, func(a *targets.Account) { a.Title = "Emperor" })

		member := pick(func(a targets.Account) bool { return a.On && len(a.Groups) > 0 })
		group := before[member].Groups[0]
		linked("lacking", f.prefix+group, member, func() { s.Put(t, member, group, false) }, func(a *targets.Account) { a.Groups = append([]string(nil), a.Groups[1:]...) })
	}
	for _, group := range []string{"admins", "admins", "sellers"} {
		other := pick(func(a targets.Account) bool { return a.On && !slices.Contains(a.Groups, group) })
		linked("stray", f.prefix+group, other, func() { s.Put(t, other, group, true) }, func(a *targets.Account) {
			a.Groups = slices.Sorted(slices.Values(append([]string{group}, a.Groups...)))
		})
	}

	// made is about an account that was made by hand: whose says whom it matches.
	made := func(kind, username, person, whose string, on bool, mails ...string) {
		finding := strings.Join([]string{kind, "", username, whose, "open"}, " ")
		all = append(all, deviation{
			finding: finding, then: finding, plant: func() { s.Create(t, username, person, on, mails...) },
			makes: func(all map[string]targets.Account) { all[username] = targets.Account{Person: person, On: on} },
		})
	}
	address := func(person string) string { return "U" + person + "@Example.com" }
	made("orphan", "stranger", "", "", true)
	made("orphan", "sleeper", "nobody-"+s.app, "", false)
	made("unlinked", "made-by-id", beyond.elsewhere[0], beyond.elsewhere[0], true)
	owner := before[pick(func(a targets.Account) bool { return a.On })].Person
	if s.Mails() > 0 {
		made("unlinked", "made-by-mail", "", beyond.elsewhere[1], true, address(beyond.elsewhere[1]))
		made("orphan", "left-by-mail", "", "", true, address(beyond.gone[0])) // of somebody who never worked here while Tenure looked, it knows the ID only
	} else {
		made("unlinked", "u"+beyond.elsewhere[1], "", beyond.elsewhere[1], true)
		made("orphan", "left-by-name", "nobody-else", "", true)
	}
	if s.Mails() > 1 {
		made("disputed", "made-for-two", "", beyond.elsewhere[2]+","+beyond.elsewhere[3], true, address(beyond.elsewhere[2]), address(beyond.elsewhere[3]))
	} else {
		made("disputed", "made-twice", owner, owner, true)
	}
	// The account that carries the ID of somebody who has left is theirs, and is cut off.
	back := beyond.gone[1]
	all = append(all, deviation{
		finding: strings.Join([]string{"orphan", "", "left-by-id", back, "repairing"}, " "),
		plant:   func() { s.Create(t, "left-by-id", back, true) },
		makes:   func(all map[string]targets.Account) { all["left-by-id"] = targets.Account{Person: back} },
	})
	return all
}

// harmless does what must not be found: protected accounts are changed, and values are written
// in another way that counts as the same.
func (f *firm) harmless(t *testing.T, s site, before map[string]targets.Account, pick picks) {
	change := func(username string, f func(a *targets.Account)) {
		a := before[username]
		f(&a)
		before[username] = a
	}
	s.Turn(t, "svc-backup", false)
	change("svc-backup", func(a *targets.Account) { a.On = false })
	s.Put(t, "svc-monitor", "admins", true)
	change("svc-monitor", func(a *targets.Account) { a.Groups = []string{"admins"} })
	for range 2 {
		shouted := pick(func(a targets.Account) bool { return a.On && a.Title != "" })
		title := strings.ToUpper(before[shouted].Title)
		s.Retitle(t, shouted, title)
		change(shouted, func(a *targets.Account) { a.Title = title })
	}
}

// picks picks the username of somebody.
type picks func(fits func(targets.Account) bool) string

// picker returns what picks people who have an account and answer for nothing, each once.
func (f *firm) picker(t *testing.T, before map[string]targets.Account, random *mathrand.Rand) picks {
	var names []string
	for name, a := range before {
		if strings.HasPrefix(name, "u1") && a.Person == name[1:] && !slices.Contains(f.cast.all(), a.Person) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return func(fits func(targets.Account) bool) string {
		i := slices.IndexFunc(names, func(name string) bool { return fits(before[name]) })
		require.GreaterOrEqual(t, i, 0, "the company is too small")
		name := names[i]
		names = slices.Delete(names, i, i+1)
		return name
	}
}
