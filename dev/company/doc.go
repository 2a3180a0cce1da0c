// Package company makes up companies: what is true of a number of people over
// time, what their HR system says of it, and in what order that arrives.
//
// It goes the way that reality goes. First it simulates the lives: people are
// hired, move, change their names, go on leave, are suspended, leave, come back.
// Then it tells of them as HR does: ahead of time or too late, with mistakes that
// are corrected and events that are rescinded. Then it delivers what was told,
// some of it twice and not in order.
//
// Because the lives come first, what must result is known without reading a
// single event: History.Expected. It has nothing in common with how the product
// merges events, and so can be held against it.
//
// Equal options give equal histories, to the byte.
package company
