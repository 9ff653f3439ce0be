package password_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/tenancy/password"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		password string
		personal []string
		refused  string
	}{
		"long sentence":           {password: "correct horse battery stapler"},
		"random":                  {password: "x7#kPq2w"},
		"not latin":               {password: "пароль-гора-река"},
		"eight characters":        {password: "äöüßéèêë"},
		"longest":                 {password: strings.Repeat("xyzä", 32)},
		"digits but not a year":   {password: "77429618831love"},
		"short":                   {password: "x7#kPq2", refused: "at least 8"},
		"empty":                   {password: "", refused: "at least 8"},
		"too long":                {password: strings.Repeat("xyzä", 32) + "a", refused: "at most 128"},
		"broken":                  {password: "x7#kPq2w\xff", refused: "UTF-8"},
		"common":                  {password: "1q2w3e4r5t", refused: "easy to guess"},
		"common in capitals":      {password: "PassWord", refused: "easy to guess"},
		"common with year":        {password: "Summer2026!", refused: "easy to guess"},
		"one letter":              {password: "kkkkkkkkkkk", refused: "easy to guess"},
		"the product":             {password: "signalbox1", refused: "easy to guess"},
		"own address":             {password: "ada.lovelace@example.com", personal: []string{"Ada.Lovelace@example.com"}, refused: "easy to guess"},
		"own name adorned":        {password: "Lovelace1815", personal: []string{"Ada Lovelace"}, refused: "easy to guess"},
		"own address, local part": {password: "lovelace!!", personal: []string{"a.lovelace7@example.com"}, refused: "easy to guess"},
		"own name within":         {password: "lovelace-engine-notes", personal: []string{"Ada Lovelace"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := password.Check(c.password, c.personal...)
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.refused)
			require.Equal(t, password.ReasonRefused, fault.ReasonOf(err))
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
		})
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("Summer2026!", "Ada Lovelace")
	f.Add("\xff", "")
	f.Add("12345678", "1.2@3")
	f.Fuzz(func(t *testing.T, text, personal string) {
		if err := password.Check(text, personal); err != nil {
			require.Equal(t, password.ReasonRefused, fault.ReasonOf(err))
		}
	})
}
