package logs

import (
	"strings"
	"unicode/utf8"
)

// pieces turns writes into records. It keeps the first bytes of a character that
// is cut in two, since a record is text.
type pieces struct {
	log    *Log
	stream Stream
	cut    []byte
}

func (p *pieces) Write(b []byte) (int, error) {
	written := len(b)
	b = append(p.cut, b...)
	whole := wholeRunes(b)
	p.cut = append([]byte(nil), b[whole:]...)
	for b = b[:whole]; len(b) > 0; {
		n := min(len(b), maxText)
		if n < len(b) {
			n = max(1, wholeRunes(b[:n]))
		}
		p.log.append(p.stream, strings.ToValidUTF8(string(b[:n]), "\uFFFD"))
		b = b[n:]
	}
	return written, nil
}

// Close writes what was kept back; it belongs to no character any more.
func (p *pieces) Close() error {
	if len(p.cut) > 0 {
		p.log.append(p.stream, "\uFFFD")
		p.cut = nil
	}
	return nil
}

// wholeRunes is the length of b without a character that only begins in it.
func wholeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
