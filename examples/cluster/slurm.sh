#!/bin/sh
# Volunteers of a run, as an array job of Slurm:
#   sbatch slurm.sh URL
# URL is the address that the run prints, with a name or an address that the nodes can reach.
# Change here: how many volunteers, the cores of each, and how long they stay. --array=1-40%4 is
# forty jobs, of which four compute at a time. Add what your cluster asks for: --partition,
# --account, --mem-per-cpu.
#SBATCH --job-name=pando
#SBATCH --array=1-4
#SBATCH --cpus-per-task=4
#SBATCH --time=01:00:00
# What the volunteers say goes here.
#SBATCH --output=pando-%A_%a.out
# A job that gives way to others begins again later.
#SBATCH --requeue
#SBATCH --open-mode=append
# Half a minute before its time is over, a job hands its values back.
#SBATCH --ntasks=1
#SBATCH --signal=B:TERM@30

name="Slurm ${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID ($(hostname -s))"
exec pando join --cores "$SLURM_CPUS_ON_NODE" --name "$name" "${1:?give the address of the run}"
