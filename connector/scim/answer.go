package scim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// answer holds what Tenure reads of an answer that is not a success. It holds nothing that
// could name a person: of the detail, only names of attributes. It is the cause of the
// errors that are made from it.
type answer struct {
	status     int
	scimType   string // RFC 7644 table 9; empty if absent or not from there
	scim       bool   // the body is an RFC 7644 error
	throttled  bool   // it is about a quota, whatever its status
	retryAfter time.Duration
	creating   bool   // the request was to create a resource
	lookup     string // the attribute in the request's filter; empty if there was none
	named      string // the attribute that the detail names; empty if there is none
	missing    bool   // the detail says that this attribute is required
}

func (a *answer) Error() string {
	if a.scimType == "" {
		return fmt.Sprintf("the app answered %d", a.status)
	}
	return fmt.Sprintf("the app answered %d (%s)", a.status, a.scimType)
}

// scimTypes lists the values of RFC 7644 table 9. Tenure repeats no other scimType, since it
// could hold anything.
var scimTypes = []string{
	"invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax",
	"invalidPath", "noTarget", "invalidValue", "invalidVers", "sensitive",
}

func readAnswer(resp *http.Response) *answer {
	a := &answer{status: resp.StatusCode, retryAfter: remote.RetryAfter(resp.Header)}
	var body struct {
		Schemas  []string `json:"schemas"`
		ScimType string   `json:"scimType"`
		Detail   string   `json:"detail"`
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	if err == nil && json.Unmarshal(raw, &body) == nil {
		a.scim = slices.Contains(body.Schemas, errorSchema)
		if slices.Contains(scimTypes, body.ScimType) {
			a.scimType = body.ScimType
		}
		a.named, a.missing = namedIn(body.Detail)
	}
	used, wait := remote.QuotaUsed(resp.Header)
	a.throttled = resp.Header.Get("Retry-After") != "" || aboutQuota(body.ScimType) || used
	if a.retryAfter == 0 {
		a.retryAfter = wait
	}
	return a
}

// aboutQuota reports whether a scimType stands for too many requests. RFC 7644 defines none
// for that, so services make up their own.
func aboutQuota(scimType string) bool {
	lower := strings.ToLower(scimType)
	return slices.ContainsFunc([]string{"toomany", "ratelimit", "quota", "throttl"}, func(part string) bool {
		return strings.Contains(lower, part)
	})
}

// meaning says what a status means for the caller, and what to do about it.
type meaning struct {
	kind   connector.ErrorKind
	advice string
}

var meanings = map[int]meaning{
	400: {connector.KindInvalid, "the app refused the values: check the attribute mappings"},
	401: {connector.KindUnauthorized, "the app refused the token: renew it and check the token setting"},
	403: {connector.KindForbidden, "the token lacks a right: allow it to read and write users and groups"},
	404: {connector.KindNotFound, "the app has no such account"},
	405: {connector.KindUnsupported, "the app does not offer this"},
	408: {connector.KindUnavailable, "the app gave up waiting"},
	409: {connector.KindExists, "the app has one with these values already"}, // if the request was to create a resource: see lostRace
	422: {connector.KindInvalid, "the app refused the values: check the attribute mappings"},
	425: {connector.KindUnavailable, "the app is not ready yet"},
	429: {connector.KindRateLimited, "too many requests: if it goes on, lower the app's rate"},
	501: {connector.KindUnsupported, "the app does not offer this"},
}

func (a *answer) meaning(collection bool) meaning {
	switch {
	case a.lostRace():
		return meaning{connector.KindUnavailable, "it was changed by somebody else meanwhile, again and again"}
	case a.status == http.StatusForbidden && a.throttled:
		return meanings[http.StatusTooManyRequests]
	case a.status == http.StatusNotFound && collection:
		return meaning{connector.KindUnavailable, "nothing is there, or a proxy answers in its place: if it goes on, check that the url setting is the base URL of a SCIM 2.0 service"}
	case a.status == http.StatusBadRequest && a.scimType == "invalidFilter":
		return meaning{connector.KindInvalid, "the app cannot look up by " + cmp.Or(a.lookup, "what it was asked for")}
	case a.scimType == "tooMany" && a.lookup != "":
		return meaning{connector.KindInvalid, "the look-up by " + a.lookup + " finds more than the app is willing to return: have the app's limit raised"}
	case a.scimType == "tooMany":
		return meaning{connector.KindInvalid, "that is more than the app is willing to return or to take at once: lower the pageSize setting, or have the app's limit raised"}
	case a.refusesValues() && a.missing:
		return meaning{connector.KindInvalid, fmt.Sprintf("the app requires the attribute %q: map it in the app's attributes", a.named)}
	case a.refusesValues() && strings.EqualFold(a.named, "userName"):
		return meaning{connector.KindInvalid, `the app refused the attribute "userName": if it takes shorter ones only, say so by person.usernameMaxLength, else change person.username, and give this person another one (tenure person rename)`}
	case a.refusesValues() && a.named != "":
		return meaning{connector.KindInvalid, fmt.Sprintf("the app refused the attribute %q: check its mapping", a.named)}
	case a.status == http.StatusUnsupportedMediaType:
		return meaning{connector.KindInvalid, "the app takes neither application/scim+json nor application/json"}
	case a.status >= 300 && a.status < 400:
		return meaning{connector.KindInvalid, "it sends us elsewhere, where the token must not go: put the final address into the url setting"}
	}
	if m, ok := meanings[a.status]; ok {
		return m
	}
	if a.status >= 500 {
		return meaning{connector.KindUnavailable, "the app has a problem of its own"}
	}
	return meaning{connector.KindInvalid, "the app refused the request"}
}

// refusesValues reports whether the app refused the values that it was sent.
func (a *answer) refusesValues() bool {
	return a.status == http.StatusBadRequest || a.status == http.StatusUnprocessableEntity
}

// asError returns the answer as a *connector.Error. With collection, the request was about
// no single resource, so that a 404 is about the url.
func (a *answer) asError(op string, collection bool) *connector.Error {
	m := a.meaning(collection)
	err := &connector.Error{
		Kind: m.kind, Op: op, Message: a.Error() + ": " + m.advice, Cause: a,
		Passing: m.kind == connector.KindUnavailable && remote.InPassing(a.status),
	}
	if m.kind.Retryable() {
		err.RetryAfter = a.retryAfter
	}
	return err
}

// lostRace reports whether somebody else changed the resource between this request and the
// one before it. A 409 is a uniqueness conflict only if a resource was to be made, or if
// the answer says so (RFC 7644 section 3.12, table 9). Otherwise the version did not match.
func (a *answer) lostRace() bool {
	return a.status == http.StatusPreconditionFailed ||
		a.status == http.StatusConflict && !a.creating && a.scimType != "uniqueness"
}

// answerOf returns the answer that err was made from, or nil.
func answerOf(err error) *answer {
	var a *answer
	errors.As(err, &a)
	return a
}

// attributeWords maps names of attributes in lower case to their spelling. Tenure repeats
// no other word of an error's detail, since it may be somebody's name.
var attributeWords = func() map[string]string {
	words := map[string]string{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(attributes)), []string{
		"userName", "externalId", "active", "name", "password", "addresses", "ims", "photos", "roles", "entitlements",
		"x509Certificates", "familyName", "givenName", "formatted", "middleName", "honorificPrefix", "honorificSuffix",
		"schemas", "members", "groups",
	}) {
		words[strings.ToLower(name)] = name
	}
	return words
}()

var (
	detailWord = regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)?`)
	aboutOne   = regexp.MustCompile(`(?i)\b(attributes?|fields?|property|properties|parameters?|required|mandatory|missing|must|cannot be (empty|blank|null))\b`)
	saysAbsent = regexp.MustCompile(`(?i)\b(required|mandatory|missing|must be (present|provided|given|set|specified)|cannot be (empty|blank|null)|not (provided|present|specified))\b`)
)

// namedIn returns the attribute that an error's detail names, and whether the detail says
// that it is missing. A word such as "name" or "title" counts only if the detail is about an
// attribute.
func namedIn(detail string) (name string, missing bool) {
	plain := ""
	for _, word := range detailWord.FindAllString(detail, -1) {
		known, ok := attributeWords[strings.ToLower(word)]
		if !ok {
			// "emails.value", and "User.emails"
			first, last, _ := strings.Cut(word, ".")
			if known, ok = attributeWords[strings.ToLower(first)]; !ok {
				if known, ok = attributeWords[strings.ToLower(last)]; !ok {
					continue
				}
			}
		}
		if strings.ToLower(known) != known {
			name = known // "userName" is no word of a sentence
			break
		}
		if plain == "" {
			plain = known
		}
	}
	if name == "" && aboutOne.MatchString(detail) {
		name = plain
	}
	return name, name != "" && saysAbsent.MatchString(detail)
}
