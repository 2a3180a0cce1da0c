package relational

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// micros is how an instant is stored: microseconds since 1970 UTC, which reach
// far beyond the year 9999 that HR systems give for "no end". NULL is none.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// instant scans what micros stored.
type instant struct{ to *time.Time }

func (i instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i.to = time.Time{}
	case int64:
		*i.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("instant: %T", v)
	}
	return nil
}

// encoded is a value stored as JSON; a nil map or list is "null".
func encoded(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// decode scans what encoded stored; NULL leaves the zero value.
type decode struct{ to any }

func (d decode) Scan(v any) error {
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("json: %T", v)
	}
	return json.Unmarshal([]byte(s), d.to)
}

// sorted is a sorted copy without duplicates; nil if there is nothing in it.
func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
