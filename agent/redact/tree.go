package redact

// tree finds all needles in one pass over a text, whatever their number (Aho
// and Corasick 1975). Its state after each byte is the longest end of the text
// that is the beginning of a needle: just what a stream must hold back.
type tree struct {
	nodes []node
	edges map[edge]int32
	root  [256]int32 // the edges from node 0, where nearly every byte of a log ends up
}

type edge struct {
	from int32
	by   byte
}

type node struct {
	depth   int32 // how many bytes of a needle this is
	fail    int32 // the longest proper end of this that begins a needle
	longest int32 // the longest needle that ends here, 0 for none
}

// grow builds the tree.
func grow(needles []string) *tree {
	t := &tree{nodes: make([]node, 1), edges: map[edge]int32{}}
	for _, needle := range needles {
		at := int32(0)
		for i := range len(needle) {
			next, ok := t.edges[edge{at, needle[i]}]
			if !ok {
				next = int32(len(t.nodes))
				t.nodes = append(t.nodes, node{depth: t.nodes[at].depth + 1})
				t.edges[edge{at, needle[i]}] = next
			}
			at = next
		}
		t.nodes[at].longest = t.nodes[at].depth
	}
	for e, child := range t.edges {
		if e.from == 0 {
			t.root[e.by] = child
		}
	}
	t.link()
	return t
}

// link sets the fail links by growing depth, so that a link's target is done
// before it is needed.
func (t *tree) link() {
	children := make([][]edge, len(t.nodes))
	for e := range t.edges {
		children[e.from] = append(children[e.from], e)
	}
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, e := range children[at] {
			child := t.edges[e]
			if at != 0 {
				fail := t.step(t.nodes[at].fail, e.by)
				t.nodes[child].fail = fail
				// A needle that ends inside a longer one counts here too.
				t.nodes[child].longest = max(t.nodes[child].longest, t.nodes[fail].longest)
			}
			queue = append(queue, child)
		}
	}
}

// step returns the state after one more byte.
func (t *tree) step(at int32, b byte) int32 {
	for at != 0 {
		if next, ok := t.edges[edge{at, b}]; ok {
			return next
		}
		at = t.nodes[at].fail
	}
	return t.root[b]
}
