package passkey

import "strings"

// DefaultName is the name of a passkey whose maker is not known.
const DefaultName = "Passkey"

// NameOf returns the name of the password manager or the security key with an AAGUID
// (hex, with or without hyphens), or DefaultName.
func NameOf(aaguid string) string {
	if name, known := names[strings.ReplaceAll(strings.ToLower(aaguid), "-", "")]; known {
		return name
	}
	return DefaultName
}

// names are the common authenticators by AAGUID. Source: the list of the community at
// github.com/passkeydeveloper/passkey-authenticator-aaguids.
var names = map[string]string{
	"fbfc3007154e4ecc8c0b6e020557d7bd": "iCloud Keychain",
	"dd4ec289e01d41c9bb8970fa845d4bf2": "iCloud Keychain",
	"ea9b8d664d011d213ce4b6b48cb575d4": "Google Password Manager",
	"adce000235bcc60a648b0b25f1f05503": "Chrome on Mac",
	"771b48fdd3d44f749232fc157ab0507a": "Edge on Mac",
	"b53976664885aa6bcebfe52262a439a2": "Chromium",
	"08987058cadc4b81b6e130de50dcbe96": "Windows Hello",
	"9ddd1817af5a4672a2b93e3dd95000a9": "Windows Hello",
	"6028b017b1d44c02b4b3afcdafc96bb2": "Windows Hello",
	"53414d53554e47000000000000000000": "Samsung Pass",
	"bada5566a7aa401fbd9645619a55120d": "1Password",
	"d548826e79b4db40a3d811116f7e8349": "Bitwarden",
	"531126d6e717415c93203d9aa6981239": "Dashlane",
	"b84e404815dc4dd08640f4f60813c8af": "NordPass",
	"0ea242b443c44a1b8b17dd6d0b6baec6": "Keeper",
	"f38095407f1449c1a8b38f813b225541": "Enpass",
	"fdb141b25d84443e8a354698c205a502": "KeePassXC",
	"50726f746f6e5061737350726f746f6e": "Proton Pass",
	"b78a0a556ef8d246a042ba0f6d55050c": "LastPass",
	"cb69481e8ff7403993ec0a2729a154a8": "YubiKey 5",
	"ee882879721c491397753dfcce97072a": "YubiKey 5",
	"fa2b99dc9e3942578f924a30d23c4118": "YubiKey 5",
	"2fc0579f811347eab116bb5a8db9202a": "YubiKey 5",
	"c5ef55ffad9a4b9fb580adebafe026d0": "YubiKey 5Ci",
}
