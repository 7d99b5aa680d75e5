#!/usr/bin/env bash
# curl, as a person at a shell uses it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { echo "step $*"; }
# field NAME prints a string of the JSON on standard input.
field() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
token() { curl -sS "$PORTAL/token" -d client_id=reports "$@"; }
sign_in() { token -d grant_type=password -d scope=me --data-urlencode "username=$PORTAL_USERNAME" --data-urlencode "password=$1"; }
refresh() { token -d grant_type=refresh_token -d "refresh_token=$1"; }
# want WANTED GOT ends the script if the two differ.
want() { [[ $2 == "$1" ]] || { echo "got $2, want $1" >&2; exit 1; }; }
status() { curl -sS -o "$work/body" -w '%{http_code}' "$@"; }

echo "version $(curl --version | sed -n '1s/^curl \([^ ]*\).*/\1/p')"

metadata=$(curl -sSf "$PORTAL/.well-known/oauth-authorization-server")
want "$PORTAL/token" "$(field token_endpoint <<<"$metadata")"
want 404 "$(status "$PORTAL/.well-known/openid-configuration")"
step discovery

first=$(sign_in "$PORTAL_PASSWORD")
want bearer "$(field token_type <<<"$first")"
step password

want "$PORTAL_USERNAME" "$(curl -sSf "$PORTAL/users/me" -H "Authorization: Bearer $(field access_token <<<"$first")" | field username)"
step use

second=$(refresh "$(field refresh_token <<<"$first")")
[[ $(field refresh_token <<<"$second") != "$(field refresh_token <<<"$first")" ]]
access=$(field access_token <<<"$second")
step refresh

introspect() { curl -sSf -u "reports:$PORTAL_SERVICE_TOKEN" "$PORTAL/introspect" "$@"; }
want "$PORTAL_USERNAME" "$(introspect -d "token=$access" | field username)"
want '{"active":false}' "$(introspect -d "token=$(field refresh_token <<<"$second")")"
want 2 "$(curl -sS -D - -o "$work/body" -u reports:wrong "$PORTAL/introspect" -d token=x | grep -ci '^www-authenticate: \(basic\|bearer\) ')"
step introspect

want invalid_grant "$(sign_in wrong | field error)"
step wrong password

want invalid_grant "$(refresh "$(field refresh_token <<<"$first")" | field error)"
want 401 "$(status "$PORTAL/users/me" -H "Authorization: Bearer $access")"
step reuse

third=$(sign_in "$PORTAL_PASSWORD")
want '{}' "$(curl -sSf "$PORTAL/revoke" -d "token=$(field refresh_token <<<"$third")")"
want invalid_grant "$(refresh "$(field refresh_token <<<"$third")" | field error)"
step revoke

# -X POST makes curl post again after the redirect to the account page.
want "200 $PORTAL/profile" "$(curl -sS -o "$work/body" -w '%{http_code} %{url_effective}' -X POST -L -b "$work/jar" -c "$work/jar" \
	-H 'Accept: text/html' "$PORTAL/login" \
	--data-urlencode "username=$PORTAL_USERNAME" --data-urlencode "password=$PORTAL_PASSWORD")"
grep -q "$PORTAL_USERNAME" "$work/body"
step pages
