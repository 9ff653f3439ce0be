package tenancydb

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName  = 100
	maxEmail = 254
)

// slugPattern is the CHECK of the tables.
var slugPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// parseEmail returns the address as it is mailed to, and the key under which two
// spellings of it are one mailbox.
func parseEmail(path, text string) (address, key string, err error) {
	text = strings.TrimSpace(text)
	parsed, err := mail.ParseAddress(text)
	_, domain, _ := strings.Cut(text, "@")
	if err != nil || parsed.Address != text || len(text) > maxEmail || strings.ContainsFunc(text, unprintable) ||
		!strings.Contains(domain, ".") && domain != "localhost" {
		return "", "", invalid(path, "an e-mail address")
	}
	return text, strings.ToLower(text), nil
}

// parseName returns a name without space around it, 1 to 100 characters.
func parseName(path, text string) (string, error) {
	text = strings.TrimSpace(text)
	if length := utf8.RuneCountInString(text); length < 1 || length > maxName || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, unprintable) {
		return "", invalid(path, "a name of 1 to 100 characters")
	}
	return text, nil
}

func parseSlug(path, text string) (string, error) {
	if !slugPattern.MatchString(text) {
		return "", invalid(path, "1 to 40 lower-case letters, digits and hyphens, such as acme-research")
	}
	return text, nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// slugFrom proposes a slug for a name: its letters and digits in lower case,
// with one hyphen for all that is between.
func slugFrom(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	slug := strings.Join(words, "-")
	if len(slug) > 30 { // leaves room for what makes it unique
		slug = strings.TrimRight(slug[:30], "-")
	}
	if slug == "" {
		return "team"
	}
	return slug
}
