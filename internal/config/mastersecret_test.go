package config

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeSecret(t *testing.T) {
	value := unhex(t, goodHex)
	long := append(unhex(t, goodHex), 0xfb, 0xff, 0xfe, 0x3e) // gives + and / in base64
	tests := []struct {
		name, text string
		want       []byte
	}{
		{"hex", goodHex, value},
		{"upper-case hex", strings.ToUpper(goodHex), value},
		{"base64", base64.StdEncoding.EncodeToString(long), long},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString(long), long},
		{"base64url", base64.URLEncoding.EncodeToString(long), long},
		{"base64url without padding", base64.RawURLEncoding.EncodeToString(long), long},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodeSecret(test.text)
			if err != nil || !bytes.Equal(got, test.want) {
				t.Errorf("decodeSecret = %x, %v; want %x", got, err, test.want)
			}
		})
	}
}

func TestDecodeSecretAcceptsRandom(t *testing.T) {
	for range 2000 {
		value := make([]byte, minSecretBytes)
		rand.Read(value)
		for _, text := range []string{hex.EncodeToString(value), base64.StdEncoding.EncodeToString(value), base64.RawURLEncoding.EncodeToString(value)} {
			if _, err := decodeSecret(text); err != nil {
				t.Fatalf("decodeSecret(%q): %v", text, err)
			}
		}
	}
}

func TestSecretProblems(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"short hex", goodHex[:62], "has 31 bytes"},
		{"hex that would be long enough as base64", goodHex[:44], "has 22 bytes"},
		{"short base64", "qL8zTn0w", "has 6 bytes"},
		{"neither", "p@ss phrase: correct horse battery staple, again!", "neither hex nor base64"},
		{"two newlines", goodHex + "\n\n", "more than one line"},
		{"two lines", goodHex + "\n" + otherHex, "more than one line"},
		{"space at the end", goodHex + " ", "neither hex nor base64"},

		{"changeme", "changeme", "sample"},
		{"your-secret-key", "your-secret-key", "sample"},
		{"long sample words", "Please-Change-Me-To-A-Very-Long-Random-Value-1234567890", "sample"},
		{"sample words in base64", base64.StdEncoding.EncodeToString([]byte("this is my super secret signing key 1234")), "sample"},
		{"FastAPI tutorial", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "sample"},
		{"FastAPI tutorial in base64", base64.StdEncoding.EncodeToString(unhex(t, "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7")), "sample"},
		{"RFC 7515", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", "sample"},
		{"SHA-256 of password", "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8", "sample"},

		{"all zeros", strings.Repeat("00", 32), "not random enough"},
		{"repeated byte", strings.Repeat("a7", 48), "not random enough"},
		{"repeated letters", strings.Repeat("A", 64), "not random enough"},
		{"digits", strings.Repeat("0123456789abcdef", 4), "not random enough"},
		{"fifteen different bytes", goodHex[:30] + goodHex[:4] + goodHex[:30], "not random enough"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"LATCHKEY_SECRET", "LATCHKEY_SECRET_PREVIOUS"} {
				wantProblem(t, map[string]string{name: test.text}, name, test.want)
				_, _, err := load(t, map[string]string{name: test.text})
				if strings.Contains(err.Error(), test.text) {
					t.Errorf("the secret is in the problem: %v", err)
				}
			}
			wantProblem(t, map[string]string{"LATCHKEY_SECRET_FILE": writeFile(t, test.text+"\n", 0o600)}, "LATCHKEY_SECRET_FILE", test.want)
		})
	}
}

func TestSecretsTogether(t *testing.T) {
	wantProblem(t, map[string]string{"LATCHKEY_DATABASE_URL": postgresIn}, "LATCHKEY_SECRET", "required with PostgreSQL")
	wantProblem(t, map[string]string{
		"LATCHKEY_SECRET":          goodHex,
		"LATCHKEY_SECRET_PREVIOUS": strings.ToUpper(goodHex),
	}, "LATCHKEY_SECRET_PREVIOUS", "same as LATCHKEY_SECRET")
	// A secret that is there but wrong is not reported as missing too.
	wantProblem(t, map[string]string{
		"LATCHKEY_DATABASE_URL": postgresIn,
		"LATCHKEY_SECRET":       "short",
	}, "LATCHKEY_SECRET", "neither hex nor base64")
}

func TestSecretFromFile(t *testing.T) {
	want := unhex(t, goodHex)
	for name, content := range map[string]string{"bare": goodHex, "newline": goodHex + "\n", "CRLF": goodHex + "\r\n"} {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, map[string]string{"LATCHKEY_SECRET_FILE": writeFile(t, content, 0o640)})
			if got := c.Secret.Bytes(); !bytes.Equal(got, want) {
				t.Errorf("Secret = %x, want %x", got, want)
			}
		})
	}
	t.Run("every secret", func(t *testing.T) {
		c := mustLoad(t, map[string]string{
			"LATCHKEY_SECRET_FILE":          writeFile(t, goodHex, 0o600),
			"LATCHKEY_SECRET_PREVIOUS_FILE": writeFile(t, otherHex, 0o600),
			"LATCHKEY_DATABASE_URL_FILE":    writeFile(t, postgresIn+"\n", 0o600),
		})
		if !bytes.Equal(c.SecretPrevious.Bytes(), unhex(t, otherHex)) || string(c.Database.URL.Bytes()) != postgresIn {
			t.Errorf("SecretPrevious %x, Database %q", c.SecretPrevious.Bytes(), c.Database.URL.Bytes())
		}
	})
}

func TestSecretFileProblems(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(t.TempDir(), "none"), "cannot be read"},
		{"folder", t.TempDir(), "cannot be read"},
		{"empty", writeFile(t, "", 0o600), "empty file"},
		{"one newline", writeFile(t, "\n", 0o600), "empty file"},
		{"too large", writeFile(t, strings.Repeat("a", maxSecretFile+1), 0o600), "larger than 64 KB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantProblem(t, map[string]string{"LATCHKEY_SECRET_FILE": test.path}, "LATCHKEY_SECRET_FILE", test.want)
			wantProblem(t, map[string]string{"LATCHKEY_DATABASE_URL_FILE": test.path}, "LATCHKEY_DATABASE_URL_FILE", test.want)
		})
	}
	for _, name := range []string{"LATCHKEY_SECRET", "LATCHKEY_SECRET_PREVIOUS", "LATCHKEY_DATABASE_URL"} {
		wantProblem(t, map[string]string{name: otherHex, name + "_FILE": writeFile(t, goodHex, 0o600)}, name, "are both set")
	}
}

func TestWorldReadableSecretWarns(t *testing.T) {
	t.Run("given", func(t *testing.T) {
		path := writeFile(t, goodHex, 0o644)
		c, warnings, err := load(t, map[string]string{"LATCHKEY_SECRET_FILE": path})
		if err != nil || c.Secret.IsZero() {
			t.Fatalf("Load: %v, want the secret with a warning", err)
		}
		wantWarning(t, warnings, "LATCHKEY_SECRET_FILE names a file that every user of this machine can read ("+path+", mode 0644)")
	})
	t.Run("made", func(t *testing.T) {
		folder := t.TempDir()
		vars := map[string]string{"LATCHKEY_DATABASE_URL": "sqlite:" + filepath.Join(folder, "x.db")}
		path := filepath.Join(folder, "secret")
		if _, _, err := EnsureSecret(path); err != nil {
			t.Fatal(err)
		}
		mustLoad(t, vars)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		_, warnings, err := load(t, vars)
		if err != nil {
			t.Fatal(err)
		}
		wantWarning(t, warnings, path)
	})
}
