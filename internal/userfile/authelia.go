package userfile

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxYAML is the largest YAML file, in bytes. It is read as a whole.
const maxYAML = 8 << 20

// authelia reads the users of a file of Authelia.
func (f *File) authelia(yield func(Account) bool) error {
	if f.size > maxYAML {
		return damage("the file is larger than 8 MiB, too large for YAML: turn it into CSV or JSON lines")
	}
	f.text.whole()
	decoder := yaml.NewDecoder(f.text)
	var document, next yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return yamlFailure(err)
	}
	if err := decoder.Decode(&next); err == nil {
		return damage(fmt.Sprintf("line %d: there is a second YAML document: put all users into one", next.Line))
	} else if !errors.Is(err, io.EOF) {
		return yamlFailure(err)
	}
	users := member(document.Content[0], "users")
	if users == nil || users.Kind != yaml.MappingNode {
		return damage("there is no mapping “users”: this is not a file of users of Authelia")
	}
	for i := 0; i+1 < len(users.Content); i += 2 {
		if !yield(autheliaUser(users.Content[i], users.Content[i+1])) {
			return nil
		}
	}
	return nil
}

func yamlFailure(err error) error {
	if d, ok := errors.AsType[damage](err); ok {
		return d
	}
	if errors.Is(err, io.EOF) {
		return damage("the file is empty")
	}
	return damage("it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: "))
}

// member returns a value of a mapping, nil when there is none.
func member(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; mapping.Kind == yaml.MappingNode && i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// autheliaUser reads one user; attributes that have no place here are left out.
func autheliaUser(name, user *yaml.Node) Account {
	a := Account{Unit: "line", Number: name.Line, Username: name.Value}
	if user.Kind != yaml.MappingNode {
		a.wrong("", "This user has no mapping with email and password. References (* and <<) are not read.")
		return a
	}
	text := func(field, key string) string {
		value := member(user, key)
		switch {
		case value == nil || value.Tag == "!!null":
			return ""
		case value.Kind != yaml.ScalarNode:
			a.wrong(field, "This value is not a text.")
			return ""
		}
		return value.Value
	}
	a.Email = text("email", "email")
	a.FullName = text("full_name", "displayname")
	a.PasswordHash = text("password_hash", "password")
	a.Disabled = a.flag("disabled", text("disabled", "disabled"))
	a.autheliaGroups(member(user, "groups"))
	return a
}

// autheliaGroups reads a list of groups. The value of a reference is the name of what
// it refers to, which is not to be taken for a group.
func (a *Account) autheliaGroups(groups *yaml.Node) {
	if groups == nil || groups.Tag == "!!null" {
		return
	}
	lists := groups.Kind == yaml.SequenceNode
	for _, group := range groups.Content {
		lists = lists && group.Kind == yaml.ScalarNode
		a.Groups = append(a.Groups, group.Value)
	}
	if !lists {
		a.Groups = nil
		a.wrong("groups", "Write the groups as a list of names. References (*) are not read.")
	}
}
