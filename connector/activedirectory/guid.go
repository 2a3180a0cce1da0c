package activedirectory

import (
	"encoding/binary"
	"fmt"
	"regexp"
)

// guidText is the text form of an objectGUID, whose first three fields are
// little-endian (MS-DTYP section 2.3.4.2). It is empty if raw is none.
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

// byGUID names an object as requests may, whatever its DN just now (MS-ADTS
// section 3.1.1.3.1.2.4).
func byGUID(guid string) string { return "<GUID=" + guid + ">" }
