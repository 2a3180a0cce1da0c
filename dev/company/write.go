package company

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// WriteEvents writes the events in the order of delivery, one structured
// CloudEvent a line.
func (h *History) WriteEvents(w io.Writer) error {
	return writeLines(w, h.Events, cloudevents.Encode)
}

// WriteExpected writes where everybody must stand at an instant, one a line.
func WriteExpected(w io.Writer, expected []Expected) error {
	return writeLines(w, expected, func(x Expected) ([]byte, error) { return json.Marshal(x) })
}

func writeLines[T any](w io.Writer, list []T, encode func(T) ([]byte, error)) error {
	out := bufio.NewWriter(w)
	for i, item := range list {
		line, err := encode(item)
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		_, _ = out.Write(append(line, '\n')) // Flush returns its error
	}
	return out.Flush()
}
