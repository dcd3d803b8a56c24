#!/bin/sh
# Writes out/greeting.txt for the version that is given.
set -eu
mkdir -p out
echo "$GREETING from $1" > out/greeting.txt
