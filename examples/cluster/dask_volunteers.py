"""Volunteers of a run, on the workers of a Dask cluster:

    python3 dask_volunteers.py SCHEDULER URL

SCHEDULER is the address of the cluster's scheduler, such as tcp://10.0.0.1:8786. URL is the address
that the run prints, with a name or an address that the workers can reach. Each worker lends as many
cores as it has threads, also a worker that joins the cluster later. Ctrl-C ends the volunteers.
"""

import subprocess
import sys
import time

from dask.distributed import Client, WorkerPlugin


class Volunteer(WorkerPlugin):
    name = "pando"

    def __init__(self, url):
        self.url = url

    def setup(self, worker):
        cores, name = str(worker.state.nthreads), f"Dask {worker.name}"
        words = ["--until-eof", "--cores", cores, "--name", name, self.url]
        # What the volunteer and the shell say goes to the log of the worker. The standard input
        # ends with the worker, however the worker ends.
        command = ["sh", "-c", 'exec pando join "$@"', "sh", *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def teardown(self, worker):
        self.process.terminate()
        self.process.wait()


def status(dask_worker):
    """The exit status of the worker's volunteer; None while it computes."""
    volunteer = dask_worker.plugins.get("pando")
    return volunteer and volunteer.process.poll()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: dask_volunteers.py SCHEDULER URL")
    scheduler, url = sys.argv[1:]
    with Client(scheduler) as client:
        client.register_plugin(Volunteer(url))
        try:
            ended = {}
            while not ended or None in ended.values():
                time.sleep(1)
                ended = client.run(status, on_error="ignore")
        finally:
            client.unregister_worker_plugin("pando")
    failed = [worker for worker, status in ended.items() if status != 0]
    for worker in failed:
        print(f"the volunteer of {worker} ended with status {ended[worker]}: see this worker's log", file=sys.stderr)
    sys.exit(1 if failed else 0)
