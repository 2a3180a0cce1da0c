package scimtest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// before is the user that each PATCH changes.
const before = `{"userName":"anna","active":true,"title":"Engineer","name":{"givenName":"Anna","familyName":"Smith"},
	"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"}]}`

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	return o
}

// patchUser applies operations, a JSON list, to before.
func patchUser(t *testing.T, operations string) (map[string]any, error) {
	t.Helper()
	var list []operation
	require.NoError(t, json.Unmarshal([]byte(operations), &list))
	s := newStore()
	r := s.insert(s.users, object(t, before), testTime)
	attrs, _, err := s.patched(s.users, r, list)
	assert.Equal(t, object(t, before), r.attrs, "the resource itself is left alone")
	return attrs, err
}

func TestPatch(t *testing.T) {
	const ext = `"` + enterpriseSchema + `"`
	for name, test := range map[string]struct{ operations, change string }{
		"replace":                           {`[{"op":"replace","path":"title","value":"Lead"}]`, `{"title":"Lead"}`},
		"replace with path in another case": {`[{"op":"replace","path":"TITLE","value":"Lead"}]`, `{"title":"Lead"}`},
		"replace with schema":               {`[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"Lead"}]`, `{"title":"Lead"}`},
		"replace what is not there":         {`[{"op":"replace","path":"nickName","value":"A"}]`, `{"nickName":"A"}`},
		"replace a part":                    {`[{"op":"replace","path":"name.givenName","value":"Ann"}]`, `{"name":{"givenName":"Ann","familyName":"Smith"}}`},
		"replace an object merges":          {`[{"op":"replace","path":"name","value":{"givenName":"Ann"}}]`, `{"name":{"givenName":"Ann","familyName":"Smith"}}`},
		"replace a list":                    {`[{"op":"replace","path":"emails","value":[{"value":"n@x"}]}]`, `{"emails":[{"value":"n@x"}]}`},
		"replace a list by one":             {`[{"op":"replace","path":"emails","value":{"value":"n@x"}}]`, `{"emails":[{"value":"n@x"}]}`},
		"replace a list by none":            {`[{"op":"replace","path":"emails","value":[]}]`, `{"emails":null}`},
		"replace in one value":              {`[{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@x"}]`, `{"emails":[{"value":"n@x","type":"work","primary":true},{"value":"h@x","type":"home"}]}`},
		"replace in every value":            {`[{"op":"replace","path":"emails.display","value":"d"}]`, `{"emails":[{"value":"w@x","type":"work","primary":true,"display":"d"},{"value":"h@x","type":"home","display":"d"}]}`},
		"replace one value":                 {`[{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x","display":"N"}}]`, `{"emails":[{"value":"w@x","type":"work","primary":true},{"value":"n@x","type":"home","display":"N"}]}`},
		"one primary only":                  {`[{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}]`, `{"emails":[{"value":"w@x","type":"work"},{"value":"h@x","type":"home","primary":true}]}`},
		"replace without path":              {`[{"op":"replace","value":{"title":"Lead","active":false,"name":{"givenName":"Ann"}}}]`, `{"title":"Lead","active":false,"name":{"givenName":"Ann","familyName":"Smith"}}`},
		"add without path":                  {`[{"op":"add","value":{"emails":[{"value":"n@x","primary":true}]}}]`, `{"emails":[{"value":"w@x","type":"work"},{"value":"h@x","type":"home"},{"value":"n@x","primary":true}]}`},
		"add to a list":                     {`[{"op":"add","path":"emails","value":[{"value":"n@x"}]}]`, `{"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"n@x"}]}`},
		"add what is there":                 {`[{"op":"add","path":"emails","value":[{"value":"h@x","type":"home"}]}]`, `{}`},
		"add to one value":                  {`[{"op":"add","path":"emails[type eq \"home\"].display","value":"d"}]`, `{"emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home","display":"d"}]}`},
		"remove":                            {`[{"op":"remove","path":"title"}]`, `{"title":null}`},
		"remove what is not there":          {`[{"op":"remove","path":"nickName"}]`, `{}`},
		"remove a part":                     {`[{"op":"remove","path":"name.familyName"}]`, `{"name":{"givenName":"Anna"}}`},
		"remove the last part":              {`[{"op":"remove","path":"name.familyName"},{"op":"remove","path":"name.givenName"}]`, `{"name":null}`},
		"remove one value":                  {`[{"op":"remove","path":"emails[type eq \"work\" and value co \"w\"]"}]`, `{"emails":[{"value":"h@x","type":"home"}]}`},
		"remove in one value":               {`[{"op":"remove","path":"emails[type eq \"work\"].primary"}]`, `{"emails":[{"value":"w@x","type":"work"},{"value":"h@x","type":"home"}]}`},
		"extension":                         {`[{"op":"replace","path":"` + enterpriseSchema + `:department","value":"D"}]`, `{` + ext + `:{"department":"D"}}`},
		"extension, deeper":                 {`[{"op":"replace","path":"` + enterpriseSchema + `:manager.value","value":"m"}]`, `{` + ext + `:{"manager":{"value":"m"}}}`},
		"extension without path":            {`[{"op":"add","value":{` + ext + `:{"department":"D"}}}]`, `{` + ext + `:{"department":"D"}}`},
		"extension, removed":                {`[{"op":"add","path":"` + enterpriseSchema + `:division","value":"D"},{"op":"remove","path":"` + enterpriseSchema + `:division"}]`, `{}`},
		"extension as a whole":              {`[{"op":"replace","path":"` + enterpriseSchema + `","value":{"division":"D"}}]`, `{` + ext + `:{"division":"D"}}`},
		"several":                           {`[{"op":"remove","path":"title"},{"op":"add","path":"title","value":"Lead"},{"op":"replace","path":"active","value":false}]`, `{"title":"Lead","active":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			want := object(t, before)
			for attr, value := range object(t, test.change) {
				want[attr] = value
				if value == nil {
					delete(want, attr)
				}
			}
			got, err := patchUser(t, test.operations)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	for operations, scimType := range map[string]string{
		`[{"op":"Replace","path":"title","value":"x"}]`:                                  "invalidSyntax",
		`[{"op":"move","path":"title","value":"x"}]`:                                     "invalidSyntax",
		`[{"op":"replace","path":"active","value":"False"}]`:                             "invalidValue",
		`[{"op":"replace","path":"active","value":0}]`:                                   "invalidValue",
		`[{"op":"replace","path":"title","value":7}]`:                                    "invalidValue",
		`[{"op":"replace","path":"name","value":"Anna"}]`:                                "invalidValue",
		`[{"op":"replace","path":"emails","value":["a@x"]}]`:                             "invalidValue",
		`[{"op":"replace","path":"emails","value":[{"primary":true},{"primary":true}]}]`: "invalidValue",
		`[{"op":"replace","path":"title"}]`:                                              "invalidValue",
		`[{"op":"replace","value":"x"}]`:                                                 "invalidValue",
		`[{"op":"replace","path":"nothing","value":"x"}]`:                                "invalidPath",
		`[{"op":"replace","path":"name.nothing","value":"x"}]`:                           "invalidPath",
		`[{"op":"replace","path":"urn:x:title","value":"x"}]`:                            "invalidPath",
		`[{"op":"replace","path":"title[value eq \"x\"]","value":"x"}]`:                  "invalidPath",
		`[{"op":"replace","path":"emails[type eq \"work\"].nothing","value":"x"}]`:       "invalidPath",
		`[{"op":"replace","path":"title x","value":"x"}]`:                                "invalidPath",
		`[{"op":"replace","path":"emails[type is \"work\"]","value":"x"}]`:               "invalidFilter",
		`[{"op":"replace","value":{"nothing":"x"}}]`:                                     "invalidPath",
		`[{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}]`:        "noTarget",
		`[{"op":"remove"}]`: "noTarget",
		`[{"op":"remove","path":"emails","value":[{"value":"w@x"}]}]`:   "invalidSyntax",
		`[{"op":"replace","path":"id","value":"x"}]`:                    "mutability",
		`[{"op":"replace","path":"meta.version","value":"x"}]`:          "mutability",
		`[{"op":"add","path":"groups","value":[{"value":"x"}]}]`:        "mutability",
		`[{"op":"replace","value":{"id":"x"}}]`:                         "mutability",
		`[{"op":"remove","path":"userName"}]`:                           "invalidValue",
		`[{"op":"replace","path":"userName","value":" "}]`:              "invalidValue",
		`[{"op":"replace","path":"title","value":"x"},{"op":"remove"}]`: "noTarget", // all or nothing
	} {
		_, err := patchUser(t, operations)
		var f *failure
		if assert.ErrorAs(t, err, &f, operations) {
			assert.Equal(t, 400, f.status, operations)
			assert.Equal(t, scimType, f.scimType, "%s: %s", operations, f.detail)
		}
	}
}
