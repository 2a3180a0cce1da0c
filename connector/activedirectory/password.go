package activedirectory

import (
	"crypto/rand"
	"encoding/binary"
	"unicode/utf16"
)

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
