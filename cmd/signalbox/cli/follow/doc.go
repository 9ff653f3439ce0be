// Package follow shows a run while it runs: as a tree that is drawn again and
// again on a terminal, as lines where there is none.
//
// It owns the two forms and the patience with lost connections. The forms are
// pure functions of what the service said and of the time; the package decides
// nothing about a run.
package follow
