// Package demo plays the story of package story on the embedded stack and shows
// it in the terminal: what HR says, and what Tenure does about it in which app.
// In the end it asks every app for everybody's accounts.
package demo
