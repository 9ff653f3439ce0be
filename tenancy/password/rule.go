package password

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// The bounds on a password's length, in characters. There are no rules on what
// it is composed of: they make passwords worse.
const (
	MinLength = 8
	MaxLength = 128
)

// ReasonRefused is the reason of every fault that Check returns.
const ReasonRefused fault.Reason = "PASSWORD_REFUSED"

// commonText is the head of the published lists of leaked passwords, and the
// words that people build them from.
//
//go:embed common.txt
var commonText string

var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(commonText) {
		set[word] = true
	}
	return set
})

// maxAdorned is how many digits and marks around a word still leave it easy to
// guess ("Password2024!").
const maxAdorned = 6

// Check returns a fault.KindInvalid that says what is wrong with a new password,
// or nil. personal are words that an attacker would try first: the e-mail
// address, the person's name.
func Check(password string, personal ...string) error {
	length := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return refuse("the password is not valid UTF-8")
	case length < MinLength:
		return refuse("the password needs at least 8 characters")
	case length > MaxLength:
		return refuse("the password may have at most 128 characters")
	case guessable(strings.ToLower(password), personal):
		return refuse("the password is easy to guess: it is on the lists that attackers try first, or made of your own name")
	}
	return nil
}

func refuse(text string) error {
	return fault.Invalid(ReasonRefused, "%s", text)
}

// guessable reports whether the password is one character repeated, a common
// password, or a personal word, with or without the digits and marks that people
// add to its ends.
func guessable(password string, personal []string) bool {
	if common()[password] || strings.Count(password, password[:1]) == len(password) {
		return true
	}
	core := strings.TrimFunc(password, adornment)
	if len(password)-len(core) > maxAdorned {
		return false
	}
	if common()[core] {
		return true
	}
	for _, text := range append(personal, "signalbox") {
		text = strings.ToLower(text)
		if password == text {
			return true
		}
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" @.-_+", r) }) {
			if core == strings.TrimFunc(word, adornment) && core != "" {
				return true
			}
		}
	}
	return false
}

// adornment reports whether r is an ASCII digit or mark.
func adornment(r rune) bool {
	return r < utf8.RuneSelf && (r < 'a' || r > 'z')
}
