//go:build real

package ldap_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/ldap"
	"github.com/tenurehq/tenure/internal/directory/directorytest"
	"github.com/tenurehq/tenure/secret"
)

// TestConformanceOfOpenLDAP runs the suite on a database that leaves references
// among entries to its clients, over a proxy that fails in between.
func TestConformanceOfOpenLDAP(t *testing.T) {
	s := openServer(t, "dc=plain")
	between := directorytest.Plain(t, strings.TrimPrefix(s.url, "ldap://"))
	var refused atomic.Bool
	target := s.target(s.settings(connector.Settings{
		"url": "ldap://" + between.Address, "leavers": "ou=leavers,dc=plain",
		"password": secret.New(func() (string, error) {
			if refused.Load() {
				return "another", nil
			}
			return s.password, nil
		}),
	}))
	target.Faults = connectortest.Faults{
		Heal:           func(*testing.T) { between.Heal(); refused.Store(false) },
		FailAfterApply: func(*testing.T) { between.Cut() },
		Unauthorize:    func(*testing.T) { refused.Store(true) },
		Stall:          func(*testing.T) { between.Stall() },
	}
	connectortest.Run(t, target)
}

// TestConformanceOfOpenLDAPThatKeepsReferences runs the suite over LDAPS on a
// database with the memberof and refint overlays.
func TestConformanceOfOpenLDAPThatKeepsReferences(t *testing.T) {
	s := openServer(t, "dc=whole")
	connectortest.Run(t, s.target(s.settings(connector.Settings{
		"url": fromEnv(t, "TENURE_REAL_LDAPS_URL"), "ca": fromEnv(t, "TENURE_REAL_LDAP_CA"), "leavers": "ou=leavers,dc=whole",
	})))
}

// TestConformanceOfOtherLayouts runs the suite over StartTLS on groups of other
// classes, entries named by cn, and accounts disabled by an ordinary attribute.
func TestConformanceOfOtherLayouts(t *testing.T) {
	s := openServer(t, "dc=plain")
	startTLS := connector.Settings{
		"url": strings.Replace(s.url, "127.0.0.1", "localhost", 1), "startTLS": true, "ca": fromEnv(t, "TENURE_REAL_LDAP_CA"),
	}
	t.Run("unique names", func(t *testing.T) {
		settings := s.settings(startTLS)
		settings["rdn"], settings["groupClass"], settings["placeholder"] = "cn", "groupOfUniqueNames", "cn=tenure,dc=plain"
		target := s.target(settings)
		target.Entitlements = [2]string{"unique-staff", "unique-engineers"}
		target.Rename = func(t *testing.T, account connector.Account, username string) {
			modify := goldap.NewModifyRequest(s.dn(t, account.ID), nil)
			modify.Replace("uid", []string{username})
			require.NoError(t, s.admin.Modify(modify))
		}
		connectortest.Run(t, target)
	})
	t.Run("POSIX", func(t *testing.T) {
		settings := s.settings(startTLS)
		settings["groupClass"], settings["disableAttribute"] = "posixGroup", "employeeType"
		settings["disabledValue"], settings["enabledValue"] = "left", "here"
		target := s.target(settings)
		target.Entitlements = [2]string{"posix-staff", "posix-engineers"}
		connectortest.Run(t, target)
	})
	t.Run("no groups", func(t *testing.T) {
		settings := s.settings(startTLS)
		delete(settings, "groups")
		target := s.target(settings)
		target.Capabilities.Entitlements, target.Capabilities.ListEntitlements = false, false
		connectortest.Run(t, target)
	})
}

// TestBinds checks with ldapwhoami that a disabled person cannot bind and an enabled one
// can, wherever the entry is.
func TestBinds(t *testing.T) {
	for _, suffix := range []string{"dc=plain", "dc=whole"} {
		t.Run(suffix, func(t *testing.T) {
			s := openServer(t, suffix)
			c := s.target(s.settings(connector.Settings{"leavers": "ou=leavers," + suffix})).Open(t)
			defer c.Close()
			made, err := c.Create(t.Context(), connector.Spec{PersonID: "binds-" + suffix, Username: "søren, jr.", Active: true})
			require.NoError(t, err)
			const password = "a password of søren's"
			binds := func() bool {
				out, err := s.tool(t, "ldapwhoami", "-D", s.dn(t, made.ID), "-w", password)
				return err == nil && strings.HasPrefix(out, "dn:")
			}
			setPassword := func() {
				_, err := s.admin.PasswordModify(goldap.NewPasswordModifyRequest(s.dn(t, made.ID), "", password))
				require.NoError(t, err)
			}
			used := func() time.Time {
				account, err := c.Read(t.Context(), made.ID)
				require.NoError(t, err)
				return account.LastUsedAt
			}
			assert.False(t, binds(), "a new account has no password")
			assert.Zero(t, used(), "nobody has used it")
			setPassword()
			require.True(t, binds())
			assert.WithinDuration(t, time.Now(), used(), time.Minute, "pwdLastSuccess, which the server keeps")

			require.NoError(t, c.Disable(t.Context(), made.ID))
			assert.False(t, binds(), "disabled")
			assert.Contains(t, s.dn(t, made.ID), ",ou=leavers,")
			require.NoError(t, c.Enable(t.Context(), made.ID))
			assert.True(t, binds(), "enabled again")
			assert.Contains(t, s.dn(t, made.ID), ",ou=people,")

			require.NoError(t, c.Disable(t.Context(), made.ID))
			setPassword() // the server unlocks an account when an administrator sets its password
			account, err := c.Read(t.Context(), made.ID)
			require.NoError(t, err)
			assert.Equal(t, binds(), account.Active, "what is shown is what is so")
			require.NoError(t, c.Disable(t.Context(), made.ID))
			assert.False(t, binds())
			require.NoError(t, c.Delete(t.Context(), made.ID))
		})
	}
}

// TestMembershipsFollow checks with ldapsearch the members of groups when accounts are
// moved, renamed and deleted, and when a move was broken off.
func TestMembershipsFollow(t *testing.T) {
	for _, suffix := range []string{"dc=plain", "dc=whole"} {
		t.Run(suffix, func(t *testing.T) { membershipsFollow(t, openServer(t, suffix), nil, false) })
	}
}

// onlyFor389 holds the settings that 389 Directory Server needs.
var onlyFor389 = connector.Settings{"disableAttribute": "nsAccountLock", "disabledValue": "true"}

// The Referential Integrity plug-in refuses to rename an entry whose new name is already a
// member of a group.
func TestMembershipsFollowOn389DirectoryServer(t *testing.T) {
	membershipsFollow(t, open389(t), onlyFor389, true)
}

func TestConformanceOf389DirectoryServer(t *testing.T) {
	s := open389(t)
	set := connector.Settings{"leavers": "ou=leavers,dc=example"}
	maps.Copy(set, onlyFor389)
	connectortest.Run(t, s.target(s.settings(set)))
}

func TestWhatBrokeOffOn389DirectoryServerIsUnfinished(t *testing.T) {
	whatBrokeOff(t, open389(t), onlyFor389)
}

// TestBrokenMovesAreEnded leaves memberships under the old DN of an entry that holds a note
// of it: the next change of the account moves them to the new DN.
func TestBrokenMovesAreEnded(t *testing.T) {
	s := openServer(t, "dc=plain")
	c := s.target(s.settings(nil)).Open(t)
	defer c.Close()
	for name, change := range map[string]func(c connector.Connector, id string) error{
		"grant": func(c connector.Connector, id string) error {
			return c.Grant(t.Context(), id, []string{"engineers"})
		},
		"revoke": func(c connector.Connector, id string) error {
			return c.Revoke(t.Context(), id, []string{"engineers"})
		},
		"update": func(c connector.Connector, id string) error {
			return c.Update(t.Context(), id, map[string]any{"title": "Head"})
		},
		"off":    func(c connector.Connector, id string) error { return c.Disable(t.Context(), id) },
		"delete": func(c connector.Connector, id string) error { return c.Delete(t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			made, err := c.Create(t.Context(), connector.Spec{PersonID: "ended-" + name, Username: "ended-" + name, Active: true})
			require.NoError(t, err)
			require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
			old := s.dn(t, made.ID)
			note := goldap.NewModifyRequest(old, nil)
			note.Add("labeledURI", []string{"https://example.com her own", s.note(made.ID, old)})
			require.NoError(t, s.admin.Modify(note))
			require.NoError(t, s.admin.ModifyDN(goldap.NewModifyDNRequest(old, "uid=moved-"+name, true, "ou=leavers,dc=plain")))
			defer func() { _ = s.admin.Del(goldap.NewDelRequest("uid=moved-"+name+",ou=leavers,dc=plain", nil)) }()
			people := s.target(s.settings(connector.Settings{"people": "dc=plain"})).Open(t)
			defer people.Close()
			require.NoError(t, change(people, made.ID))
			members := s.membersOf(t, "staff")
			assert.NotContains(t, members, old)
			if name == "delete" {
				assert.NotContains(t, members, "uid=moved-"+name+",ou=leavers,dc=plain")
				return
			}
			assert.Contains(t, members, "uid=moved-"+name+",ou=leavers,dc=plain")
			account, err := people.Read(t.Context(), made.ID)
			require.NoError(t, err)
			assert.Equal(t, "https://example.com her own", account.Attributes["labeledURI"])
		})
	}
}

// note returns the note that Tenure writes into an entry before it moves it.
func (s server) note(accountID, dn string) string {
	seal := hmac.New(sha256.New, []byte(s.password))
	seal.Write([]byte("tenure/moved/" + accountID + "/" + dn))
	return "ldap:///" + url.PathEscape(dn) + " Tenure moved the entry from here, and its memberships are to follow: " + hex.EncodeToString(seal.Sum(nil))
}

// TestAForgedNoteGivesNothing has somebody write a note into their own entry. It names a DN
// that is a member of a group, and that no entry has.
func TestAForgedNoteGivesNothing(t *testing.T) {
	s := openServer(t, "dc=plain")
	c := s.target(s.settings(nil)).Open(t)
	defer c.Close()
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "forger", Username: "forger", Active: true})
	require.NoError(t, err)
	gone := "uid=gone-admin,ou=people,dc=plain"
	left := goldap.NewModifyRequest("cn=staff,ou=groups,dc=plain", nil)
	left.Add("member", []string{gone})
	require.NoError(t, s.admin.Modify(left))
	defer func() {
		taken := goldap.NewModifyRequest("cn=staff,ou=groups,dc=plain", nil)
		taken.Delete("member", []string{gone})
		require.NoError(t, s.admin.Modify(taken))
	}()
	for name, note := range map[string]string{
		"without a seal":     strings.TrimSuffix(s.note(made.ID, gone), s.note(made.ID, gone)[strings.LastIndex(s.note(made.ID, gone), " "):]),
		"of somebody else's": s.note("another", gone),
		"of somewhere else":  strings.Replace(s.note(made.ID, "uid=x,ou=people,dc=plain"), url.PathEscape("uid=x,ou=people,dc=plain"), url.PathEscape(gone), 1),
	} {
		t.Run(name, func(t *testing.T) {
			forged := goldap.NewModifyRequest(s.dn(t, made.ID), nil)
			forged.Replace("labeledURI", []string{note})
			require.NoError(t, s.admin.Modify(forged))
			require.NoError(t, c.Grant(t.Context(), made.ID, []string{"engineers"}))
			require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"engineers"}))
			members := s.membersOf(t, "staff")
			assert.Contains(t, members, gone)
			assert.NotContains(t, members, s.dn(t, made.ID))
		})
	}
	require.NoError(t, c.Delete(t.Context(), made.ID))
}

// membershipsFollow tests one server. mayBeEmpty is set if its groups can be empty.
func membershipsFollow(t *testing.T, s server, more connector.Settings, mayBeEmpty bool) {
	suffix := s.suffix
	set := connector.Settings{"leavers": "ou=leavers," + suffix, "rdn": "cn"}
	maps.Copy(set, more)
	c := s.target(s.settings(set)).Open(t)
	defer c.Close()
	const group = "foxes"
	itself := "cn=" + group + ",ou=groups," + suffix
	nobody := []string{itself}
	if mayBeEmpty {
		nobody = nil
	}
	empty := goldap.NewAddRequest(itself, nil)
	empty.Attribute("objectClass", []string{"groupOfNames"})
	empty.Attribute("member", []string{itself})
	require.NoError(t, s.admin.Add(empty))
	defer func() { require.NoError(t, s.admin.Del(goldap.NewDelRequest(itself, nil))) }()
	create := func(person, name string) connector.Account {
		made, err := c.Create(t.Context(), connector.Spec{
			PersonID: person, Username: person, Active: true, Attributes: map[string]any{"cn": name},
		})
		require.NoError(t, err)
		return made
	}
	one := create("follow-1", "Kim Fox")
	require.NoError(t, c.Grant(t.Context(), one.ID, []string{group}))
	modify := goldap.NewModifyRequest(itself, nil)
	modify.Delete("member", []string{itself})
	require.NoError(t, s.admin.Modify(modify), "so that there is nobody else")
	assert.Equal(t, lower("cn=Kim Fox,ou=people,"+suffix), lower(s.membersOf(t, group)...))

	two := create("follow-2", "Kim Fox")
	assert.Equal(t, "cn=Kim Fox+uid=follow-2,ou=people,"+suffix, s.dn(t, two.ID), "a second of that name")
	require.NoError(t, c.Update(t.Context(), one.ID, map[string]any{"cn": "Kim Wolf", "title": "Head"}))
	assert.Equal(t, lower("cn=Kim Wolf,ou=people,"+suffix), lower(s.membersOf(t, group)...), "renamed")
	require.NoError(t, c.Disable(t.Context(), one.ID))
	assert.Equal(t, lower("cn=Kim Wolf,ou=leavers,"+suffix), lower(s.membersOf(t, group)...), "moved")

	// Broken off after the move, before the old membership ended.
	modify = goldap.NewModifyRequest(itself, nil)
	modify.Add("member", []string{"cn=Kim Wolf,ou=people," + suffix})
	require.NoError(t, s.admin.Modify(modify))
	require.NoError(t, c.Disable(t.Context(), one.ID))
	assert.Equal(t, lower("cn=Kim Wolf,ou=leavers,"+suffix), lower(s.membersOf(t, group)...), "settled")

	// Another leaver of the same name must get neither the first one's DN nor the groups.
	require.NoError(t, c.Update(t.Context(), two.ID, map[string]any{"cn": "Kim Wolf"}))
	require.NoError(t, c.Disable(t.Context(), two.ID))
	assert.Equal(t, "cn=Kim Wolf+uid=follow-2,ou=leavers,"+suffix, s.dn(t, two.ID))
	require.NoError(t, c.Update(t.Context(), two.ID, map[string]any{"cn": "Kim Lynx"}))
	assert.Equal(t, "cn=Kim Lynx+uid=follow-2,ou=leavers,"+suffix, s.dn(t, two.ID))
	four := create("follow-4", "Kim Wolf")
	require.NoError(t, c.Enable(t.Context(), one.ID))
	assert.Equal(t, "cn=Kim Wolf+uid=follow-1,ou=people,"+suffix, s.dn(t, one.ID))
	account, err := c.Read(t.Context(), four.ID)
	require.NoError(t, err)
	assert.Empty(t, account.Entitlements, "the first one's")
	require.NoError(t, c.Delete(t.Context(), four.ID))
	assert.Equal(t, lower("cn=Kim Wolf+uid=follow-1,ou=people,"+suffix), lower(s.membersOf(t, group)...), "moved back")
	require.NoError(t, c.Delete(t.Context(), one.ID))
	assert.Equal(t, lower(nobody...), lower(s.membersOf(t, group)...), "deleted, and it was the last member")

	// Somebody deleted an account by hand and left its membership behind.
	modify = goldap.NewModifyRequest(itself, nil)
	modify.Add("member", []string{"cn=Kim Wolf,ou=people," + suffix})
	require.NoError(t, s.admin.Modify(modify))
	three := create("follow-3", "Kim Wolf")
	assert.Empty(t, three.Entitlements)
	assert.Equal(t, lower(nobody...), lower(s.membersOf(t, group)...), "the next of that name inherits nothing")
	for _, account := range []connector.Account{two, three} {
		require.NoError(t, c.Delete(t.Context(), account.ID))
	}
}

// TestWhatBrokeOffIsUnfinished breaks Disable off before each of its requests in turn. The
// error is unfinished, even if the account shows as disabled by then. The next call finishes
// it, and no group still holds the old DN.
func TestWhatBrokeOffIsUnfinished(t *testing.T) {
	for _, suffix := range []string{"dc=plain", "dc=whole"} {
		t.Run(suffix, func(t *testing.T) { whatBrokeOff(t, openServer(t, suffix), nil) })
	}
}

func whatBrokeOff(t *testing.T, s server, more connector.Settings) {
	suffix := s.suffix
	set := connector.Settings{"leavers": "ou=leavers," + suffix}
	maps.Copy(set, more)
	left := 0 // requests until one fails
	c, err := ldap.Kind.Open(t.Context(), connector.Env{App: "directory", Pace: func(context.Context) error {
		if left--; left == 0 {
			return errors.New("broken off")
		}
		return nil
	}}, s.settings(set))
	require.NoError(t, err)
	defer c.Close()
	seen := map[bool]bool{} // by whether the account was disabled when it broke off
	for n := 1; ; n++ {
		require.Less(t, n, 20)
		person := fmt.Sprintf("broken-%d", n)
		made, err := c.Create(t.Context(), connector.Spec{PersonID: person, Username: person, Active: true})
		require.NoError(t, err)
		require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
		left = n
		err = c.Disable(t.Context(), made.ID)
		left = 0
		account, unread := c.Read(t.Context(), made.ID)
		require.NoError(t, unread)
		if err != nil {
			seen[!account.Active] = true
			var failed *connector.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, connector.KindUnavailable, failed.Kind)
			assert.True(t, failed.Unfinished, "before request %d", n)
			require.NoError(t, c.Disable(t.Context(), made.ID))
		}
		members := s.membersOf(t, "staff")
		assert.NotContains(t, members, "uid="+person+",ou=people,"+suffix, "before request %d", n)
		assert.Contains(t, members, "uid="+person+",ou=leavers,"+suffix, "before request %d", n)
		require.NoError(t, c.Delete(t.Context(), made.ID))
		if err == nil {
			break
		}
	}
	assert.Equal(t, map[bool]bool{false: true, true: true}, seen)
}

// TestResetCredentials checks by binding that the old password no longer works, and that a
// reset does not enable a disabled account.
func TestResetCredentials(t *testing.T) {
	s := openServer(t, "dc=plain")
	weak := s.target(s.settings(nil)).Open(t)
	defer weak.Close()
	c := s.target(s.settings(connector.Settings{"bindDN": s.adminDN})).Open(t)
	defer c.Close()
	before := time.Now().Add(-time.Minute)
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "reset-1", Username: "reset-1", Active: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Delete(t.Context(), made.ID)) }()
	assert.WithinRange(t, made.CreatedAt, before, time.Now().Add(time.Minute))
	dn := s.dn(t, made.ID)
	known := goldap.NewModifyRequest(dn, nil)
	known.Replace("userPassword", []string{"Known-1234"})
	require.NoError(t, s.admin.Modify(known))
	binds := func() error {
		_, err := s.tool(t, "ldapwhoami", "-D", dn, "-w", "Known-1234")
		return err
	}
	require.NoError(t, binds())
	require.NoError(t, connector.Reset(t.Context(), weak, made.ID), "who may not write passwords")
	require.NoError(t, binds())
	require.NoError(t, c.ResetCredentials(t.Context(), made.ID))
	require.Error(t, binds())

	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.ResetCredentials(t.Context(), made.ID))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, account.Active)
}

// Usernames are unique among all people, although the server keeps only DNs unique.
func TestUsernamesAreUnique(t *testing.T) {
	s := openServer(t, "dc=plain")
	c := s.target(s.settings(connector.Settings{"leavers": "ou=leavers,dc=plain"})).Open(t)
	defer c.Close()
	spec := connector.Spec{PersonID: "unique-1", Username: "unique", Active: true}
	made, err := c.Create(t.Context(), spec)
	require.NoError(t, err)
	require.NoError(t, c.Disable(t.Context(), made.ID))
	for _, again := range []connector.Spec{{PersonID: "unique-2", Username: "unique"}, {PersonID: "unique-1", Username: "unique-2"}} {
		_, err := c.Create(t.Context(), again)
		var failed *connector.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, connector.KindExists, failed.Kind)
	}
	require.NoError(t, c.Delete(t.Context(), made.ID))
}

// TestProbeSaysWhatIsMissing binds as an account that may only read.
func TestProbeSaysWhatIsMissing(t *testing.T) {
	s := openServer(t, "dc=plain")
	full := s.target(s.settings(nil)).Open(t)
	defer full.Close()
	made, err := full.Create(t.Context(), connector.Spec{PersonID: "reader", Username: "reader", Active: true})
	require.NoError(t, err)
	defer func() { assert.NoError(t, full.Delete(t.Context(), made.ID)) }()
	_, err = s.admin.PasswordModify(goldap.NewPasswordModifyRequest(s.dn(t, made.ID), "", s.password))
	require.NoError(t, err)

	c := s.target(s.settings(connector.Settings{"bindDN": s.dn(t, made.ID), "leavers": "ou=nowhere,dc=plain"})).Open(t)
	defer c.Close()
	problems := map[string]string{}
	for _, finding := range c.Probe(t.Context()) {
		problems[finding.What] = finding.Problem
	}
	for _, what := range []string{"may write accounts' description", "may write accounts' pwdAccountLockedTime", "may search groups and write their members"} {
		assert.Contains(t, problems[what], "lacks a right", what)
	}
	assert.Empty(t, problems["may search accounts"])
	assert.NotEmpty(t, problems["may read the DN of setting leavers"])
	err = c.Update(t.Context(), made.ID, map[string]any{"title": "Head"})
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindForbidden, failed.Kind)
}
