package activedirectory

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// unfinished is the userAccountControl of an account that was added and has no password yet:
// it needs none, and is disabled. Enable recognizes it by that.
const unfinished = normalAccount | accountDisable | passwordNotRequired

// Create implements connector.Connector. Active Directory takes passwords only for accounts
// that exist, so it makes two changes. If the second fails, the account is the person's and
// disabled, and Enable finishes it.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	attributes, err := c.newEntry(spec)
	if err != nil {
		return connector.Account{}, err
	}
	dn := directory.Below(directory.RDN("CN", spec.Username), c.createIn)
	if err := c.directory.Add(ctx, connector.OpCreate, dn, attributes); err != nil {
		if taken(err) {
			err = failed(connector.OpCreate, connector.KindExists, "there is an account, or something else, of that username (sAMAccountName, userPrincipalName or cn)", err)
		}
		return connector.Account{}, c.misplaced(connector.OpCreate, err)
	}
	entry, err := c.directory.Get(ctx, connector.OpCreate, dn, c.wanted()...)
	if err != nil {
		return connector.Account{}, refine(err)
	}
	// A new account is in no groups yet.
	account, err := c.account(connector.OpCreate, entry, nil)
	if err != nil {
		return connector.Account{}, err
	}
	account.Active = spec.Active
	return account, c.finish(ctx, connector.OpCreate, entry, spec.Active)
}

// finish gives an unfinished account a password that nobody knows.
func (c *client) finish(ctx context.Context, op string, entry *directory.Entry, active bool) error {
	return c.setControl(ctx, op, entry, func(control int64) int64 {
		control &^= passwordNotRequired
		if active {
			control &^= accountDisable
		}
		return control
	}, directory.Change{How: directory.Replace, Attribute: "unicodePwd", Values: []string{quoted(newPassword())}})
}

func isUnfinished(entry *directory.Entry) bool {
	control, err := controlOf(entry)
	return err == nil && control&unfinished == unfinished && entry.Text("pwdLastSet") == "0"
}

// taken reports whether an account cannot be added because its name is taken.
func taken(err error) bool {
	return directory.Is(err, ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultAttributeOrValueExists) ||
		win32(directory.ResultOf(err), upnNotUnique)
}

func (c *client) newEntry(spec connector.Spec) (map[string][]string, error) {
	if err := checkUsername(spec.Username); err != nil {
		return nil, failed(connector.OpCreate, connector.KindInvalid, "the username "+err.Error()+". Change the policy's username", nil)
	}
	if err := c.checkPersonID(connector.OpCreate, spec.PersonID); err != nil {
		return nil, err
	}
	attributes, err := c.encode(connector.OpCreate, spec.Attributes)
	if err != nil {
		return nil, err
	}
	attributes["objectClass"] = []string{"user"}
	attributes["sAMAccountName"] = []string{spec.Username}
	attributes["userPrincipalName"] = []string{spec.Username + "@" + c.upnSuffix}
	attributes["userAccountControl"] = []string{strconv.Itoa(unfinished)}
	if spec.PersonID != "" {
		attributes[c.externalID] = []string{spec.PersonID}
	}
	return attributes, nil
}

// maxEmployeeID is how long an employeeID may be (MS-ADA1, attribute employeeID).
const maxEmployeeID = 16

// checkPersonID refuses a person ID that is too long for the default external ID.
func (c *client) checkPersonID(op, personID string) error {
	if !strings.EqualFold(c.externalID, defaultExternalID) || len([]rune(personID)) <= maxEmployeeID {
		return nil
	}
	return failed(op, connector.KindInvalid, fmt.Sprintf(
		"the person ID has %d characters, and employeeID takes %d: set externalID to an attribute that takes more, such as employeeNumber",
		len([]rune(personID)), maxEmployeeID), nil)
}

// ResetCredentials implements connector.Connector. It sets a password that nobody knows. With
// NTLM, the old one works for up to an hour more.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	entry, err := c.changeable(ctx, op, accountID)
	if err != nil {
		return err
	}
	reset := directory.Change{How: directory.Replace, Attribute: "unicodePwd", Values: []string{quoted(newPassword())}}
	return refine(c.directory.Modify(ctx, op, byGUID(guidText(entry.Text("objectGUID"))), reset))
}

// newPassword returns a random password (180 bits) with characters of every class that a
// password policy may require. No two letters are adjacent, so that it never contains a part
// of a name, which such policies refuse.
func newPassword() string {
	const (
		letters = "abcdefghijkmnpqrABCDEFGHJKLMNPQR" // 32
		others  = "0123456789!#+-=_"                 // 16
		pairs   = 20
	)
	var first, second [pairs]byte
	_, _ = rand.Read(first[:]) // never fails: see its documentation
	_, _ = rand.Read(second[:])
	password := []byte("a0A-")
	for i := range first {
		password = append(password, letters[first[i]%32], others[second[i]%16])
	}
	return string(password)
}

// quoted returns a password in the form of unicodePwd: in quotation marks, in UTF-16
// (MS-ADTS section 3.1.1.3.1.5.1).
func quoted(password string) string {
	var raw []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		raw = binary.LittleEndian.AppendUint16(raw, unit)
	}
	return string(raw)
}
