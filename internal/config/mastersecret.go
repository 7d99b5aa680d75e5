package config

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	minSecretBytes   = 32 // a full HS256 key (RFC 7518 §3.2)
	minDistinctBytes = 16 // 32 random bytes hold 24 or more in practice
)

// secret reads and decodes a master secret; it is empty when unset.
func (l *loader) secret(name string) Secret {
	text, ok := l.secretValue(name)
	if !ok || text == "" {
		return Secret{}
	}
	value, err := decodeSecret(text)
	if err != nil {
		advice := "generate one with: openssl rand -hex 32"
		if name == nameSecretPrevious {
			advice = "set it to the complete previous secret, or unset it"
		}
		if l.getenv(name) == "" {
			name += fileSuffix
		}
		l.problem(name, "%v; %s", err, advice)
		return Secret{}
	}
	return NewSecret(value)
}

// checkSecrets compares the secrets with each other and with the database.
func (l *loader) checkSecrets(c *Config) {
	unset := l.getenv(nameSecret) == "" && l.getenv(nameSecret+fileSuffix) == ""
	if unset && c.Database.Dialect == Postgres {
		l.problem(nameSecret, "is required with PostgreSQL, because replicas must share it; generate one with: openssl rand -hex 32")
	}
	if !c.Secret.IsZero() && c.Secret.Equal(c.SecretPrevious) {
		l.problem(nameSecretPrevious, "is the same as %s; set it to the previous secret, or unset it", nameSecret)
	}
	if path := c.SecretPath(); unset && path != "" {
		l.checkGeneratedSecret(path)
	}
}

// decodeSecret returns the bytes that text stands for: hex if it is hex, else
// base64 of either alphabet, padded or not. It refuses a secret that is short,
// a known sample, or made of few different bytes. Its errors continue a sentence
// that begins with the name of the variable, and never quote the secret.
func decodeSecret(text string) ([]byte, error) {
	// Package base64 skips line breaks, so hex with one more newline than is
	// stripped would quietly decode to another secret.
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("holds more than one line")
	}
	value, err := hex.DecodeString(text)
	if err != nil {
		value, err = decodeBase64(text)
	}
	if wellKnown(text, value) {
		return nil, errors.New("is a published sample")
	}
	if err != nil {
		return nil, errors.New("is neither hex nor base64")
	}
	if len(value) < minSecretBytes {
		return nil, fmt.Errorf("has %d bytes after decoding; it needs at least %d", len(value), minSecretBytes)
	}
	if distinct(value) < minDistinctBytes {
		return nil, errors.New("is not random enough")
	}
	return value, nil
}

// decodeBase64 decodes both alphabets of RFC 4648 (§4 and §5).
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// wellKnown reports whether a secret is printed in a tutorial or a standard, or
// contains the words of a placeholder.
func wellKnown(text string, value []byte) bool {
	samples := []string{
		"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",                       // FastAPI tutorial
		"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",                       // Flask quickstart
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", // RFC 7515 appendix A.1
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",                       // SHA-256 of nothing
		"5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",                       // SHA-256 of "password"
		"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",                       // SHA-256 of "secret"
		"057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86",                       // SHA-256 of "changeme"
	}
	for _, sample := range samples {
		known, err := hex.DecodeString(sample)
		if err != nil {
			known, err = decodeBase64(sample)
		}
		if err == nil && bytes.Equal(value, known) {
			return true
		}
	}
	// No word is so short that random base64 spells it by accident.
	spelled := []string{"changeme", "changethis", "replaceme", "replacethis", "secret", "password", "latchkey", "example", "insecure", "placeholder"}
	for _, spelling := range []string{letters(text), letters(string(value))} {
		for _, word := range spelled {
			if strings.Contains(spelling, word) {
				return true
			}
		}
	}
	return false
}

// letters returns s in lower case without the marks between words.
func letters(s string) string {
	return strings.NewReplacer("-", "", "_", "", "+", "", "/", "", " ", "", ".", "").Replace(strings.ToLower(s))
}

// distinct returns how many different bytes b holds.
func distinct(b []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}
