package remote

import (
	"context"
	"errors"
	"io"
)

const (
	// smallAnswer is the length in bytes up to which an answer is read without taking room.
	// One account, and most pages of a list, are shorter.
	smallAnswer = 1 << 20
	// largeAtOnce bounds how many longer answers of apps this process holds at the same time.
	// So it bounds the memory that hostile or broken services can use up.
	largeAtOnce = 4
)

// ErrTooLong is returned for an answer that is longer than it may be.
var ErrTooLong = errors.New("the answer is too long")

var large = make(chan struct{}, largeAtOnce)

// Answers reads the answers of one service in bounded memory. It reads one long answer of a
// service at a time, and largeAtOnce of all apps together.
type Answers struct{ rooms []chan struct{} }

// NewAnswers returns an Answers of an app.
func NewAnswers() *Answers { return &Answers{[]chan struct{}{make(chan struct{}, 1), large}} }

// NewAnswersOfHR returns an Answers of an HR system. It takes no room from the apps, so
// that a slow or long record of one person holds up nobody's disable.
func NewAnswersOfHR() *Answers { return &Answers{[]chan struct{}{make(chan struct{}, 1)}} }

// Read reads a body of at most the given number of bytes and passes it to use. A long body
// counts as held until use returns. Read fails with ErrTooLong, with ctx's error if there is
// no room in time, with body's error, or with use's.
func (a *Answers) Read(ctx context.Context, body io.Reader, most int64, use func([]byte) error) error {
	raw, err := io.ReadAll(io.LimitReader(body, min(most, smallAnswer)+1))
	if err != nil {
		return err
	}
	if int64(len(raw)) <= min(most, smallAnswer) {
		return use(raw)
	}
	if most <= smallAnswer {
		return ErrTooLong
	}
	leave, err := a.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	rest, err := io.ReadAll(io.LimitReader(body, most+1-int64(len(raw))))
	if err != nil {
		return err
	}
	if raw = append(raw, rest...); int64(len(raw)) > most {
		return ErrTooLong
	}
	return use(raw)
}

// enter takes room for a long answer, which leave gives back. It fails with ctx's error if
// there is no room in time.
func (a *Answers) enter(ctx context.Context) (leave func(), err error) {
	var taken []chan struct{}
	leave = func() {
		for _, room := range taken {
			<-room
		}
	}
	for _, room := range a.rooms {
		select {
		case room <- struct{}{}:
			taken = append(taken, room)
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}
