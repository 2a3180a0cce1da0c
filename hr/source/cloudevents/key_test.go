package cloudevents

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr/source"
)

func TestKeyIsTheSubject(t *testing.T) {
	structuredType := map[string]string{"content-type": "application/cloudevents+json"}
	for name, test := range map[string]struct {
		record source.Record
		want   string
	}{
		"structured":    {source.Record{Headers: structuredType, Value: []byte(`{"subject":"10004","data":{}}`)}, "10004"},
		"binary":        {source.Record{Headers: map[string]string{"ce_subject": "10004", "content-type": "application/json"}, Value: []byte(`{}`)}, "10004"},
		"no subject":    {source.Record{Headers: structuredType, Value: []byte(`{"id":"1"}`)}, ""},
		"a number":      {source.Record{Headers: structuredType, Value: []byte(`{"subject":10004}`)}, ""},
		"an array":      {source.Record{Headers: structuredType, Value: []byte(`[]`)}, ""},
		"no JSON":       {source.Record{Headers: structuredType, Value: []byte(`{`)}, ""},
		"nothing":       {source.Record{Headers: structuredType}, ""},
		"two subjects":  {source.Record{Headers: structuredType, Value: []byte(`{"subject":"1","subject":"2"}`)}, ""},
		"another type":  {source.Record{Headers: map[string]string{"content-type": "text/plain"}, Value: []byte(`{"subject":"1"}`)}, ""},
		"another field": {source.Record{Headers: structuredType, Value: []byte(`{"Subject":"1"}`)}, ""},
	} {
		assert.Equal(t, test.want, Kind.KeyOf(test.record), name)
	}
}
