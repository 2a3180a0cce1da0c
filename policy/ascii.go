package policy

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters holds the letters that have no decomposition into an ASCII letter and marks, in
// lower case. Cyrillic and Greek are romanised roughly as in passports. A policy that needs a
// national convention, such as "ae" for ä, uses replace() before ascii().
var letters = map[rune]string{
	// Latin
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l",
	'ħ': "h", 'ı': "i", 'ĸ': "k", 'ŋ': "ng", 'ŧ': "t", 'ə': "e",
	// Cyrillic
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t",
	'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y",
	'ь': "", 'э': "e", 'ю': "iu", 'я': "ia", 'є': "ie", 'і': "i", 'ґ': "g", 'ђ': "dj", 'ј': "j",
	'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz", 'ѕ': "dz",
	// Greek
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i",
	'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s",
	'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
	// Punctuation
	'‘': "'", '’': "'", 'ʼ': "'", 'ʻ': "'", '“': `"`, '”': `"`, '‐': "-", '‑': "-", '‒': "-", '–': "-", '—': "-",
}

// ascii returns s in ASCII. It strips marks (é is e, ä is a), transliterates the letters above,
// and leaves out everything else, such as Chinese.
func ascii(s string) string {
	if isASCII(s) {
		return s
	}
	var out strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if r <= unicode.MaxASCII {
			out.WriteRune(r)
			continue
		}
		lower := unicode.ToLower(r)
		latin := letters[lower]
		if r != lower && latin != "" {
			latin = strings.ToUpper(latin[:1]) + latin[1:]
		}
		out.WriteString(latin)
	}
	return out.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > unicode.MaxASCII {
			return false
		}
	}
	return true
}
