package mail

// Support returns the address to ask for help, "" when there is none.
func (m *Mail) Support() string {
	if m == nil {
		return ""
	}
	return m.brand.SupportEmail
}
