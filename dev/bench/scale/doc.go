// Package scale fills ledgers of many people, with leavers who are retained and the record of
// what was done, and measures what one more change, a sweep, and each command that reads costs
// there. All sizes are measured in one run, so that they can be compared.
//
// A few people are taken through the product's own engine, with apps in memory. The others are
// copies of their rows, made by the database itself.
package scale
