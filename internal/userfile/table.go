package userfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The columns of CSV and the names of JSON lines.
const columns = "username, email, full_name, password_hash, role, disabled, created_at, email_verified"

// aliases are other names of columns: FastAPI services call the hash hashed_password.
var aliases = map[string]string{"hashed_password": "password_hash"}

// columnName matches what may be the name of a column, and no address or hash.
var columnName = regexp.MustCompile(`^[\pL\pN _-]{1,40}$`)

// column returns a column by the name in a file, "" for an unknown one.
func column(name string) string {
	name = strings.TrimSpace(name)
	if alias, ok := aliases[name]; ok {
		return alias
	}
	if slices.Contains(strings.Split(columns, ", "), name) {
		return name
	}
	return ""
}

// csv reads CSV (RFC 4180) whose first line names the columns.
func (f *File) csv(yield func(Account) bool) error {
	reader := csv.NewReader(f.text)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return csvFailure(err)
	}
	header, err = readHeader(header)
	if err != nil {
		return err
	}
	for {
		f.text.record()
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return csvFailure(err)
		}
		line, _ := reader.FieldPos(0)
		a := Account{Unit: "line", Number: line}
		switch {
		case err != nil:
			a.wrong("", fmt.Sprintf("This line has %d values for %d columns.", len(row), len(header)))
		case !utf8.ValidString(strings.Join(row, "")):
			a.wrong("", "This line is not UTF-8.")
		default:
			for i, name := range header {
				a.set(name, row[i])
			}
		}
		if !yield(a) {
			return nil
		}
	}
}

// readHeader returns the columns of a header.
func readHeader(names []string) ([]string, error) {
	var header []string
	for _, name := range names {
		known := column(name)
		switch {
		case known == "" && len(names) == 1 && strings.ContainsAny(name, ";\t|"):
			return nil, damage("line 1: separate the columns with commas")
		case known == "" && !columnName.MatchString(name): // perhaps a hash, which is not to be shown
			return nil, damage("line 1 does not name the columns: they are " + columns)
		case known == "":
			return nil, damage(fmt.Sprintf("line 1: the column %q is not known: the columns are %s", name, columns))
		case slices.Contains(header, known):
			return nil, damage(fmt.Sprintf("line 1: the column %s is there twice", known))
		}
		header = append(header, known)
	}
	if !slices.Contains(header, "username") && !slices.Contains(header, "email") {
		return nil, damage("line 1: there is neither a column username nor a column email: the first line names the columns")
	}
	return header, nil
}

// csvFailure returns what is wrong with CSV that cannot be read on.
func csvFailure(err error) error {
	if errors.Is(err, io.EOF) {
		return damage("the file is empty")
	}
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return damage(fmt.Sprintf("line %d: a quotation mark is missing, or one inside of a value is not doubled", e.StartLine))
	}
	return err
}

// jsonLines reads one JSON object a line.
func (f *File) jsonLines(yield func(Account) bool) error {
	f.text.whole()
	scanner := bufio.NewScanner(f.text)
	scanner.Buffer(make([]byte, 4096), maxRecord)
	number := 0
	for scanner.Scan() {
		number++
		if strings.TrimSpace(scanner.Text()) == "" {
			continue
		}
		a := Account{Unit: "line", Number: number}
		row := object{}
		if err := row.read(scanner.Bytes()); err != nil {
			a.wrong("", "This line is not a JSON object: "+jsonCause(err)+".")
		}
		given := map[string]bool{}
		for _, name := range row.names() {
			known := column(name)
			if known == "" {
				a.wrong("", fmt.Sprintf("The name %.40q is not known: the names are %s.", name, columns))
				continue
			}
			if given[known] {
				a.wrong(known, "This value is there twice, under two names.")
				continue
			}
			given[known] = true
			a.set(known, row.text(&a, known, name))
		}
		if !yield(a) {
			return nil
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return damage(fmt.Sprintf("line %d is longer than 1 MiB: no account is that long", number+1))
	}
	return scanner.Err()
}

// set sets a column of an account.
func (a *Account) set(column, value string) {
	switch column {
	case "username":
		a.Username = value
	case "email":
		a.Email = value
	case "full_name":
		a.FullName = value
	case "password_hash":
		a.PasswordHash = strings.TrimSpace(value)
	case "role":
		if role := strings.TrimSpace(value); role != "" && role != "user" {
			a.Groups = []string{role}
		}
	case "disabled":
		a.Disabled = a.flag(column, value)
	case "created_at":
		a.Created = a.time(column, value)
	case "email_verified":
		a.Verified = a.flag(column, value)
	}
}
