package param

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Seal makes the envelope of a param's canonical JSON.
type Seal func(param string, value json.RawMessage) ([]byte, error)

// Values checks the given params against the declared ones and makes the values
// of a start. All that is wrong is reported at once, with exit code 65; nothing
// is sealed before everything is right.
func Values(declared []plan.Param, given []Assignment, sealer Seal) ([]*runv1.Value, error) {
	typed, err := check(declared, given)
	if err != nil {
		return nil, err
	}
	values := make([]*runv1.Value, 0, len(typed))
	for _, t := range typed {
		v := &runv1.Value{Name: t.param.Name, Type: string(t.param.Type)}
		if t.param.Open {
			v.Content, v.Size = &runv1.Value_OpenJson{OpenJson: t.value}, uint32(len(t.value))
		} else {
			envelope, err := sealer(t.param.Name, t.value)
			if err != nil {
				return nil, err
			}
			info, err := seal.Inspect(envelope)
			if err != nil {
				return nil, fmt.Errorf("seal the param %s: %w", t.param.Name, err)
			}
			// The size that everybody can see, not the exact one.
			v.Content, v.Size = &runv1.Value_Sealed{Sealed: envelope}, uint32(info.Size)
		}
		values = append(values, v)
	}
	return values, nil
}

type typedValue struct {
	param plan.Param
	value json.RawMessage
}

func check(declared []plan.Param, given []Assignment) ([]typedValue, error) {
	var (
		typed []typedValue
		wrong []*faultv1.Violation
		seen  = map[string]bool{}
	)
	refuse := func(name, text string) {
		wrong = append(wrong, &faultv1.Violation{Path: "params." + name, Text: "parameter " + name + ": " + text})
	}
	for _, g := range given {
		i := slices.IndexFunc(declared, func(p plan.Param) bool { return p.Name == g.Name })
		switch {
		case i < 0:
			refuse(g.Name, "the pipeline has none of that name"+near(declared, g.Name))
			continue
		case seen[g.Name]:
			refuse(g.Name, "given twice")
			continue
		}
		seen[g.Name] = true
		value, err := read(declared[i], g)
		if err != nil {
			refuse(g.Name, err.Error())
			continue
		}
		typed = append(typed, typedValue{declared[i], value})
	}
	for _, p := range declared {
		if p.Required && !seen[p.Name] {
			refuse(p.Name, fmt.Sprintf("required; give it with -p %s=…", p.Name))
		}
	}
	return typed, fault(wrong)
}

// read takes the text as typed, or the file as a step's output file is taken:
// without the newline that editors and echo put at its end.
func read(p plan.Param, g Assignment) (json.RawMessage, error) {
	if err := checkList(p.Type, g); err != nil {
		return nil, err
	}
	if !g.isFile {
		return plan.ParseParam(p, g.Text)
	}
	value, err := plan.ParseOutput(p.Type, g.File)
	if err != nil {
		return nil, err
	}
	return plan.CheckParam(p, value)
}

// listExamples are lists that one may copy, by the type of their items.
var listExamples = map[plan.Type]string{
	plan.TypeInt: `[1,2]`, plan.TypeFloat: `[0.1,0.2]`, plan.TypeBool: `[true,false]`,
	plan.TypeURI: `["s3://lake/a","s3://lake/b"]`, plan.TypeDuration: `["90s","1h"]`, plan.TypeBytes: `["YQ==","Yg=="]`,
}

// checkList shows how a list is written where the text is none: what JSON says
// of it helps nobody who left out the brackets.
func checkList(t plan.Type, g Assignment) error {
	elem, ok := t.Elem()
	if !ok {
		return nil
	}
	text := g.Text
	if g.isFile {
		text = string(g.File)
	}
	var items []json.RawMessage
	if json.Unmarshal([]byte(text), &items) == nil {
		return nil
	}
	example := cmp.Or(listExamples[elem], `["a","b"]`)
	return fmt.Errorf("want %s as a JSON list, as in '%s', got %.40q", t, example, text)
}

func fault(wrong []*faultv1.Violation) error {
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		e := exit.Wrongf("%s", wrong[0].GetText())
		e.Reason, e.Violations = "PARAM_INVALID", nil
		return e
	}
	e := exit.Wrongf("%d parameters are wrong", len(wrong))
	e.Reason, e.Violations = "PARAM_INVALID", wrong
	return e
}

// near names the declared params, or the one that was probably meant.
func near(declared []plan.Param, name string) string {
	if len(declared) == 0 {
		return "; it takes no params"
	}
	names := make([]string, 0, len(declared))
	for _, p := range declared {
		if strings.EqualFold(p.Name, name) || distance(p.Name, name) <= 2 {
			return fmt.Sprintf("; did you mean %s?", p.Name)
		}
		names = append(names, p.Name)
	}
	return "; it takes " + strings.Join(names, ", ")
}

// distance is how many letters must be changed, added or left out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
