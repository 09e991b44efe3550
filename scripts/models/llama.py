"""Serves a GGUF file with the llama.cpp server inside the package xllamacpp, until it is stopped.

llama.py MODEL PORT NAME
"""

import signal
import sys

import xllamacpp

model, port, name = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = [name]
params.n_ctx = 4096
params.n_parallel = 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.use_jinja = True
params.endpoint_metrics = True
server = xllamacpp.Server(params)
print("ready", flush=True)
signal.sigwait({signal.SIGINT, signal.SIGTERM})
