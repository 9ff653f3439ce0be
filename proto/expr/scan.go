package expr

import "strings"

// endOfExpr returns where the closing }} of the expression stands that begins at
// from. The error's offset is negative where nothing but the end is missing.
//
// It knows just enough of CEL's lexical grammar to skip what may contain }}:
// strings, comments, and braces within braces.
func endOfExpr(source string, from int) (int, *Error) {
	depth := 0
	for at := from; at < len(source); {
		rest := source[at:]
		switch {
		case depth == 0 && strings.HasPrefix(rest, closing):
			return at, nil
		case rest[0] == '{':
			depth++
			at++
		case rest[0] == '}':
			depth = max(depth-1, 0)
			at++
		case strings.HasPrefix(rest, "//"):
			line := strings.IndexByte(rest, '\n')
			if line < 0 {
				at = len(source)
				continue
			}
			at += line
		case rest[0] == '"' || rest[0] == '\'':
			length, ok := lengthOfString(rest, rawBefore(source[from:at]))
			if !ok {
				return 0, &Error{Offset: at, Text: "the string that begins here has no end"}
			}
			at += length
		default:
			at++
		}
	}
	return 0, &Error{Offset: -1, Text: "the placeholder that begins here has no }}"}
}

// rawBefore reports whether the string that follows before is raw: r"", also
// with a b for bytes.
func rawBefore(before string) bool {
	word := len(before) - len(strings.TrimRight(before, "rRbB"))
	prefix := strings.ToLower(before[len(before)-word:])
	if word < len(before) && isWord(before[len(before)-word-1]) {
		return false // the end of a name
	}
	return prefix == "r" || prefix == "br" || prefix == "rb"
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// lengthOfString measures the string literal, quotes included, with which text
// begins.
func lengthOfString(text string, raw bool) (int, bool) {
	quote := text[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text, triple) {
		quote = triple
	}
	for at := len(quote); at < len(text); at++ {
		switch {
		case strings.HasPrefix(text[at:], quote):
			return at + len(quote), true
		case text[at] == '\\' && !raw:
			at++
		case text[at] == '\n' && len(quote) == 1:
			return 0, false
		}
	}
	return 0, false
}
