package memory

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// longOf reads the setting long: by call, how often it has to be looked at until it is done.
func longOf(texts []string) (map[string]int, error) {
	long := map[string]int{}
	for _, text := range texts {
		op, number, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if !slices.Contains(lengthy, op) || err != nil || n < 1 {
			return nil, connector.Invalid(connector.OpOpen, "long: %q must be one of %s and a number above zero, such as \"hand_over=3\"", text, strings.Join(lengthy, ", "))
		}
		long[op] = n
	}
	return long, nil
}

// lengthy lists the calls that can take long.
var lengthy = []string{connector.OpCreate, connector.OpUpdate, connector.OpEnable, connector.OpDisable, connector.OpHandOver, connector.OpDelete}

// Begun returns how many operations that take long (Faults.Long) were begun.
func (a *App) Begun() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.begun
}

// proceed returns the error of an operation that takes long and is not done yet, and begins it if the call does not say
// which one it continues.
func (a *App) proceed(ctx context.Context, op string, looks int) error {
	if fault, ok := a.faults.Long[op]; ok {
		looks = fault
	}
	if looks == 0 {
		return nil
	}
	name := connector.OperationOf(ctx)
	left, known := a.underway[name]
	switch {
	case !known:
		a.begun++
		name = op + "/" + strconv.Itoa(a.begun)
		a.underway[name] = looks
	case left == 1: // and from now on
		return nil
	default:
		a.underway[name]--
	}
	return &connector.Error{Kind: connector.KindUnderway, Op: op, Operation: name, RetryAfter: longLook, Message: "the app is at work"}
}

// longLook is when an operation that takes long is to be looked at again.
const longLook = time.Minute
