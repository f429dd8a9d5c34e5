"""Volunteers of a run, on a Dask cluster that dask-jobqueue makes of jobs of Slurm:

    python3 dask_slurm.py URL

This is for people who use Dask already; slurm.sh does the same without Dask. It needs the packages
`distributed` and `dask-jobqueue`, and dask_volunteers.py in the same folder.
"""

import subprocess
import sys
from pathlib import Path

from dask_jobqueue import SLURMCluster

# Change here: how many jobs, and what each asks Slurm for.
JOBS = 4
CLUSTER = dict(
    cores=4,
    processes=1,
    memory="4GB",
    walltime="01:00:00",
    # What the volunteers say goes here.
    log_directory="pando-logs",
)

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: dask_slurm.py URL")
    with SLURMCluster(**CLUSTER) as cluster:
        # A job that ends, for whatever reason, is replaced.
        cluster.adapt(minimum_jobs=JOBS, maximum_jobs=JOBS)
        volunteers = Path(__file__).with_name("dask_volunteers.py")
        command = [sys.executable, volunteers, cluster.scheduler_address, sys.argv[1]]
        status = subprocess.call(command)
    sys.exit(status)
