package cloudevents

import (
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr/source"
)

// The media types of the format (CloudEvents Kafka protocol binding, section 3).
const (
	structured = "application/cloudevents+json"
	batched    = "application/cloudevents-batch+json"
	plain      = "application/json"
)

// attributes lists the attributes that Tenure reads. It ignores all others.
var attributes = []string{"specversion", "type", "source", "id", "subject", "time", "partitionkey", "sequence"}

// envelope reads a record of either mode as one JSON object, the structured form.
func envelope(r source.Record) (any, *source.Error) {
	if len(r.Value) == 0 {
		return nil, &source.Error{
			Reason: source.ReasonTombstone,
			Text:   "has no value; to end an employment send a terminated event, to take one back a rescinded event",
		}
	}
	media, refusal := mediaType(r.Headers["content-type"])
	if refusal != nil {
		return nil, refusal
	}
	binary := slices.ContainsFunc(attributes, func(name string) bool {
		_, ok := r.Headers["ce_"+name]
		return ok
	})
	switch {
	case media == structured || media == "" && !binary:
		return source.ParseJSON(r.Value)
	case media == batched:
		return nil, wrongContentType("batches are not read: send one event a record")
	case !binary:
		return nil, wrongContentType("without ce_ headers must be " + structured)
	case media == plain || media == "" || strings.HasSuffix(media, "+json"):
		return fromHeaders(r)
	default:
		return nil, wrongContentType("must be " + plain + ", with ce_ headers, or " + structured)
	}
}

// mediaType returns the content type without its parameters, in lower case.
func mediaType(header string) (string, *source.Error) {
	if header == "" {
		return "", nil
	}
	media, parameters, err := mime.ParseMediaType(header)
	if err != nil {
		return "", wrongContentType("is not a media type")
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", wrongContentType("has a charset other than utf-8")
	}
	return media, nil
}

func wrongContentType(text string) *source.Error {
	return &source.Error{Reason: source.ReasonWrongContentType, Field: "content-type", Text: text}
}

// fromHeaders returns the structured form of a record in binary mode.
func fromHeaders(r source.Record) (any, *source.Error) {
	data, refusal := source.ParseJSON(r.Value)
	if refusal != nil {
		return nil, refusal
	}
	event := map[string]any{"data": data}
	for _, name := range attributes {
		value, ok := r.Headers["ce_"+name]
		if !utf8.ValidString(value) {
			return nil, &source.Error{Reason: source.ReasonNotUTF8, Field: "ce_" + name, Text: "is not UTF-8"}
		}
		if ok {
			event[name] = value
		}
	}
	return event, nil
}
