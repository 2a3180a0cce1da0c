// Package process runs a program as a child: starts it and waits until it is
// ready, stops or kills it, restarts it when it dies by itself, and never leaves
// it behind (on Linux, not even when the parent is killed).
//
// A Process is one place for a program to run in: it can be started again after
// every end, which is how a crash and a restart look to the program's neighbours.
// The child stays in the parent's process group, so that one Ctrl-C reaches all.
package process
