package review

// FrozenPage sets how many people, or findings, are frozen at once, and returns what it was.
func FrozenPage(n int) (was int) {
	was, frozenPage = frozenPage, n
	return was
}
