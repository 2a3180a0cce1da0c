// Package pace makes calls of an app wait for their turn, so that all workers
// together call it no more often than its owner allows, and nobody while it
// wants to be left alone.
//
// The rate is shared through the ledger: a worker takes a few calls there and
// spends them by itself, so that a hundred calls a second are not a hundred
// writes. What it has taken and does not make in time is lost, on the safe side:
// a worker that is killed takes no more with it than that.
//
// Besides, it bounds how many steps of one process call an app at a time: see Places.
//
// The package may import ledger and the Prometheus client.
package pace
