#!/bin/sh
set -eu
eval "$(cat)" # Parameters come as name='value'.

luck=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
if [ "$((luck % 100))" -lt "$failing" ]; then
  echo "network unreachable: $url" >&2
  exit 1
fi
printf '{"bytes": %s}\n' "$luck"
