package id

import (
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	// alphabet is Crockford's base 32: no i, l, o, u.
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	// digits is how many base 32 digits 128 bits take.
	digits = 26
	// shownText bounds how much of a refused text an error repeats.
	shownText = 64
)

// ParseError says why a text is not the id that was expected. Its message is
// fit for the person who typed it.
type ParseError struct {
	Want Kind   // what was expected
	Text string // what was given, cut to a sane length
	Why  string // the reason, a sentence's end
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%q is not the id of %s (%s_…): %s", e.Text, e.Want.Noun(), e.Want, e.Why)
}

// Format writes an id with its kind: run_01kb5z6w3dfqmrr8nwv1c3yh2k.
func Format(kind Kind, u UUID) string {
	var text strings.Builder
	text.Grow(len(kind) + 1 + digits)
	text.WriteString(string(kind))
	text.WriteByte('_')
	hi, lo := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	for shift := 5 * (digits - 1); shift >= 0; shift -= 5 {
		text.WriteByte(alphabet[digit(hi, lo, shift)])
	}
	return text.String()
}

// digit returns the five bits that begin at bit shift of the number hi‖lo.
func digit(hi, lo uint64, shift int) uint64 {
	if shift >= 64 {
		return hi >> (shift - 64) & 31
	}
	return (lo>>shift | hi<<(64-shift)) & 31
}

// Parse reads an id that must be of the given kind. Its error is a *ParseError.
func Parse(kind Kind, text string) (UUID, error) {
	refuse := func(why string) (UUID, error) {
		shown := text
		if len(shown) > shownText {
			shown = strings.ToValidUTF8(shown[:shownText], "") + "…"
		}
		return Nil, &ParseError{Want: kind, Text: shown, Why: why}
	}
	body, ok := strings.CutPrefix(text, string(kind)+"_")
	if !ok {
		if got, known := KindOf(text); known {
			return refuse("it names " + got.Noun())
		}
		return refuse("the prefix is missing")
	}
	if len(body) != digits {
		return refuse(fmt.Sprintf("%d characters must follow the prefix, not %d", digits, len(body)))
	}
	if body[0] > '7' {
		return refuse("it is out of range")
	}
	var hi, lo uint64
	for i := range digits {
		value := strings.IndexByte(alphabet, body[i])
		if value < 0 {
			return refuse(fmt.Sprintf("only %s may follow the prefix", alphabet))
		}
		hi, lo = hi<<5|lo>>59, lo<<5|uint64(value)
	}
	var u UUID
	binary.BigEndian.PutUint64(u[:8], hi)
	binary.BigEndian.PutUint64(u[8:], lo)
	return u, nil
}
