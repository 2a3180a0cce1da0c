package scheme

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	secret = "0123456789abcdef0123456789abcdef"
	older  = "fedcba9876543210fedcba9876543210"
)

var now = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// hexOf returns the signature of a text, computed without the code under test.
func hexOf(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func base64Of(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func request(body string, headers ...string) Request {
	r := Request{Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

const body = `{"employees":[{"id":"7"}]}`

func TestBambooHR(t *testing.T) {
	at := unix(now)
	const signature, timestamp = "X-BambooHR-Signature", "X-BambooHR-Timestamp"
	signed := func(at, body string) Request {
		return request(body, signature, hexOf(secret, body+at), timestamp, at)
	}
	for name, test := range map[string]struct {
		r    Request
		want Refusal
	}{
		"signed":                    {signed(at, body), Taken},
		"upper case":                {request(body, signature, strings.ToUpper(hexOf(secret, body+at)), timestamp, at), Taken},
		"instant":                   {signed("2026-11-02T08:00:00Z", body), Taken},
		"secret before":             {request(body, signature, hexOf(older, body+at), timestamp, at), Taken},
		"last retry":                {signed(unix(now.Add(-155*time.Minute)), body), Taken},
		"replayed":                  {signed(unix(now.Add(-3*time.Hour-time.Second)), body), Stale},
		"from the future":           {signed(unix(now.Add(5*time.Minute+time.Second)), body), Stale},
		"clock a bit ahead":         {signed(unix(now.Add(4*time.Minute)), body), Taken},
		"other secret":              {request(body, signature, hexOf("another secret of some length....", body+at), timestamp, at), Wrong},
		"other body":                {request(body+" ", signature, hexOf(secret, body+at), timestamp, at), Wrong},
		"other timestamp":           {request(body, signature, hexOf(secret, body+at), timestamp, unix(now.Add(-time.Second))), Wrong},
		"timestamp first":           {request(body, signature, hexOf(secret, at+body), timestamp, at), Wrong},
		"separator":                 {request(body, signature, hexOf(secret, body+"."+at), timestamp, at), Wrong},
		"body only":                 {request(body, signature, hexOf(secret, body), timestamp, at), Wrong},
		"no signature":              {request(body, timestamp, at), Missing},
		"empty signature":           {request(body, signature, "", timestamp, at), Missing},
		"no timestamp":              {request(body, signature, hexOf(secret, body)), Missing},
		"no hex":                    {request(body, signature, strings.Repeat("x", 64), timestamp, at), Malformed},
		"short":                     {request(body, signature, hexOf(secret, body+at)[:62], timestamp, at), Malformed},
		"prefix":                    {request(body, signature, "sha256="+hexOf(secret, body+at), timestamp, at), Malformed},
		"two signatures":            {request(body, signature, hexOf(secret, body+at), signature, "x", timestamp, at), Malformed},
		"two timestamps":            {request(body, signature, hexOf(secret, body+at), timestamp, at, timestamp, at), Malformed},
		"milliseconds":              {signed(at+"000", body), Malformed},
		"digit moved to the stamp":  {request(`a=1`, signature, hexOf(secret, `a=17`+at), timestamp, "7"+at), Malformed},
		"digits moved to the body":  {request(body+at[:2], signature, hexOf(secret, body+at), timestamp, at[2:]), Malformed},
		"sign instead of a digit":   {signed("+"+at[1:], body), Malformed},
		"noon":                      {signed("noon", body), Malformed},
		"signed with an empty text": {request(body, signature, hexOf("", body+at), timestamp, at), Wrong},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, BambooHR().Verify(test.r, []string{secret, older}, now))
		})
	}
	assert.Equal(t, []string{"x-bamboohr-timestamp"}, BambooHR().Kept())
	assert.Equal(t, http.StatusServiceUnavailable, BambooHR().Throttled(), "4xx is final for BambooHR")
}

// The specification's own example verifies.
func TestStandardWebhooks(t *testing.T) {
	const (
		id      = "msg_p5jXN8AQM9LWM0D4loKWxJek"
		at      = "1614265330"
		payload = `{"test": 2432232314}`
		whsec   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		want    = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	then := time.Unix(1614265330, 0)
	signed := func(signature string) Request {
		return request(payload, "webhook-id", id, "webhook-timestamp", at, "webhook-signature", signature)
	}
	verify := func(r Request, now time.Time) Refusal { return Standard().Verify(r, []string{whsec}, now) }
	require.Equal(t, Taken, verify(signed(want), then))
	require.Equal(t, Taken, verify(signed("v1,"+base64Of([]byte(secret), "x")+" v1a,whatever "+want), then), "one of several")
	assert.Equal(t, Stale, verify(signed(want), then.Add(5*time.Minute+time.Second)))
	assert.Equal(t, Malformed, verify(signed("v2,"+want[3:]), then))
	assert.Equal(t, Malformed, verify(signed(strings.Repeat("v1,AAAA ", 8)+want), then), "too many")
	assert.Equal(t, Missing, verify(request(payload, "webhook-timestamp", at, "webhook-signature", want), then))
	assert.Equal(t, []string{"webhook-timestamp", "webhook-id"}, Standard().Kept())
	assert.Equal(t, http.StatusTooManyRequests, Standard().Throttled())
}

func TestGenericHMAC(t *testing.T) {
	at := unix(now)
	slack := HMAC{
		Header: "X-Slack-Signature", Prefix: "v0=", Encoding: Hex,
		Timestamp: "X-Slack-Request-Timestamp", Signs: "v0:{timestamp}:{body}", Window: DefaultWindow,
	}
	require.NoError(t, slack.Check())
	require.Equal(t, Taken, slack.Verify(request(body, "X-Slack-Signature", "v0="+hexOf(secret, "v0:"+at+":"+body),
		"X-Slack-Request-Timestamp", at), []string{secret}, now))

	github := HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Encoding: Hex, Signs: "{body}"}
	require.NoError(t, github.Check())
	signed := request(body, "X-Hub-Signature-256", "sha256="+hexOf(secret, body))
	require.Equal(t, Taken, github.Verify(signed, []string{older, secret}, now))
	require.Equal(t, Taken, github.Verify(signed, []string{secret}, now.AddDate(1, 0, 0)), "it does not say when")
	assert.Equal(t, Wrong, github.Verify(signed, nil, now))
	assert.Empty(t, github.Kept())

	plain := HMAC{Header: "Signature", Encoding: Base64, Signs: "{body}"}
	require.Equal(t, Taken, plain.Verify(request(body, "Signature", base64Of([]byte(secret), body)), []string{secret}, now))
}

func TestHMACThatProvesNothingIsRefused(t *testing.T) {
	for want, h := range map[string]HMAC{
		"the header of the signature is missing":     {Encoding: Hex, Signs: "{body}"},
		"there is no encoding":                       {Header: "S", Encoding: "rot13", Signs: "{body}"},
		"must have {body} in it, once":               {Header: "S", Encoding: Hex, Signs: "{timestamp}", Timestamp: "T"},
		`"{body}{body}" must have`:                   {Header: "S", Encoding: Hex, Signs: "{body}{body}"},
		"which header is it in?":                     {Header: "S", Encoding: Hex, Signs: "{timestamp}.{body}"},
		"the timestamp must be signed too":           {Header: "S", Encoding: Hex, Signs: "{body}", Timestamp: "T"},
		"do not go together":                         {Header: "S", Encoding: Hex, Signs: "{id}.{body}"},
		`the header of the ID ("I") do not go toget`: {Header: "S", Encoding: Hex, Signs: "{body}", ID: "I"},
	} {
		assert.ErrorContains(t, h.Check(), want)
	}
	for _, name := range Names() {
		v, ok := Lookup(name)
		require.True(t, ok, name)
		if h, ok := v.(HMAC); ok {
			assert.NoError(t, h.Check(), name)
		}
	}
	_, ok := Lookup("carrier-pigeon")
	assert.False(t, ok)
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]Refusal{
		"Bearer " + secret:       Taken,
		"bearer " + older:        Taken,
		"Bearer " + secret + "0": Wrong,
		"Bearer " + secret[1:]:   Wrong,
		"Bearer  " + secret:      Wrong,
		"Bearer":                 Malformed,
		secret:                   Malformed,
		"Basic " + secret:        Malformed,
		"":                       Missing,
	} {
		assert.Equal(t, want, Bearer{}.Verify(request(body, "Authorization", header), []string{secret, older}, now), header)
	}
	assert.Equal(t, Malformed, Bearer{}.Verify(request(body, "Authorization", "Bearer "), []string{secret}, now))
	assert.Equal(t, Missing, Bearer{}.Verify(request(body), []string{secret}, now))
	twice := request(body, "Authorization", "Bearer "+secret, "Authorization", "Bearer "+secret)
	assert.Equal(t, Malformed, Bearer{}.Verify(twice, []string{secret}, now))
	assert.Equal(t, Wrong, Bearer{}.Verify(request(body, "Authorization", "Bearer x"), nil, now))
	assert.Empty(t, Bearer{}.Kept())
	assert.Equal(t, http.StatusServiceUnavailable, Bearer{}.Throttled())
}

func TestCheckSecret(t *testing.T) {
	assert.NoError(t, CheckSecret(BambooHR(), secret))
	assert.NoError(t, CheckSecret(Standard(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	assert.NoError(t, CheckSecret(Standard(), secret), "not all senders write the prefix")
	assert.ErrorContains(t, CheckSecret(Standard(), "whsec_not base64 at all"), "is not base64 after that")
	assert.ErrorContains(t, CheckSecret(Bearer{}, "short"), "must have 16 characters at least")
	assert.ErrorContains(t, CheckSecret(Bearer{}, secret+"\n"), "ends with a space")
}

// A correctly signed request is taken. A request that differs from it in one bit is not.
func TestSignaturesHoldForOneRequestOnly(t *testing.T) {
	schemes := map[string]HMAC{"bamboohr": BambooHR(), "standard": Standard(), "generic": {
		Header: "S", Prefix: "sha256=", Encoding: Hex, Timestamp: "T", Signs: "{timestamp}.{body}", Window: time.Minute,
	}}
	rapid.Check(t, func(t *rapid.T) {
		h := schemes[rapid.SampledFrom([]string{"bamboohr", "standard", "generic"}).Draw(t, "scheme")]
		content := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "body")
		sent := now.Add(-time.Duration(rapid.IntRange(0, 59).Draw(t, "age")) * time.Second)
		at, id := unix(sent), "msg_1"
		mac := h.sign([]byte(secret), at, id, content)
		written := hex.EncodeToString(mac)
		if h.Encoding == Base64 {
			written = base64.StdEncoding.EncodeToString(mac)
		}
		r := Request{Header: http.Header{}, Body: content}
		r.Header.Set(h.Header, h.Prefix+written)
		r.Header.Set(h.Timestamp, at)
		if h.ID != "" {
			r.Header.Set(h.ID, id)
		}
		if refusal := h.Verify(r, []string{older, secret}, now); refusal != Taken {
			t.Fatalf("refused: %v", refusal)
		}
		forged := Request{Header: r.Header, Body: append([]byte(nil), content...)}
		bit := rapid.IntRange(0, 8*len(content)-1).Draw(t, "bit")
		forged.Body[bit/8] ^= 1 << (bit % 8)
		if h.Verify(forged, []string{older, secret}, now) == Taken {
			t.Fatalf("another body was taken for the same signature")
		}
	})
}
