package config

import (
	"fmt"

	"github.com/tenurehq/tenure/internal/settings"
)

// readers read a value of each type that has one form, whatever key it belongs to.
var readers = map[settings.Type]func(value) any{
	settings.TypeText:       func(v value) any { return v.text() },
	settings.TypeExpression: func(v value) any { return v.expression() },
	settings.TypeSecret:     func(v value) any { return v.secret() },
	settings.TypeCredential: func(v value) any { return v.credential() },
	settings.TypeBool:       func(v value) any { return v.boolean() },
	settings.TypeTexts:      func(v value) any { return v.texts() },
	settings.TypeMap:        func(v value) any { return v.textsByName() },
	settings.TypeListen:     func(v value) any { return v.address(false) },
	settings.TypeAddress:    func(v value) any { return v.address(true) },
	settings.TypePeriod:     by(settings.ParseDuration),
	settings.TypeSpan:       by(parseSpan),
	settings.TypeInstant:    by(parseInstant),
	settings.TypeHeader:     by(parseHeader),
	settings.TypePath:       by(parsePath),
	settings.TypeRate:       by(parseRate),
	settings.TypeSize:       by(parseBodySize),
	settings.TypeShare:      by(parseShare),
	settings.TypeCount:      by(parseCount),
	settings.TypeTimes:      by(parseTimes),
	settings.TypeLength:     by(parseLength),
	settings.TypeSeats:      by(parseSeats),
	settings.TypeCalls:      by(parseAtOnce),
	settings.TypeFactor:     by(parseFactor),
}

func by[T any](parse func(string) (T, error)) func(value) any {
	return func(v value) any { return scalar(v, parse) }
}

// typed reads a value of the type that it is declared to have. It returns the zero value
// of that type after it has reported what is wrong.
func (v value) typed() any {
	read, ok := readers[v.is.Type]
	if !ok {
		panic(fmt.Sprintf("config: %q is declared as %s, which has no form of its own", v.path, v.is.Type))
	}
	return read(v)
}
