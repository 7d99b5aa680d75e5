package audit

// SignInEvents is the preset of the filter with every event that signs someone
// in. The overview counts them and links there.
const SignInEvents = "sign-ins"

// Choice is an entry of the filter: one event, or a preset of several. Its
// value is part of URLs.
type Choice struct {
	Value  string
	Label  string
	Events []string
}

// Choices are the entries of one group of the filter.
type Choices struct {
	Group   Group
	Entries []Choice
}

// Filter returns the entries of the filter, presets first, in their groups.
func Filter() []Choices {
	list := []Choices{
		{SigningIn, []Choice{
			{"signing-in", "All sign-in events", eventsOf(SigningIn)},
			{SignInEvents, "Sign-ins, including new accounts", []string{Login, SignUp, Setup}},
		}},
		{OwnAccount, []Choice{{"own-account", "All own-account events", eventsOf(OwnAccount)}}},
		{Admins, []Choice{{"admins", "All admin actions", eventsOf(Admins)}}},
	}
	for i := range list {
		for _, k := range kinds {
			if k.group == list[i].Group {
				list[i].Entries = append(list[i].Entries, Choice{k.name, k.label, []string{k.name}})
			}
		}
	}
	return list
}

func eventsOf(group Group) (names []string) {
	for _, k := range kinds {
		if k.group == group {
			names = append(names, k.name)
		}
	}
	return names
}

// Chosen returns the events that a value of the filter stands for; nil when
// there is no such value.
func Chosen(value string) []string { return choice(value).Events }

// Label returns the words for a value of the filter; "" when there is no such
// value.
func Label(value string) string { return choice(value).Label }

func choice(value string) Choice {
	for _, group := range Filter() {
		for _, entry := range group.Entries {
			if entry.Value == value {
				return entry
			}
		}
	}
	return Choice{}
}
