// Empty: with it the compiler takes the functions of idkey.go that have no body.
