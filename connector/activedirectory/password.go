package activedirectory

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"unicode/utf16"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// ResetCredentials implements connector.Connector: the password becomes one
// that nobody knows. With NTLM the old one works for up to an hour more.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	entry, err := c.changeable(ctx, op, accountID)
	if err != nil {
		return err
	}
	reset := directory.Change{How: directory.Replace, Attribute: "unicodePwd", Values: []string{quoted(newPassword())}}
	return refine(c.directory.Modify(ctx, op, byGUID(guidText(entry.Text("objectGUID"))), reset))
}

// newPassword is a password that nobody will ever know: 180 bits of chance, of
// every class of character that a password policy may ask for. Letters never stand
// together, so that it does not happen to hold a part of a name, which such
// policies refuse.
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

// quoted is a password as unicodePwd takes it: in quotation marks, in UTF-16
// (MS-ADTS section 3.1.1.3.1.5.1).
func quoted(password string) string {
	var raw []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		raw = binary.LittleEndian.AppendUint16(raw, unit)
	}
	return string(raw)
}
