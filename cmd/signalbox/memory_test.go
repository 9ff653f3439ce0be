package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCollectorRunsByWhatLives(t *testing.T) {
	t.Parallel()
	require.Equal(t, 400, gogc(0))
	require.Equal(t, 400, gogc(10<<20))
	require.Equal(t, 96, gogc(100<<20))
	require.Equal(t, 30, gogc(400<<20), "much garbage is collected seldom where much lives")
}
