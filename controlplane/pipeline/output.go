package pipeline

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxOutputs bounds the outputs, and the artifacts, of one task.
const maxOutputs = 100

// outputs reads small results, `auc: float` or `auc: {type: float, open: true}`.
func (c *compiler) outputs(e entry) []plan.Output {
	var list []plan.Output
	for _, f := range c.few(e, "outputs, as in {auc: float}") {
		out := plan.Output{Name: f.name}
		if f.value.Kind == yaml.ScalarNode {
			out.Type = c.valueType(f)
		} else if o, ok := c.object(f, outputKeys); ok {
			if e, ok := o.get("type"); ok {
				out.Type = c.valueType(e)
			} else {
				c.missing(o, "type", "one of "+typeNames(plan.ValueTypes()))
			}
			if e, ok := o.get("open"); ok {
				out.Open, _ = c.boolean(e)
			}
		}
		list = append(list, out)
	}
	return list
}

// input is an artifact of another task, not looked up yet.
type input struct {
	at   entry // where the reference stands
	name string
	text string    // "${{ tasks.a.artifacts.b }}"
	want plan.Type // what the task says it needs; empty: anything
}

// artifacts reads `{in: {…}, out: {…}}`.
func (c *compiler) artifacts(e entry, t *task) {
	o, ok := c.object(e, artifactsKeys)
	if !ok {
		return
	}
	if e, ok := o.get("in"); ok {
		for _, f := range c.few(e, `artifacts of other tasks, as in {model: "${{ tasks.train.artifacts.model }}"}`) {
			if in, ok := c.artifactIn(f); ok {
				t.inputs = append(t.inputs, in)
			}
		}
	}
	if e, ok := o.get("out"); ok {
		for _, f := range c.few(e, "artifacts, as in {model: {type: model, path: out/model.pt}}") {
			t.ArtifactsOut = append(t.ArtifactsOut, c.artifactOut(f))
		}
	}
}

func (c *compiler) artifactIn(f entry) (input, bool) {
	const want = `an artifact of another task, as in "${{ tasks.train.artifacts.model }}"`
	in := input{at: f, name: f.name}
	if f.value.Kind == yaml.ScalarNode {
		var ok bool
		in.text, ok = c.rawText(f, want)
		return in, ok
	}
	o, ok := c.object(f, artifactInKeys)
	if !ok {
		return in, false
	}
	if e, ok := o.get("type"); ok {
		in.want = c.artifactType(e)
	}
	if in.at, ok = o.get("from"); !ok {
		c.missing(o, "from", want)
		return in, false
	}
	in.text, ok = c.rawText(in.at, want)
	return in, ok
}

func (c *compiler) artifactOut(f entry) plan.ArtifactOut {
	out := plan.ArtifactOut{Name: f.name}
	if f.value.Kind == yaml.ScalarNode {
		out.Type = c.artifactType(f)
		return out
	}
	o, ok := c.object(f, artifactOutKeys)
	if !ok {
		return out
	}
	if e, ok := o.get("type"); ok {
		out.Type = c.artifactType(e)
	} else {
		c.missing(o, "type", "one of "+typeNames(plan.ArtifactTypes()))
	}
	if e, ok := o.get("path"); ok {
		out.Path, _ = c.path(e, "a file or folder below the step's working folder")
		if clean := path.Clean(out.Path); path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
			c.fail(e.path, e.value, Problem{
				Message: "the path leaves the step's working folder", Want: "a path below it, or none: then the step writes `$SB_OUT/" + f.name + "`",
			})
		}
	}
	return out
}

// customArtifact is `<org>.<Name>@<semver>`: a type that an organization defines.
var customArtifact = regexp.MustCompile(`^([a-z][a-z0-9-]*\.[A-Z][A-Za-z0-9]*)@(\d+)\.\d+\.\d+$`)

func isCustomArtifact(t plan.Type) bool { return customArtifact.MatchString(string(t)) }

func (c *compiler) artifactType(e entry) plan.Type {
	known := plan.ArtifactTypes()
	want := "one of " + typeNames(known) + ", or <org>.<Name>@<major>.<minor>.<patch>"
	s, ok := c.text(e, want)
	t := plan.Type(s)
	if !ok || t.IsArtifact() || isCustomArtifact(t) {
		return t
	}
	p := Problem{Message: fmt.Sprintf("`%s` is not the type of an artifact", clip(s)), Want: want, Hint: didYouMean(s, typeWords(known))}
	if t.IsValue() {
		p.Hint = "small values are declared under `outputs:`"
	}
	c.fail(e.path, e.value, p)
	return ""
}

// accepts says whether an artifact of type got may stand where want is needed:
// the same type, of an organization's own types the same major version, and
// `artifact` on either side fits everything.
func accepts(want, got plan.Type) bool {
	if want == "" || want == got || want == plan.TypeArtifact || got == plan.TypeArtifact {
		return true
	}
	w, g := customArtifact.FindStringSubmatch(string(want)), customArtifact.FindStringSubmatch(string(got))
	return w != nil && g != nil && w[1] == g[1] && w[2] == g[2]
}

// few reads a mapping of value names, at most maxOutputs of them.
func (c *compiler) few(e entry, want string) []entry {
	list := c.named(e, want, valueName)
	if len(list) > maxOutputs {
		c.fail(e.path, e.where(), Problem{Message: "too many", Want: fmt.Sprintf("at most %d", maxOutputs)})
		return nil
	}
	return list
}
