package activedirectory

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// Bits of userAccountControl (MS-ADTS section 2.2.16).
const (
	accountDisable      = 0x0002
	passwordNotRequired = 0x0020
	normalAccount       = 0x0200
)

// anyPerson is the filter for accounts of people that are not protected. If Tenure's account
// may not read the attributes in it, nothing matches.
const anyPerson = "(&(objectCategory=person)(objectClass=user)(userAccountControl:1.2.840.113556.1.4.803:=512)(!(adminCount=1))(!(isCriticalSystemObject=TRUE)))"

// wanted returns the attributes to read of an account.
func (c *client) wanted() []string {
	names := []string{"objectGUID", "objectClass", "sAMAccountName", "userAccountControl", "adminCount", "isCriticalSystemObject", "pwdLastSet", "whenCreated", "lastLogonTimestamp", c.externalID}
	return append(names, slices.Sorted(maps.Keys(c.shapes))...)
}

// get reads an account's entry by its ID.
func (c *client) get(ctx context.Context, op, accountID string) (*directory.Entry, error) {
	if !isGUID(accountID) {
		return nil, failed(op, connector.KindInvalid, "the account ID is no objectGUID: the account was linked by another kind of connector", nil)
	}
	entry, err := c.directory.Get(ctx, op, byGUID(accountID), c.wanted()...)
	if err != nil {
		return nil, refine(err)
	}
	if !slices.Contains(entry.Texts("objectClass"), "user") {
		return nil, failed(op, connector.KindNotFound, "the account ID is not an account's", nil)
	}
	return entry, nil
}

// changeable is get for an account that is about to be changed. It refuses protected ones.
func (c *client) changeable(ctx context.Context, op, accountID string) (*directory.Entry, error) {
	entry, err := c.get(ctx, op, accountID)
	if err != nil {
		return nil, err
	}
	if why := protection(entry); why != "" {
		return nil, failed(op, connector.KindForbidden, "the account "+why+": Tenure does not change it; do this by hand", nil)
	}
	return entry, nil
}

// protection returns why an account must not be changed; empty if it may be.
func protection(entry *directory.Entry) string {
	control, err := controlOf(entry)
	switch {
	case strings.EqualFold(entry.Text("isCriticalSystemObject"), "TRUE"):
		return "is one of Active Directory's own (isCriticalSystemObject)"
	case entry.Text("adminCount") == "1":
		return "is or was an administrator's, protected by AdminSDHolder (adminCount is 1, and stays so until somebody clears it)"
	case slices.Contains(entry.Texts("objectClass"), "computer"):
		return "is a computer's or a service's"
	case err != nil:
		return "does not let us read its userAccountControl"
	case control&normalAccount == 0:
		return "is not a person's (its userAccountControl says so)"
	}
	return ""
}

func controlOf(entry *directory.Entry) (int64, error) {
	return strconv.ParseInt(entry.Text("userAccountControl"), 10, 32)
}

// account returns an entry as a connector.Account.
func (c *client) account(op string, entry *directory.Entry, entitlements []string) (connector.Account, error) {
	id, username := guidText(entry.Text("objectGUID")), entry.Text("sAMAccountName")
	control, err := controlOf(entry)
	if err != nil || id == "" || username == "" {
		return connector.Account{}, failed(op, connector.KindForbidden,
			"the account that we bind as may not read objectGUID, sAMAccountName and userAccountControl of every account: allow it", nil)
	}
	return connector.Account{
		ID: id, Username: username, ExternalID: entry.Text(c.externalID), Active: control&accountDisable == 0,
		Attributes: c.decode(entry), Entitlements: entitlements,
		CreatedAt: entry.Time("whenCreated"), LastUsedAt: timeOf(entry.Text("lastLogonTimestamp")),
	}, nil
}

// maxUsername is how long a person's sAMAccountName may be (MS-SAMR section
// 3.1.1.6; the schema allows more, for groups).
const maxUsername = 20

// checkUsername returns what is wrong with a sAMAccountName. It refuses the characters that
// MS-SAMR section 3.1.1.6 forbids, and the at sign, which separates the parts of a UPN.
func checkUsername(username string) error {
	const forbidden = `"/\[]:|<>+=;?,*@`
	bad := strings.IndexFunc(username, func(r rune) bool { return r < ' ' || strings.ContainsRune(forbidden, r) })
	switch {
	case username == "" || len([]rune(username)) > maxUsername:
		return fmt.Errorf("has %d characters: Active Directory takes 1 to %d (sAMAccountName)", len([]rune(username)), maxUsername)
	case bad >= 0:
		return fmt.Errorf("has a character that Active Directory forbids in it: one of %s or a control character", forbidden)
	case strings.HasSuffix(username, ".") || strings.TrimSpace(username) != username:
		return fmt.Errorf("ends with a full stop, or begins or ends with a space: Active Directory forbids that")
	}
	return nil
}

// guidText returns the text form of an objectGUID, whose first three fields are
// little-endian (MS-DTYP section 2.3.4.2). It is empty if raw is not an objectGUID.
func guidText(raw string) string {
	if len(raw) != 16 {
		return ""
	}
	b := []byte(raw)
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:])
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func isGUID(text string) bool { return guidForm.MatchString(text) }

// byGUID returns a name for an object that requests may use in place of its DN, and that
// stays the same when the object is moved (MS-ADTS section 3.1.1.3.1.2.4).
func byGUID(guid string) string { return "<GUID=" + guid + ">" }
