package gpu

import (
	"regexp"
	"strings"
)

// models are the types of cards that product names hide among form factors and
// sizes of memory: "NVIDIA A100-SXM4-80GB", "Tesla V100-PCIE-16GB".
var models = map[string]string{
	"a2": "a2", "a10": "a10", "a10g": "a10g", "a16": "a16", "a30": "a30", "a40": "a40",
	"a100": "a100", "a100x": "a100", "a800": "a800", "b100": "b100", "b200": "b200", "b300": "b300",
	"gb200": "gb200", "gb300": "gb300", "gh200": "gh200", "h20": "h20", "h100": "h100", "h200": "h200", "h800": "h800",
	"k80": "k80", "l4": "l4", "l20": "l20", "l40": "l40", "l40s": "l40s", "m60": "m60",
	"p4": "p4", "p40": "p40", "p100": "p100", "t4": "t4", "t4g": "t4g", "v100": "v100", "v100s": "v100",
}

// brands say nothing about what a card can do.
var brands = map[string]bool{"nvidia": true, "tesla": true, "quadro": true, "geforce": true, "generation": true, "graphics": true}

// maxType is the longest type that a pipeline may ask for, in characters.
const maxType = 63

// validType is how pipelines spell a type.
var validType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// ValidType reports whether a pipeline could ask for the type.
func ValidType(text string) bool { return validType.MatchString(text) }

// TypeOf is a product's name as pipelines spell it: a100 for "NVIDIA
// A100-SXM4-40GB". What is no card of the table keeps its words, rtx-4090 for
// "NVIDIA GeForce RTX 4090". It is empty for a name without letters and digits.
func TypeOf(product string) string {
	words := strings.FieldsFunc(strings.ToLower(product), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.'
	})
	var rest []string
	for _, word := range words {
		if model, ok := models[word]; ok && !strings.HasSuffix(strings.Join(rest, "-"), "rtx") {
			return model // "RTX A2 …" would be another card
		}
		if word = strings.Trim(word, "."); word != "" && !brands[word] {
			rest = append(rest, word)
		}
	}
	return cut(strings.Join(rest, "-"))
}

// cut keeps a type within its bounds.
func cut(text string) string {
	return strings.TrimRight(text[:min(len(text), maxType)], "-.")
}
