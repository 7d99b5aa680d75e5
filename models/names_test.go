package models_test

import (
	"testing"

	"latchkey/models"
)

// TestFoldEmail checks that all spellings of an address have the same form, and that
// addresses with other letters have a different one.
func TestFoldEmail(t *testing.T) {
	tests := []struct{ name, a, b string }{
		{"case", "Ana@Example.ORG", "ana@example.org"},
		{"composed and decomposed", "jos\u00e9@x", "jose\u0301@x"},
		{"the same in capitals", "JOS\u00c9@x", "jose\u0301@x"},
		{"two marks in either order", "a\u0323\u0302@x", "a\u0302\u0323@x"},
		{"final sigma", "\u03bf\u03b4\u03bf\u03c2@x", "\u039f\u0394\u039f\u03a3@x"},
		{"capital sharp s", "stra\u1e9ee@x", "stra\u00dfe@x"},
		{"Kelvin sign", "\u212aate@x", "kate@x"},
		{"long s", "ka\u017fimir@x", "KASIMIR@x"},
		{"ligature", "kas\ufb01@x", "kasfi@x"},
		{"full width", "\uff21\uff4e\uff41\uff20\uff58", "ana@x"},
		{"a mark that resolves to a space", "\u00a8ana@x", "\u0308ana@x"},
		{"pasted", "\ufeffana\u200b@x\u200e ", "ana@x"},
	}
	for _, test := range tests {
		if a, b := models.FoldEmail(test.a), models.FoldEmail(test.b); a != b {
			t.Errorf("%s: %+q and %+q differ", test.name, a, b)
		}
	}
	for _, other := range [][2]string{{"ı@x", "i@x"}, {"İ@x", "i@x"}, {"stra\u00dfe@x", "strasse@x"}, {"jose@x", "jos\u00e9@x"}, {"I\u0307@x", "i@x"}, {"а@x", "a@x"}} {
		if models.FoldEmail(other[0]) == models.FoldEmail(other[1]) {
			t.Errorf("%+q and %+q are the same", other[0], other[1])
		}
	}
}

// FuzzForms checks that applying a form twice gives the same text as applying it once.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{"", " Ana ", "jose\u0301@EXAMPLE.org", "\uff21\u212a\u0130\u0131", "\u03a3\u03c2\u1e9e", "a\u0345\u0301", "\xff", "\u200b \u00ad"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, form := range map[string]func(string) string{
			"Tidy": models.Tidy, "TidyName": models.TidyName, "FoldEmail": models.FoldEmail, "FoldUsername": models.FoldUsername,
		} {
			if once, twice := form(text), form(form(text)); once != twice {
				t.Errorf("%s(%+q) is %+q, and of that %+q", name, text, once, twice)
			}
		}
		if a, b := models.FoldEmail(text), models.FoldEmail(models.TidyName(text)); a != b {
			t.Errorf("%+q is compared as %+q, stored and compared as %+q", text, a, b)
		}
	})
}
