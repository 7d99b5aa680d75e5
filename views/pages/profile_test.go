package pages

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProfileCards wants one link in a card, its title, which says where it
// leads to those who hear it alone; and none where no page is behind the card.
func TestProfileCards(t *testing.T) {
	type card struct{ Name, Link, URL string }
	doc := parse(t, sampleNamed(t, "profile"))
	var got []card
	for _, section := range doc.inside(doc.byID("main"), "section") {
		c := card{Name: doc.byID(section.attrs["aria-labelledby"]).text}
		for _, a := range doc.inside(section, "a") {
			if c.URL != "" || a.within("h2") == nil {
				t.Errorf("%s: the link %q is not the title, or a second one", c.Name, a.text)
			}
			c.Link, c.URL = a.text, a.attrs["href"]
		}
		got = append(got, c)
	}
	want := []card{
		{Name: "You"},
		{"Username", "Change Username", "/profile/username"},
		{"Email", "Change Email", "/profile/email"},
		{"Password", "Change Password", "/profile/password"},
		{"Access tokens", "Access tokens", "/profile/tokens"},
		{"Where you’re signed in", "Where you’re signed in", "/profile/sessions"},
		{Name: "Recent activity"},
		{Name: "Theme"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cards (-want +got):\n%s", diff)
	}
}
