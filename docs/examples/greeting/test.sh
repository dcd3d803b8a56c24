#!/bin/sh
# The greeting has to name the newest version.
set -eu
newest=$(head -n 1 CHANGES.txt | cut -d ' ' -f 1)
expected="$GREETING from $newest"
found=$(cat out/greeting.txt)
if [ "$found" != "$expected" ]; then
    echo "expected: $expected"
    echo "found:    $found"
    exit 1
fi
