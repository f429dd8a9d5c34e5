#!/bin/sh
# Volunteers of a run, on machines that you reach by ssh without a password, with GNU parallel:
#   sh parallel.sh URL
# URL is the address that the run prints, with a name or an address that the machines can reach.
# Change here: the machines. What goes wrong on them is written here, each line with its machine.
MACHINES='node1 node2 node3'

url=${1:?give the address of the run}
# -tt: the volunteers hand their values back when their connection ends.
parallel -q -j0 --tag --line-buffer \
  ssh -tt -o BatchMode=yes -o ServerAliveInterval=15 {} "pando join -q '$url'" ::: $MACHINES &
trap 'kill $!' HUP INT TERM
wait $!
