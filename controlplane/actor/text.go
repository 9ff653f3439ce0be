package actor

import "regexp"

// inText finds actors in what the machine wrote: "rejected by usr_…".
var inText = regexp.MustCompile(`\b(usr|key)_[0-9a-z]{26}\b`)

// In lists the actors that a text names.
func In(text string) []string { return inText.FindAllString(text, -1) }

// Named puts names in the place of the actors of a text.
func Named(names map[string]string, text string) string {
	return inText.ReplaceAllStringFunc(text, func(who string) string { return Name(names, who) })
}
