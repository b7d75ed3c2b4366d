#!/bin/sh
# Newton's steps towards the square root of 2, the steps damped: train.sh STEP START ROUNDS
# Any program will do in the place of awk; the last line on stdout is the value, here with how far it got.
set -eu
awk -v step="$1" -v x="$2" -v rounds="$3" 'BEGIN {
    for (round = 1; round <= rounds; round++) {
        x -= step * (x * x - 2) / (2 * x)
        print "round", round, x
    }
    error = x * x - 2
    printf "{\"value\": %.12g, \"root\": %.12g}\n", error < 0 ? -error : error, x
}'
