#!/bin/sh
set -eu
eval "$(cat)" # Parameters come as name='value'.

printf '{"package": "shop-%s.tar"}\n' "$version"
