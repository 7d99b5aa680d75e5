// Package device names browsers for people.
package device

import "github.com/mileusna/useragent"

// Unknown is the name for a User-Agent that names no browser.
const Unknown = "Unknown browser"

// Name reads browser and system from a User-Agent: "Firefox on Linux". Most
// browsers freeze their versions, so these are left out.
func Name(agent string) string {
	ua := useragent.Parse(agent)
	browser, system := ua.Name, ua.OS
	switch {
	case browser == "" || len(browser) > 40:
		return Unknown
	case ua.Device == "iPhone" || ua.Device == "iPad":
		system = ua.Device
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// IsPhone reports whether a User-Agent is that of a phone.
func IsPhone(agent string) bool { return useragent.Parse(agent).Mobile }
