package engine

import "fmt"

// text is what an enum of this package looks like outside: in a column, in a
// golden file, in a message. The enums are small integers because a state of
// 100,000 tasks is made of them.
func text[E ~uint8](names []string, e E) string {
	if int(e) >= len(names) {
		return fmt.Sprintf("unknown(%d)", e)
	}
	return names[e]
}

// parse finds the value with the given text.
func parse[E ~uint8](what string, names []string, s string) (E, error) {
	for i, n := range names {
		if n == s {
			return E(i), nil
		}
	}
	return 0, fmt.Errorf("%s %q is unknown", what, s)
}

// all lists the values of an enum, the zero value included.
func all[E ~uint8](names []string) []E {
	out := make([]E, len(names))
	for i := range out {
		out[i] = E(i)
	}
	return out
}
