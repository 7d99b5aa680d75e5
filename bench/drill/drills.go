package main

import "context"

// drill is one kind of disturbance.
type drill struct {
	name      string
	about     string
	short     bool     // is one of scripts/test
	databases []string // where it can run; all if empty
	run       func(context.Context, *stage) error
}

var (
	onlyPostgres = []string{postgresName}

	drills = []drill{
		{"kill", "kill -9 of the portal, again and again", true, nil, kills},
		{"stopped", "the database is stopped and comes back", true, onlyPostgres, stopped},
		{"stalled", "the database keeps its connections and answers nothing; SQLite: another process holds the write lock", true, nil, stalled},
		{"slow", "every answer of the database takes 50 ms; SQLite: another process writes most of the time", false, nil, slow},
		{"cut", "the network resets the connections to the database, refuses new ones, and drops packets", false, onlyPostgres, cut},
		{"full", "the disk of the database is full", true, nil, full},
		{"read-only", "the file system turns read-only; PostgreSQL: the server takes no writes", false, nil, readOnly},
		{"rolling", "rolling restarts behind HAProxy", true, nil, rollingHAProxy},
		{"rolling-nginx", "rolling restarts behind nginx", false, nil, rollingNginx},
		{"upgrade", "an upgrade beside the program before the newest migration, with a reader", false, nil, upgrade},
		{"backup", "backups while people use the portal, and a restore", false, nil, backup},
		{"copy", "a copy of a large database to the other kind, and back", false, nil, copyBoth},
		{"memory", "60 people sign up at once, three times, with little memory", false, nil, memory},
	}
)

func drillNames() (names []string) {
	for _, d := range drills {
		names = append(names, d.name)
	}
	return names
}
