// Package review asks people whether others should have what they have: what a review is about,
// who is asked about it, what becomes of it as time goes on, and what comes of the answers.
//
// Items, Assign, Effects, Gone and Outcome are pure. A Board reads the ledger for them, and
// writes what has changed. People decide through package operator, which asks the Board whether
// they may. See docs/adr/0051-access-reviews.md.
package review
