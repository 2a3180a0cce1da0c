// Package deadletter holds what Tenure knows of dead letters: records that could not
// be used. A letter is the record byte for byte, with headers that say where it was
// and why it is a letter (letter.go); a Writer writes it. Letters reads dead letters,
// and sends their records to their topics again (redrive.go).
package deadletter
