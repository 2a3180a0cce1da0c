package snapshot_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inUTF16 returns a text in UTF-16 with a byte order mark, as spreadsheets write it.
func inUTF16(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func TestUnicodeTextOfSpreadsheets(t *testing.T) {
	text := strings.ReplaceAll(header, ",", "\t") + "1\temployee\tZoë 😀\tŁuk\t2026-01-05\t\tUTC\t\t\t\t\r\n2\temployee\tBo\tLi\t2026-01-05\t\tUTC\t\t\t\t\r\n"
	want, problems := read(text, mapping)
	require.Empty(t, problems)
	require.Len(t, want, 2)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		rows, problems := read(inUTF16(text, order), mapping)
		require.Empty(t, problems)
		assert.Equal(t, want, rows)

		long := inUTF16(text+strings.Repeat("3\temployee\tÅsa\tLi\t2026-01-05\t\tUTC\t\t\t\t\r\n", 5000), order)
		rows, problems = read(long, mapping)
		assert.Empty(t, problems)
		assert.Len(t, rows, 5002)

		rows, problems = read(long[:len(long)-31], mapping)
		require.NotEmpty(t, problems, "broken off within a character")
		assert.Contains(t, problems[len(problems)-1], "5003: is not whole UTF-16: the file was broken off")
		assert.Len(t, rows, 5001)

		lone := []byte(inUTF16(text, order))
		order.(binary.ByteOrder).PutUint16(lone[len(lone)-60:], 0xD800)
		_, problems = read(string(lone), mapping)
		require.NotEmpty(t, problems)
		assert.Contains(t, problems[len(problems)-1], "is not whole UTF-16")
	}
}
