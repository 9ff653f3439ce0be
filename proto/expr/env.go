package expr

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"

	"github.com/signalboxhq/signalbox/proto/plan"
)

const (
	// MaxExpr is the longest expression, in characters.
	MaxExpr = 4096
	// maxNesting bounds the depth of an expression's brackets.
	maxNesting = 64
	// maxRegexp bounds the compiled size of a regular expression.
	maxRegexp = 2000
)

// Decls says what the expressions of one place may read.
type Decls struct {
	// Params are the pipeline's, by name.
	Params map[string]plan.Type
	// Tasks are all whose results may be read here, by name.
	Tasks map[string]TaskDecl
	// Item is the type of `item`, empty outside a fan-out.
	Item plan.Type
	// Own is set where `outputs` are the task's own: after a pass of a loop.
	Own *TaskDecl
	// Exit is set for exit handlers, which know the run's outcome.
	Exit bool
	// Apart is set for templates, which read no tasks.
	Apart bool
	// Refused holds names that exist and may not be read here, each with the
	// reason as a clause: {"params.token": "it is sealed; declare it open: true"}.
	// A name refuses everything below it: "tasks.train", "tasks", "item", "run".
	Refused map[string]string
}

// TaskDecl is what a task leaves to others.
type TaskDecl struct {
	// Name is what References and Values call the task, if that is not the name
	// by which it is read.
	Name string
	// Map has a state for each of its items, and so none of its own.
	Map       bool
	Outputs   map[string]plan.Type
	Artifacts map[string]plan.Type
}

// Env compiles the expressions of one place. Any number of goroutines may use it.
type Env struct {
	decls Decls
	base  *cel.Env
}

// NewEnv takes what may be read. It returns an error for a type that is unknown:
// a mistake of the caller, not of the expression's author.
func NewEnv(decls Decls) (*Env, error) {
	base, err := baseEnv()
	if err != nil {
		return nil, err
	}
	for name, declared := range decls.Params {
		if !declared.IsValue() {
			return nil, fmt.Errorf("declare params.%s: unknown type %q", name, declared)
		}
	}
	for task, decl := range decls.Tasks {
		for output, declared := range decl.Outputs {
			if !declared.IsRead() {
				return nil, fmt.Errorf("declare tasks.%s.outputs.%s: unknown type %q", task, output, declared)
			}
		}
	}
	if decls.Item != "" && !decls.Item.IsRead() {
		return nil, fmt.Errorf("declare item: unknown type %q", decls.Item)
	}
	return &Env{decls: decls, base: base}, nil
}

// baseEnv is the language without names. It is made once: it is the same for all.
var baseEnv = sync.OnceValues(func() (*cel.Env, error) {
	options := append(functions(),
		ext.Math(ext.MathVersion(2)),
		cel.CrossTypeNumericComparisons(true), // auc >= 1
		cel.ParserExpressionSizeLimit(MaxExpr),
		cel.ParserRecursionLimit(maxNesting),
		cel.RegexProgramSizeLimit(maxRegexp),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateRegexLiterals(),
		),
	)
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("make expression environment: %w", err)
	}
	return env, nil
})

// celScalars are the types that CEL checks with. All others are strings there:
// string, uri, and the URIs of artifacts.
var celScalars = map[plan.Type]*cel.Type{
	plan.TypeInt:      cel.IntType,
	plan.TypeFloat:    cel.DoubleType,
	plan.TypeBool:     cel.BoolType,
	plan.TypeJSON:     cel.DynType,
	plan.TypeDuration: cel.DurationType,
	plan.TypeBytes:    cel.BytesType,
}

func celType(declared plan.Type) *cel.Type {
	if present, mayBeNull := declared.Present(); mayBeNull {
		if _, isList := present.Elem(); isList || present == plan.TypeJSON {
			return cel.DynType // CEL compares no list with null
		}
		return cel.NullableType(celType(present))
	}
	if elem, ok := declared.Elem(); ok {
		return cel.ListType(celType(elem))
	}
	if scalar, ok := celScalars[declared]; ok {
		return scalar
	}
	return cel.StringType
}

// planScalars are the types of results. No value has one that is missing here.
var planScalars = map[cel.Kind]plan.Type{
	cel.StringKind:   plan.TypeString,
	cel.IntKind:      plan.TypeInt,
	cel.DoubleKind:   plan.TypeFloat,
	cel.BoolKind:     plan.TypeBool,
	cel.BytesKind:    plan.TypeBytes,
	cel.DurationKind: plan.TypeDuration,
	cel.DynKind:      plan.TypeJSON,
	cel.MapKind:      plan.TypeJSON,
	cel.NullTypeKind: plan.TypeJSON,
}

// planType is the type of a result, false for one that no value can have.
func planType(result *cel.Type) (plan.Type, bool) {
	if result.Kind() != cel.ListKind {
		scalar, ok := planScalars[result.Kind()]
		return scalar, ok
	}
	elem, ok := planType(result.Parameters()[0])
	if _, nested := elem.Elem(); nested || elem == plan.TypeJSON {
		return plan.TypeJSON, ok
	}
	return plan.List(elem), ok
}
