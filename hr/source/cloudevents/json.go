package cloudevents

import (
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/schemas"
)

// ids lists the fields that hold IDs. White space around an ID is not cut off: it is an
// error.
var ids = map[string]bool{
	"/id": true, "/source": true, "/subject": true, "/partitionkey": true,
	"/data/workerId": true, "/data/worker/managerId": true, "/data/rescinds": true, "/data/previousWorkerId": true,
}

// prune tidies all texts but IDs by hr.Text. It removes fields whose value means the same
// as an absent field, and refuses text that not every store can keep.
func prune(value any, path ...string) *source.Error {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v := object[name]
		at := source.Below(path, name)
		if text, ok := v.(string); ok && hasNUL(text) || hasNUL(name) {
			return source.Malformed(at, "has a NUL character in it")
		} else if ok && !ids[schemas.Pointer(at...)] {
			v = hr.Text(text)
			object[name] = v
		}
		if v == nil || v == "" {
			delete(object, name)
			continue
		}
		if refusal := prune(v, at...); refusal != nil {
			return refusal
		}
	}
	return nil
}

func hasNUL(s string) bool { return strings.Contains(s, "\x00") }
