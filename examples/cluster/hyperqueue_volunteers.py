"""Volunteers of a run, as tasks of HyperQueue:

    python3 hyperqueue_volunteers.py URL

URL is the address that the run prints, with a name or an address that the workers can reach. This
needs the package `hyperqueue` and a server that you have started (`hq server start`).
"""

import sys

from hyperqueue import Client, Job
from hyperqueue.client import FailedJobsException
from hyperqueue.ffi.protocol import ResourceRequest

# Change here: how many volunteers, and the cores of each.
VOLUNTEERS = 4
CORES = 4

if len(sys.argv) != 2:
    sys.exit("usage: hyperqueue_volunteers.py URL")

# Any number of tasks may fail without ending the others.
job = Job(name="pando", max_fails=None)
for number in range(1, VOLUNTEERS + 1):
    job.program(
        ["pando", "join", "--cores", str(CORES), "--name", f"HyperQueue {number}", sys.argv[1]],
        stdout=None,
        # What the volunteer says goes here, below the folder in which this program runs.
        stderr=f"pando-{number}.err",
        resources=ResourceRequest(cpus=CORES),
        # A task begins again on another worker as often as its worker is lost.
        crash_limit=10_000,
    )
client = Client()
try:
    client.wait_for_jobs([client.submit(job)])
except FailedJobsException as failed:
    sys.exit(str(failed))
