#!/bin/sh
set -eu
eval "$(cat)" # Parameters come as name='value'.

case $package in
*broken*)
  echo "$server: $package answers 500" >&2
  exit 1
  ;;
esac
printf '{"healthy": true}\n'
