package expr

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxNear is how many names an error proposes at most.
const maxNear = 3

// Nearest returns those candidates that a person may have meant by name: at most
// three, the nearest first, equally near ones sorted. Case counts little, and a
// longer name may be further off.
func Nearest(name string, candidates []string) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	for _, candidate := range candidates {
		letters, theirs := utf8.RuneCountInString(name), utf8.RuneCountInString(candidate)
		allowed := min(1+min(letters, theirs)/4, theirs-1)
		if max(letters-theirs, theirs-letters) > allowed {
			continue
		}
		if distance := editDistance(strings.ToLower(name), strings.ToLower(candidate)); distance <= allowed {
			found = append(found, near{candidate, distance})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	names := make([]string, 0, maxNear)
	for _, one := range slices.Compact(found) {
		if len(names) < maxNear {
			names = append(names, one.name)
		}
	}
	return names
}

// editDistance counts the letters to change, add, leave out, or exchange with
// their neighbour, to get from a to b (optimal string alignment).
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	var before []int
	last := make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i := range from {
		row := make([]int, len(to)+1)
		row[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(to)]
}
