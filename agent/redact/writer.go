package redact

import "io"

// Writer redacts what is written to it on its way to another writer. It is for
// one goroutine, like the stream of a step's output that it is made for.
type Writer struct {
	to   io.Writer
	scan *scanner
}

// Writer returns a writer that redacts. The end of what was written may be held
// back as long as it may be the beginning of a secret; Close gives it out.
func (r *Redactor) Writer(to io.Writer) *Writer {
	w := &Writer{to: to}
	if r != nil {
		w.scan = &scanner{tree: r.tree}
	}
	return w
}

// Write never reports a short count for its own sake; the error is that of the
// writer behind.
func (w *Writer) Write(p []byte) (int, error) {
	if w.scan == nil {
		return w.to.Write(p)
	}
	if out := w.scan.feed(p); len(out) > 0 {
		if _, err := w.to.Write(out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close gives out what was held back. It does not close the writer behind.
func (w *Writer) Close() error {
	if w.scan == nil {
		return nil
	}
	if out := w.scan.flush(); len(out) > 0 {
		_, err := w.to.Write(out)
		return err
	}
	return nil
}
