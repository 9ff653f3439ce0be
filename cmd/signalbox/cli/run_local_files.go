package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// compile compiles the file and those that it nests, with the server's own
// compiler.
func (l *localCommand) compile(args []string) (map[string][]byte, error) {
	src, err := l.readSource(args)
	if err != nil {
		return nil, err
	}
	compiled, err := l.compileOne(src)
	if err != nil {
		return nil, err
	}
	l.plan = compiled.Plan
	plans := map[string][]byte{compiled.Plan.Name: compiled.Bytes}
	for todo := []*plan.Plan{compiled.Plan}; len(todo) > 0; todo = todo[1:] {
		for i := range todo[0].Tasks {
			n := todo[0].Tasks[i].Pipeline
			if n == nil || plans[n.Name] != nil {
				continue
			}
			nested, err := l.beside(src.name, n.Name, todo[0].Tasks[i].Name)
			if err != nil {
				return nil, err
			}
			plans[n.Name] = nested.Bytes
			todo = append(todo, nested.Plan)
		}
	}
	return plans, nil
}

// compileOne compiles a file, and says what is wrong with it.
func (l *localCommand) compileOne(src source) (*pipeline.Compiled, error) {
	checked, err := validateHere(src)
	if err != nil {
		return nil, err
	}
	if len(checked.GetViolations()) > 0 {
		e := exit.Wrongf("%s is not valid", src.name)
		e.Violations = checked.GetViolations()
		return nil, l.inFile(src, e)
	}
	l.warn(checked.GetWarnings())
	return pipeline.Compile(src.name, src.text)
}

// beside finds a nested pipeline among the files in the folder of the first one.
func (l *localCommand) beside(file, name, task string) (*pipeline.Compiled, error) {
	dir := filepath.Dir(file)
	if file == "<stdin>" {
		dir = "."
	}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		at := dir
		if !filepath.IsAbs(at) {
			at = filepath.Join(l.dir(), at)
		}
		files, err := filepath.Glob(filepath.Join(at, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, exit.Wrongf("%s", err.Error()).Because(err)
			}
			var head struct {
				Name string `yaml:"name"`
			}
			if yaml.Unmarshal(text, &head) == nil && head.Name == name {
				return l.compileOne(source{name: filepath.Join(dir, filepath.Base(path)), text: text})
			}
		}
	}
	return nil, exit.Wrongf("task %s runs the pipeline %s, and no file in %s has that name", task, name, dir).
		Advise("put the file with `name: %s` beside %s", name, file)
}

// given are the params of the command line and, for the others, of the file.
func (l *localCommand) given() ([]param.Assignment, error) {
	given, err := l.assignments(l.params)
	if err != nil || l.paramsFile == "" {
		return given, err
	}
	text, err := l.readFile(l.paramsFile)
	if err != nil {
		return nil, exit.Wrongf("--params-file: %s", err.Error()).Because(err)
	}
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, exit.Wrongf("--params-file: %s: %s", l.paramsFile, err.Error()).Because(err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.ContainsFunc(given, func(g param.Assignment) bool { return g.Name == name }) {
			continue
		}
		value, isText := all[name].(string)
		if !isText {
			raw, err := json.Marshal(all[name])
			if err != nil {
				return nil, exit.Wrongf("--params-file: %s: %s", name, err.Error()).Because(err)
			}
			value = string(raw)
		}
		given = append(given, param.Assignment{Name: name, Text: value})
	}
	return given, nil
}

func (l *localCommand) keepDir() string {
	if l.keep == "" || filepath.IsAbs(l.keep) {
		return l.keep
	}
	return filepath.Join(l.dir(), l.keep)
}

// signal reads a signal by the type that the pipeline declares.
func (l *localCommand) signal(spec string) (*runv1.SignalRunRequest, error) {
	name, _, hasValue := strings.Cut(spec, "=")
	req := &runv1.SignalRunRequest{Id: l.runID, Name: name}
	if !hasValue {
		return req, nil
	}
	declared, err := payloadOf(l.plan, name)
	if err != nil {
		return nil, err
	}
	given, err := param.Parse(spec, l.readFile)
	if err != nil {
		return nil, err
	}
	given.Name = payload
	values, err := param.Values([]plan.Param{declared}, []param.Assignment{given}, func(_ string, value json.RawMessage) ([]byte, error) {
		return l.seal(seal.SignalName(name), value)
	})
	if err != nil {
		return nil, fmt.Errorf("--signal %s: %w", name, err)
	}
	if len(values) != 1 {
		return nil, errors.New("a signal has one payload")
	}
	req.Payload = values[0]
	return req, nil
}
