package redact

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// minPart is the shortest part of a secret that is hidden: shorter lines and
// leaves ("}", "true", "eu") would blacken half a log and give nothing away.
const minPart = 6

// forms returns the texts that would give a secret away. A whole secret is
// hidden however short it is: a log full of stars is the smaller evil.
func forms(secret string) []string {
	secret = strings.TrimSpace(secret) // files end with a newline, output often does not
	if secret == "" {
		return nil
	}
	parts := []string{secret}
	for line := range strings.Lines(secret) {
		parts = appendPart(parts, strings.TrimSpace(line))
	}
	var document any
	if json.Unmarshal([]byte(secret), &document) == nil {
		parts = appendLeaves(parts, document)
	}
	var all []string
	for _, part := range parts {
		all = append(all, part, url.QueryEscape(part), url.PathEscape(part), jsonEscape(part))
		all = appendBase64(all, part)
	}
	return all
}

func appendPart(parts []string, part string) []string {
	if len(part) >= minPart {
		return append(parts, part)
	}
	return parts
}

// appendLeaves adds the strings inside a JSON document; its numbers and keys
// are not what is secret about it.
func appendLeaves(parts []string, document any) []string {
	switch value := document.(type) {
	case string:
		parts = appendPart(parts, value)
		for line := range strings.Lines(value) {
			parts = appendPart(parts, strings.TrimSpace(line))
		}
	case []any:
		for _, element := range value {
			parts = appendLeaves(parts, element)
		}
	case map[string]any:
		for _, element := range value {
			parts = appendLeaves(parts, element)
		}
	}
	return parts
}

func jsonEscape(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(b[1 : len(b)-1])
}

// appendBase64 adds what of a secret shows in base64 whatever stands before and
// after it. The secret may begin at any of three positions of a group of three
// bytes; the characters that it shares with its neighbours are left out.
func appendBase64(all []string, secret string) []string {
	if len(secret) < minPart {
		return all
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		first := (8*shift + 5) / 6            // the first character that is all the secret's
		last := 8 * (shift + len(secret)) / 6 // behind the last such one
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(padded)[first:last])
		}
	}
	return all
}
