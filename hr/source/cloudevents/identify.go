package cloudevents

import (
	"github.com/tidwall/gjson"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// Identify is the source.Identifier of the format, in both modes.
func Identify(r source.Record) (hr.EventKey, bool) {
	media, _ := mediaType(r.Headers["content-type"])
	if id, ok := r.Headers["ce_id"]; ok && media != structured {
		return identified(r.Headers["ce_source"], id)
	}
	return identified(gjson.GetBytes(r.Value, "source").String(), gjson.GetBytes(r.Value, "id").String())
}

func identified(source, id string) (hr.EventKey, bool) {
	return hr.EventKey{Source: source, ID: id}, source != "" && id != ""
}
