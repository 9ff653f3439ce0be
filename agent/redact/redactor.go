package redact

import "slices"

// Mark is what stands where a secret stood.
const Mark = "***"

// Redactor hides a fixed set of secrets. It is immutable and safe for
// concurrent use; the nil Redactor hides nothing.
type Redactor struct {
	tree *tree
}

// New returns a redactor for the given secrets; empty ones are left out.
func New(secrets ...string) *Redactor {
	var needles []string
	for _, secret := range secrets {
		needles = append(needles, forms(secret)...)
	}
	slices.Sort(needles)
	needles = slices.Compact(needles)
	needles = slices.DeleteFunc(needles, func(s string) bool { return s == "" })
	if len(needles) == 0 {
		return nil
	}
	return &Redactor{tree: grow(needles)}
}

// String returns the text with every secret in it replaced by Mark.
func (r *Redactor) String(text string) string {
	if r == nil {
		return text
	}
	scan := scanner{tree: r.tree}
	return string(append(scan.feed([]byte(text)), scan.flush()...))
}

// Holds reports whether any secret stands in the text.
func (r *Redactor) Holds(text string) bool {
	if r == nil {
		return false
	}
	at := int32(0)
	for i := range len(text) {
		at = r.tree.step(at, text[i])
		if r.tree.nodes[at].longest > 0 {
			return true
		}
	}
	return false
}
