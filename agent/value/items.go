package value

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Items finds the items of maps. Ten thousand children of one map ask for the
// same list, so lists are kept, by what they were computed from: what was
// computed from other values is another list. It is safe for concurrent use.
type Items struct {
	locate func(uri string) (path string, err error) // of an artifact

	mu    sync.Mutex
	lists map[[sha256.Size]byte]expr.Items
	size  int
	files map[string]*lineFile
}

// maxKept bounds the lists that are kept, in bytes; maxFiles the files whose
// lines are known.
const (
	maxKept  = 64 << 20
	maxFiles = 64
)

// NewItems makes an empty store. locate finds an artifact on this machine.
func NewItems(locate func(uri string) (string, error)) *Items {
	return &Items{locate: locate, lists: map[[sha256.Size]byte]expr.Items{}, files: map[string]*lineFile{}}
}

// Item sets values.Item to what the expressions of task i read as `item`: the
// item of the task's own map, or with before that of the next map around it. The
// indexes are those of the lease. The error is an *InputError.
func (s *Items) Item(p *Program, i int, before bool, indexes []uint32, values *Values) error {
	if before {
		i = p.Plan.Tasks[i].In - 1
	}
	for ; i >= 0 && p.Plan.Tasks[i].ForEach == nil; i = p.Plan.Tasks[i].In - 1 {
	}
	if i < 0 {
		return nil
	}
	ordinal, ok := ordinals(p.Plan, i, indexes)
	if !ok {
		text := fmt.Sprintf("the lease does not say which item of %s it is for", p.Plan.Tasks[i].Name)
		return &InputError{Reason: text, Detail: text}
	}
	item, err := s.at(p, i, ordinal, indexes, *values)
	if err != nil {
		return err
	}
	values.Item = item
	return nil
}

// ordinals finds the index of map m among those of a lease, which are of the maps
// and loops around a task, outermost first.
func ordinals(p *plan.Plan, m int, indexes []uint32) (uint32, bool) {
	for _, i := range p.Enclosing(m) {
		for _, layer := range []struct{ has, here bool }{{p.Tasks[i].ForEach != nil, i == m}, {p.Tasks[i].Repeat != nil, false}} {
			if !layer.has {
				continue
			}
			if len(indexes) == 0 {
				return 0, false
			}
			if layer.here {
				return indexes[0], true
			}
			indexes = indexes[1:]
		}
	}
	return 0, false
}

// at is one item of map m as canonical JSON.
func (s *Items) at(p *Program, m int, ordinal uint32, indexes []uint32, values Values) (json.RawMessage, error) {
	each := p.Plan.Tasks[m].ForEach
	what := "for_each of " + p.Plan.Tasks[m].Name
	switch known, ok := each.Known(); {
	case ok && int(ordinal) >= known:
		return nil, noSuchItem(what, ordinal, known)
	case len(each.Axes) > 0:
		item, err := combination(each.Axes, int(ordinal))
		if err != nil {
			return nil, cannot(what, err)
		}
		return item, nil
	case ok:
		return json.RawMessage(strconv.Itoa(int(ordinal))), nil
	case each.Artifact != nil:
		file, err := s.file(each.Artifact, what, values)
		if err != nil {
			return nil, err
		}
		if int(ordinal) >= file.count() {
			return nil, noSuchItem(what, ordinal, file.count())
		}
		line, err := file.line(int(ordinal))
		if err != nil {
			return nil, cannot(what, err)
		}
		return line, nil
	}
	items, err := s.Of(p, m, indexes, values)
	switch {
	case err != nil:
		return nil, err
	case int(ordinal) >= items.Count:
		return nil, noSuchItem(what, ordinal, items.Count)
	case items.List == nil:
		return json.RawMessage(strconv.Itoa(int(ordinal))), nil
	}
	return items.List[ordinal], nil
}

func noSuchItem(what string, ordinal uint32, count int) *InputError {
	text := fmt.Sprintf("%s gives %d items, and none with the index %d", what, count, ordinal)
	return &InputError{Reason: text, Detail: text}
}

// combination is one item of a matrix, the last axis the fastest: an object with
// sorted names.
func combination(axes []plan.Axis, ordinal int) (json.RawMessage, error) {
	object := make(map[string]json.RawMessage, len(axes))
	for _, axis := range slices.Backward(axes) {
		n := len(axis.Values)
		object[axis.Name] = axis.Values[ordinal%n]
		ordinal /= n
	}
	raw, err := json.Marshal(object)
	if err == nil {
		raw, err = plan.CheckValue(plan.TypeJSON, raw)
	}
	return raw, err
}

// Of are all items of map m, whose for_each is a template.
func (s *Items) Of(p *Program, m int, indexes []uint32, values Values) (expr.Items, error) {
	task := &p.Plan.Tasks[m]
	what := "for_each of " + task.Name
	program, err := p.template(task.ForEach.Items, expr.Before(p.Plan, m))
	if err != nil {
		return expr.Items{}, cannot(what, err)
	}
	values.Item = nil
	if program.References().Item {
		if err := s.Item(p, m, true, indexes, &values); err != nil {
			return expr.Items{}, err
		}
	}
	key := fingerprint(task.ForEach.Items, program.References(), values)
	s.mu.Lock()
	items, ok := s.lists[key]
	s.mu.Unlock()
	if ok {
		return items, nil
	}
	if items, err = program.Each(values.Values); err != nil {
		return expr.Items{}, cannot(what, err)
	}
	s.keep(key, items)
	return items, nil
}

// keep keeps a list, if need be instead of all others.
func (s *Items) keep(key [sha256.Size]byte, items expr.Items) {
	const overhead = 32
	size := overhead
	for _, item := range items.List {
		size += overhead + len(item)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > maxKept {
		return
	}
	if s.size+size > maxKept {
		clear(s.lists)
		s.size = 0
	}
	s.lists[key] = items
	s.size += size
}

// fingerprint stands for all that a list is computed from.
func fingerprint(text string, refs expr.References, values Values) [sha256.Size]byte {
	hash := sha256.New()
	write := func(part []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write(part)
	}
	write([]byte(text))
	for _, name := range refs.Params {
		write(values.Params[name])
	}
	for _, ref := range refs.Outputs {
		write(values.Outputs[ref])
	}
	for _, name := range refs.States {
		write([]byte(values.States[name]))
	}
	write(values.Item)
	write(fmt.Appendf(nil, "%v", values.Run))
	return [sha256.Size]byte(hash.Sum(nil))
}

// file is the JSON lines that a map goes over.
func (s *Items) file(a *plan.ArtifactIn, what string, values Values) (*lineFile, error) {
	uri, ok := values.Artifacts[expr.ArtifactRef{Task: a.Task, Artifact: a.Artifact}]
	if !ok {
		text := fmt.Sprintf("%s: artifact %s of task %s is not there: was the task skipped?", what, a.Artifact, a.Task)
		return nil, &InputError{Reason: text, Detail: text}
	}
	path, err := s.locate(uri)
	if err != nil {
		return nil, &InputError{Reason: what + ": the artifact lies on another agent's disk", Detail: fmt.Sprintf("%s: %v", what, err), Elsewhere: true}
	}
	s.mu.Lock()
	file := s.files[path]
	s.mu.Unlock()
	if file != nil && file.same() {
		return file, nil
	}
	if file, err = openLines(path); err != nil {
		return nil, cannot(what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.files) >= maxFiles {
		clear(s.files)
	}
	s.files[path] = file
	return file, nil
}

// EachItem counts the items of map m, and shows each to see, if that is given and
// there are at most limit of them.
func (s *Items) EachItem(p *Program, m int, indexes []uint32, values Values, limit int, see func(item []byte) error) (int, error) {
	each := p.Plan.Tasks[m].ForEach
	what := "for_each of " + p.Plan.Tasks[m].Name
	if each.Artifact != nil {
		file, err := s.file(each.Artifact, what, values)
		if err != nil || file.count() > limit {
			return file.count(), err
		}
		if err := file.each(see); err != nil {
			return 0, cannot(what, err)
		}
		return file.count(), nil
	}
	items, err := s.Of(p, m, indexes, values)
	if err != nil || items.Count > limit {
		return items.Count, err
	}
	for i := range items.Count {
		item := json.RawMessage(strconv.Itoa(i))
		if items.List != nil {
			item = items.List[i]
		}
		if err := see(item); err != nil {
			return 0, err
		}
	}
	return items.Count, nil
}
