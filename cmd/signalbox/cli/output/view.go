package output

import (
	"io"

	"google.golang.org/protobuf/proto"
)

// View is one answer in all its forms.
type View struct {
	// Answer is what the API said: what json and yaml show.
	Answer proto.Message
	// Items are the elements where the answer is a list: the lines of jsonl.
	Items []proto.Message
	// Names are what `-o name` shows, one a line, fit for other commands.
	Names []string
	// Blocks are what people see, with an empty line between them.
	Blocks []Block
}

// Block is a Grid, a Sheet or Prose.
type Block interface {
	write(w io.Writer, p *Printer)
}

// Items collects the elements of a list for View.Items.
func Items[M proto.Message](list []M) []proto.Message {
	out := make([]proto.Message, 0, len(list))
	for _, m := range list {
		out = append(out, m)
	}
	return out
}

// NamesOf collects one name of each element for View.Names.
func NamesOf[M any](list []M, name func(M) string) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, name(m))
	}
	return out
}
