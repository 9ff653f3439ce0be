package expr

import (
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Explain is the expression as people read it in a reason: names without their
// roots, and behind each its value, `evaluate.f1 (0.5) >= 0.85`. Without values
// (nil) it repeats nothing but the file; with them it must be sealed unless all
// that References lists is open.
func (p *Program) Explain(values *Values) string {
	spans := slices.Clone(p.spans)
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var text strings.Builder
	at := 0
	for _, one := range spans {
		if one.from < at {
			continue
		}
		text.WriteString(p.source[at:one.from])
		text.WriteString(one.name.short())
		if values != nil {
			text.WriteString(" (" + values.shown(one.name) + ")")
		}
		at = one.to
	}
	text.WriteString(p.source[at:])
	return strings.Join(strings.Fields(text.String()), " ")
}

// shown is a value in a sentence, of a long one the beginning.
func (v *Values) shown(one name) string {
	const most = 40
	text := v.States[one.task]
	if one.kind() != underState {
		text = plan.Text(v.raw(one))
	}
	switch {
	case text == "":
		return "none"
	case len(text) > most:
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// Plain returns what the expression reads where it is nothing but the name of a
// param, an output or the item.
func (p *Program) Plain() (References, bool) {
	one, ok := p.found[p.plain]
	if !ok {
		return References{}, false
	}
	return one.references(), true
}
