#!/bin/sh
# Chromium for the browser tests and PostgreSQL for the concurrency tests, from Debian, where they are missing.
# Without the right to install, those tests skip and say so.
set -u
missing=""
command -v chromium >/dev/null || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null || { echo "Install$missing to run all tests."; exit 0; }
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1 ||
  echo "Could not install$missing: the tests that need it will skip."
