#!/bin/sh
# Volunteers of a run, on machines that you reach by ssh without a password, with GNU parallel:
#   sh parallel.sh URL
# URL is the address that the run prints, with a name or an address that the machines can reach.
# Change here: the machines. What their volunteers say comes here, each line with the machine.
MACHINES=node1,node2,node3

# -tt: the volunteers end with their connection, and so with this program.
exec parallel --nonall --tag --line-buffer --sshlogin "$MACHINES" \
  --ssh 'ssh -tt -o BatchMode=yes' \
  pando join "${1:?give the address of the run}"
