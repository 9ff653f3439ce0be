package value

import (
	"bytes"
	"encoding/json"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// list is what the children of a map leave, in the order of the items: a value,
// or a list of a map within, or nothing.
type list struct {
	value json.RawMessage
	items []*list
	deep  bool // it is a list, be it an empty one
}

// put places a value; nil is a child that left none. It returns false for a
// place that cannot be.
func (l *list) put(indexes, counts []uint32, depth int, value json.RawMessage) bool {
	if depth == 0 || len(counts) == 0 {
		l.value = value
		return len(indexes) == 0 && (depth == 0 || value == nil)
	}
	if counts[0] > plan.MaxItems || len(counts) > depth {
		return false
	}
	l.deep = true
	if missing := int(counts[0]) - len(l.items); missing > 0 {
		l.items = append(l.items, make([]*list, missing)...)
	}
	if len(indexes) == 0 {
		return true // only how many there are
	}
	if indexes[0] >= counts[0] {
		return false
	}
	if l.items[indexes[0]] == nil {
		l.items[indexes[0]] = &list{}
	}
	return l.items[indexes[0]].put(indexes[1:], counts[1:], depth-1, value)
}

// json is the list; what is missing is null.
func (l *list) json() json.RawMessage {
	var out bytes.Buffer
	l.root(&out)
	return out.Bytes()
}

func (l *list) root(out *bytes.Buffer) {
	if !l.deep && l.value == nil {
		out.WriteString("[]")
		return
	}
	l.write(out)
}

func (l *list) write(out *bytes.Buffer) {
	switch {
	case l == nil || !l.deep && l.value == nil:
		out.WriteString("null")
	case !l.deep:
		out.Write(l.value)
	default:
		out.WriteByte('[')
		for i, item := range l.items {
			if i > 0 {
				out.WriteByte(',')
			}
			item.write(out)
		}
		out.WriteByte(']')
	}
}
