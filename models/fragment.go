package models

// fragment is SQL with ? for its arguments, put together from pieces that
// stand in the source: no value ever becomes text.
type fragment struct {
	text string
	args []any
}

func (q *fragment) add(text string, args ...any) {
	q.text += text
	q.args = append(q.args, args...)
}

func (q *fragment) append(other fragment) { q.add(other.text, other.args...) }

// except adds that none of conditions holds.
func (q *fragment) except(conditions ...fragment) {
	for _, condition := range conditions {
		q.add(" AND NOT (")
		q.append(condition)
		q.add(")")
	}
}

// union joins selects that have orders and limits of their own.
func union(parts []fragment, operator string) fragment {
	var query fragment
	for i, part := range parts {
		if i > 0 {
			query.add(operator)
		}
		query.add("SELECT * FROM (")
		query.append(part)
		query.add(") AS part")
	}
	return query
}
