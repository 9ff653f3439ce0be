package secret

import "log/slog"

const redacted = "REDACTED"

// Value is a secret that prints as REDACTED wherever it ends up by mistake.
type Value struct{ text string }

// NewValue wraps a text.
func NewValue(text string) Value { return Value{text} }

// Reveal gives the secret itself. It is called where a step's environment is
// put together and where the redactor is made.
func (v Value) Reveal() string { return v.text }

// String hides the secret.
func (v Value) String() string { return redacted }

// GoString hides the secret.
func (v Value) GoString() string { return redacted }

// LogValue hides the secret.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes a text that somebody configured.
func (v *Value) UnmarshalText(text []byte) error {
	v.text = string(text)
	return nil
}
