package password

import (
	"strings"
	"testing"
)

const (
	salt16 = "AAECAwQFBgcICQoLDA0ODw"                      // bytes 0 to 15
	tag32  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" // bytes 0 to 31
)

func TestParsePHC(t *testing.T) {
	const good = "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + tag32
	tests := []struct {
		name, encoded string
		ok            bool
	}{
		{"as we write it", good, true},
		{"largest cost", "$argon2id$v=19$m=1048576,t=10,p=16$" + salt16 + "$" + tag32, true},
		{"least memory for its lanes", "$argon2id$v=19$m=32,t=1,p=4$" + salt16 + "$" + tag32, true},

		{"empty", "", false},
		{"prefix only", "$argon2id$", false},
		{"other variant", strings.Replace(good, "argon2id", "argon2i", 1), false},
		{"older version", strings.Replace(good, "v=19", "v=16", 1), false},
		{"no version", strings.Replace(good, "v=19$", "", 1), false},
		{"text before", "x" + good, false},
		{"text after", good + "$", false},
		{"trailing line break", good + "\n", false},
		{"order of parameters", "$argon2id$v=19$t=2,m=19456,p=1$" + salt16 + "$" + tag32, false},
		{"parameter missing", "$argon2id$v=19$m=19456,t=2$" + salt16 + "$" + tag32, false},
		{"parameter added", "$argon2id$v=19$m=19456,t=2,p=1,keyid=AA$" + salt16 + "$" + tag32, false},
		{"leading zero", "$argon2id$v=19$m=019456,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"sign", "$argon2id$v=19$m=+19456,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"negative", "$argon2id$v=19$m=-19456,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"space", "$argon2id$v=19$m= 19456,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"hexadecimal", "$argon2id$v=19$m=0x4c00,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"overflow", "$argon2id$v=19$m=4294986752,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"lanes overflow", "$argon2id$v=19$m=19456,t=2,p=257$" + salt16 + "$" + tag32, false},
		{"padded base64", good + "=", false},
		{"url base64", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$__" + tag32[2:], false},
		{"stray bits", strings.TrimSuffix(good, "8") + "9", false},
		{"line break in base64", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$AA\n" + tag32[2:], false},
		{"overlong", good + strings.Repeat("A", maxEncoded), false},

		{"memory above 1 GiB", "$argon2id$v=19$m=1048577,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"memory below its lanes", "$argon2id$v=19$m=31,t=1,p=4$" + salt16 + "$" + tag32, false},
		{"no memory", "$argon2id$v=19$m=0,t=2,p=1$" + salt16 + "$" + tag32, false},
		{"too many passes", "$argon2id$v=19$m=19456,t=11,p=1$" + salt16 + "$" + tag32, false},
		{"no passes", "$argon2id$v=19$m=19456,t=0,p=1$" + salt16 + "$" + tag32, false},
		{"too many lanes", "$argon2id$v=19$m=19456,t=2,p=17$" + salt16 + "$" + tag32, false},
		{"no lanes", "$argon2id$v=19$m=19456,t=2,p=0$" + salt16 + "$" + tag32, false},
		{"no salt", "$argon2id$v=19$m=19456,t=2,p=1$$" + tag32, false},
		{"short salt", "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBg$" + tag32, false},
		{"long salt", "$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("AAAA", 22) + "$" + tag32, false},
		{"no tag", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$", false},
		{"short tag", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$AAECAwQFBgcICQoLDA0O", false},
		{"long tag", "$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + strings.Repeat("AAAA", 22), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parsePHC(test.encoded)
			if ok := err == nil; ok != test.ok {
				t.Fatalf("parsePHC(%q) = %+v, %v; want ok = %v", test.encoded, got, err, test.ok)
			}
		})
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + tag32)
	f.Add("$argon2id$v=19$m=0,t=0,p=0$$")
	f.Add("$argon2id$v=19$m=,t=,p=$a$b")
	f.Add("$$$$$")
	f.Add("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
	f.Fuzz(func(t *testing.T, encoded string) {
		if _, err := parseBcrypt(encoded); err == nil && len(encoded) != bcryptSize {
			t.Errorf("bcrypt hash of %d bytes accepted", len(encoded))
		}
		got, err := parsePHC(encoded)
		if err != nil {
			return
		}
		if got.String() != encoded {
			t.Errorf("%q is written as %q", encoded, got)
		}
		if err := got.params.check(); err != nil {
			t.Errorf("%q: %v", encoded, err)
		}
	})
}
