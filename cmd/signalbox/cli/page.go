package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// pageFlags are the flags of a list that the service gives out in pages.
func (a *app) pageFlags(c *cobra.Command, size *uint32, token *string) {
	c.Flags().Uint32VarP(size, "limit", "n", 0, "at most so many, 200 at most (default 50)")
	c.Flags().StringVar(token, "page", "", "go on from this `TOKEN` of an earlier answer")
}

// more tells people how to see the rest of a list; programs have the token.
func (a *app) more(token string) {
	if token != "" && !a.flags.structured() {
		a.note("There is more: --page %s", token)
	}
}

func upper(s string) string { return strings.ToUpper(s) }

// formatMilli spells thousandths as a decimal: 1500 is 1.500.
func formatMilli(n int64) string { return fmt.Sprintf("%d.%03d", n/1000, n%1000) }
