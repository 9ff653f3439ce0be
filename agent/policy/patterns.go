package policy

import "strings"

// patterns is a list of texts in which a star stands for any text, also for
// none and across slashes.
type patterns []string

func (p patterns) match(text string) bool {
	for _, pattern := range p {
		if match(pattern, text) {
			return true
		}
	}
	return false
}

func match(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		// The earliest place leaves the most for what follows.
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text, rest = text[at+len(part):], next
	}
}
