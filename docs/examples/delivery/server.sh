#!/bin/sh
# Stands for a server: it runs until somebody closes it.
until [ -e closed ]; do
  sleep 0.02
done
echo "answers=7" >> "$GITHUB_OUTPUT"
