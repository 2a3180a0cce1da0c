package scheme

import (
	"encoding/hex"
	"net/http"
	"testing"
)

// A verifier takes no request of a stranger, whatever its headers hold, and never panics.
func FuzzVerifyTakesNothingUnsigned(f *testing.F) {
	f.Add("", "", "", []byte(""))
	f.Add(hexOf("x", body+"1793606400"), "1793606400", "id", []byte(body))
	f.Add("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1, v1a,x", "2026-11-02T08:00:00Z", "msg_1", []byte("{}"))
	f.Add("Bearer "+older, "+179360640", "\x00", []byte("a=1"))
	f.Add("sha256=", "99999999999999999999", " ", []byte{0xff})
	f.Fuzz(func(t *testing.T, signature, timestamp, id string, content []byte) {
		for _, name := range Names() {
			v, _ := Lookup(name)
			r := Request{Header: http.Header{}, Body: content}
			if h, ok := v.(HMAC); ok {
				mac := h.sign([]byte(secret), timestamp, id, content)
				if signed := h.signatures(signature); len(signed) == 1 && hex.EncodeToString(signed[0]) == hex.EncodeToString(mac) {
					return // the fuzzer has found the secret
				}
				r.Header.Set(h.Header, signature)
				r.Header.Set(h.Timestamp, timestamp)
				r.Header.Set(h.ID, id)
			} else {
				r.Header.Set("Authorization", signature)
			}
			if v.Verify(r, []string{secret}, now) == Taken {
				t.Fatalf("%s took %q", name, r.Header)
			}
		}
	})
}

// A text that is read as a timestamp means one instant. It is written in ten digits or
// strictly by RFC 3339 (Go's parser accepts an hour of one digit).
func FuzzParseTimestamp(f *testing.F) {
	for _, text := range []string{"1793606400", "0000000000", "-793606400", "2026-11-02T08:00:00Z", "2026-11-02T08:00:00.5+01:00", "noon", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, refusal := parseTimestamp(text)
		if refusal != Taken {
			return
		}
		if len(text) == 10 && unix(at) != trimZeros(text) {
			t.Fatalf("%q was read as %s", text, at)
		}
		if len(text) != 10 && len(text) < len("2006-01-02T3:04:05Z") {
			t.Fatalf("%q was read as %s", text, at)
		}
	})
}

func trimZeros(digits string) string {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}
