package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth is far more nesting than the format has; it bounds our recursion.
const maxDepth = 32

const byteOrderMark = "\ufeff"

// parse reads the source into a tree of nodes that is safe to walk: one document,
// no aliases, no tags, scalar keys, none twice. It reports false where there is
// nothing worth reading further.
func (c *compiler) parse(src []byte) (*yaml.Node, bool) {
	if len(src) > MaxSourceBytes {
		c.failAt("", span{1, 1, 1}, Problem{
			Message: "the file is too large",
			Want:    fmt.Sprintf("at most %d KiB", MaxSourceBytes>>10),
			Got:     fmt.Sprintf("%d KiB", (len(src)+1023)>>10),
		})
		return nil, false
	}
	if !utf8.Valid(src) {
		c.failAt("", c.src.firstInvalid(), Problem{Message: "the file is not UTF-8"})
		return nil, false
	}
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	c.src.lines[0] = strings.TrimPrefix(c.src.lines[0], byteOrderMark)

	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(src))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		c.failAt("", span{1, 1, 1}, Problem{Message: "the file is empty", Want: "a pipeline, which begins with `signalbox: v1`"})
		return nil, false
	} else if err != nil {
		c.failSyntax(src, err)
		return nil, false
	}
	if err := dec.Decode(&second); err == nil {
		c.fail("", &second, Problem{Message: "the file holds a second YAML document", Want: "one pipeline per file"})
	} else if !errors.Is(err, io.EOF) {
		c.failSyntax(src, err)
	}
	return doc.Content[0], c.tidy("", doc.Content[0], 0)
}

// tidy checks what is true of every node and takes keys that were reported out of
// the tree. It reports false for structures that no reader shall see.
func (c *compiler) tidy(path string, n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		c.fail(path, n, Problem{Message: "nested too deeply"})
		return false
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		c.fail(path, n, Problem{
			Message: "YAML anchors and aliases are not supported",
			Hint:    "what several tasks share stands under `defaults:`",
		})
		return false
	case n.Style&yaml.TaggedStyle != 0:
		c.fail(path, n, Problem{
			Message: "YAML tags are not supported", Got: n.Tag,
			Hint: "leave it out: a value is converted by its declared type",
		})
		return false
	}
	ok := true
	if n.Kind == yaml.MappingNode {
		return c.tidyMapping(path, n, depth)
	}
	for i, item := range n.Content { // of a list; a scalar has none
		ok = c.tidy(index(path, i), item, depth+1) && ok
	}
	return ok
}

func (c *compiler) tidyMapping(path string, n *yaml.Node, depth int) bool {
	ok := true
	first := map[string]*yaml.Node{}
	kept := make([]*yaml.Node, 0, len(n.Content))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0 {
			c.fail(path, key, Problem{Message: "a key must be plain text"})
			ok = false
			continue
		}
		at := join(path, key.Value)
		switch {
		case key.Value == "<<" && key.Style == 0:
			c.fail(path, key, Problem{
				Message: "YAML merge keys are not supported",
				Hint:    "what several tasks share stands under `defaults:`",
			})
			ok = false
			continue
		case misread(key.Value):
			c.fail(at, key, Problem{
				Message: fmt.Sprintf("`%s` may not be a key: half of all YAML readers take it for a boolean", key.Value),
				Hint:    hintForOn(path, key.Value),
			})
			continue
		case first[key.Value] != nil:
			c.fail(at, key, Problem{
				Message: fmt.Sprintf("`%s` stands here twice", clip(key.Value)),
				Hint:    fmt.Sprintf("the first one is in line %d", first[key.Value].Line),
			})
			continue
		}
		first[key.Value] = key
		ok = c.tidy(at, value, depth+1) && ok
		kept = append(kept, key, value)
	}
	n.Content = kept
	return ok
}

// misread reports the words that are booleans in YAML 1.1 and text in YAML 1.2.
func misread(key string) bool {
	switch strings.ToLower(key) {
	case "on", "yes", "no", "off":
		return true
	}
	return false
}

func hintForOn(path, key string) string {
	if path == "" && key == "on" {
		return "triggers are written `triggers:`, as in `triggers: [{schedule: \"0 2 * * *\"}]`"
	}
	return "choose another name"
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// failSyntax reports what the YAML parser could not read. Its own line is that of
// the construct it was in; where that is not the fault's, we look for it.
func (c *compiler) failSyntax(src []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // the pattern admits digits only
		text = strings.TrimPrefix(text, m[0])
	}
	if strings.HasPrefix(text, "did not find expected") {
		line = brokenLine(src, line)
	}
	line = min(max(1, line), len(c.src.lines))
	indent := len(c.src.line(line)) - len(strings.TrimLeft(c.src.line(line), " \t"))
	p := Problem{Message: "this is not YAML: " + text}
	if strings.Contains(c.src.line(line)[:indent], "\t") {
		p.Hint = "indent with spaces; YAML does not allow tabs"
	} else if strings.Contains(text, "mapping values are not allowed") {
		p.Hint = "quote text that contains `: `"
	}
	c.failAt("", span{line, indent + 1, 1}, p)
}

// brokenLine is the line after the longest beginning of src that is YAML by
// itself, looked for around the byte at which the parser gave up.
func brokenLine(src []byte, fallback int) int {
	r := &countingReader{r: bytes.NewReader(src)}
	var n yaml.Node
	dec := yaml.NewDecoder(r)
	for dec.Decode(&n) == nil {
		n = yaml.Node{}
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	reached := bytes.Count(src[:r.read], []byte("\n"))
	for k := min(reached+1, len(lines)); k > max(0, reached-4); k-- {
		var part yaml.Node
		if err := yaml.Unmarshal(bytes.Join(lines[:k], nil), &part); err == nil {
			return k + 1
		}
	}
	return fallback
}

// countingReader hands out one byte at a time, so that what was read is what the
// parser had to see.
type countingReader struct {
	r    *bytes.Reader
	read int
}

// Read implements io.Reader.
func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p[:min(1, len(p))])
	r.read += n
	return n, err
}

func (s *source) firstInvalid() span {
	for i, line := range s.lines {
		for at, r := range line {
			if r == utf8.RuneError && !strings.HasPrefix(line[at:], string(utf8.RuneError)) {
				return span{i + 1, utf8.RuneCountInString(line[:at]) + 1, 1}
			}
		}
	}
	return span{1, 1, 1}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// join is the path of key under path, as machines read it: `tasks.train.env.X`.
func join(path, key string) string {
	if !plainKey.MatchString(key) {
		return path + "[" + strconv.Quote(clip(key)) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// clip shortens text of the file for a message.
func clip(text string) string {
	const most = 60
	r := []rune(text)
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
