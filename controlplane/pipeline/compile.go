package pipeline

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// The limits of one pipeline file.
const (
	MaxSourceBytes = 256 << 10
	MaxTasks       = 1000 // exit handlers included
	MaxParams      = 200
	MaxPlanBytes   = 4 << 20 // what tasks inherit counts for each of them
)

// Compiled is a pipeline file, understood. Bytes is the canonical encoding of
// Plan and Digest its hash: the identity of the version.
type Compiled struct {
	Plan     *plan.Plan
	Bytes    []byte
	Digest   plan.Digest
	Warnings []Problem
}

// Compile reads one pipeline file. filename is only for messages. Where the file
// is at fault the error is a [*Problems] with everything that is wrong with it.
func Compile(filename string, src []byte) (*Compiled, error) { return CompileWith(filename, src, nil) }

// CompileWith is Compile with what is known of the pipelines that the file's
// tasks run (see Names). nil: nothing is, and nothing of it is checked.
func CompileWith(filename string, src []byte, known Known) (*Compiled, error) {
	c := &compiler{src: newSource(src), known: known, params: map[string]*param{}, tasks: map[string]*task{}}
	root, ok := c.parse(src)
	if ok {
		c.readPipeline(root)
	}
	if len(c.problems) > 0 {
		list, omitted := c.finished(c.problems)
		return nil, &Problems{File: filename, List: list, Omitted: omitted + c.omitted}
	}
	b, err := c.plan.Encode()
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", filename, err)
	}
	warnings, _ := c.finished(c.warnings)
	return &Compiled{Plan: &c.plan, Bytes: b, Digest: plan.DigestOf(b), Warnings: warnings}, nil
}

// compiler holds what is known of one file while it is read.
type compiler struct {
	src      *source
	problems []Problem
	omitted  int // problems beyond maxRecorded
	warnings []Problem
	masks    []span // where secrets stand
	known    Known
	left     []entry // what the pipeline as a whole leaves

	plan     plan.Plan
	defaults settings
	params   map[string]*param
	tasks    map[string]*task
	order    []*task    // as plan.Tasks
	view     *plan.Plan // what is known of it, whatever is at fault
	scope    *scope
}

// fail records a problem at node n.
func (c *compiler) fail(path string, n *yaml.Node, p Problem) {
	if !c.full() {
		c.failAt(path, c.src.spanOf(n), p)
	}
}

// full reports, and counts, a problem that is one too many to be recorded.
func (c *compiler) full() bool {
	if len(c.problems) < maxRecorded {
		return false
	}
	c.omitted++
	return true
}

// failExpr records a problem at the first expression within node n.
func (c *compiler) failExpr(path string, n *yaml.Node, p Problem) {
	if !c.full() {
		c.failAt(path, c.src.find(n, exprOpen, 0), p)
	}
}

func (c *compiler) failAt(path string, at span, p Problem) {
	c.problems = append(c.problems, placed(path, at, p))
}

// failSecret records a problem at node n, which no excerpt may show.
func (c *compiler) failSecret(path string, n *yaml.Node, p Problem) {
	c.masks = append(c.masks, c.src.maskOf(n))
	c.fail(path, n, p)
}

func (c *compiler) warn(path string, n *yaml.Node, p Problem) {
	c.warnings = append(c.warnings, placed(path, c.src.spanOf(n), p))
}

// warnSecret records a warning at node n, which no excerpt may show.
func (c *compiler) warnSecret(path string, n *yaml.Node, p Problem) {
	c.masks = append(c.masks, c.src.maskOf(n))
	c.warn(path, n, p)
}

func placed(path string, at span, p Problem) Problem {
	p.Path, p.Line, p.Column, p.at = path, at.line, at.column, at
	return p
}

// finished sorts problems, cuts them off and adds the excerpts, now that all that
// they must hide is known.
func (c *compiler) finished(list []Problem) (shown []Problem, omitted int) {
	list = sorted(list)
	shown = list[:min(len(list), maxProblems)]
	for i := range shown {
		shown[i].Excerpt = c.src.excerpt(shown[i].at, c.masks)
	}
	return shown, len(list) - len(shown)
}
