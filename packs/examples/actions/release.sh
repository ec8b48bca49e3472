#!/bin/sh
set -eu
token=
eval "$(cat)" # Parameters come as name='value'.

case $server in
*offline*)
  echo "$server cannot be reached" >&2
  exit 1
  ;;
esac
[ -n "$token" ] && echo "logged in" >&2
printf '{"server": "%s", "package": "%s"}\n' "$server" "$package"
