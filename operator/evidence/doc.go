// Package evidence makes evidence packs: what an auditor asks about a person, a time, an app or a
// review, as files of JSON lines, and a page that a human can print, with the rows of the audit
// record behind them. Package audit/pack seals and verifies them.
//
// A pack holds the whole population and no sample. It is made from the ledger alone, which is read
// person by person and page by page, and the page is made from the files, so that it cannot say
// anything else. Two packs of the same ledger, at the same time, are the same bytes.
package evidence
