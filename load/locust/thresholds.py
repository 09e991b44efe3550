"""Pass or fail: the thresholds at the end of a run, reported by the exit code (0 or 1).

In a distributed run only the master judges; it has the figures of all workers.
"""

from locust import events
from locust.runners import WorkerRunner


@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--site-key", default="pk_demo", help="the shop's public key")
    parser.add_argument("--most-errors", type=float, default=0.01, help="share of failed requests, 0 to 1")
    parser.add_argument("--first-token-p99-ms", type=float, default=3000, help="of streams and of sockets")
    parser.add_argument("--answer-p95-ms", type=float, default=10000, help="of whole answers")
    parser.add_argument("--resumed-p99-ms", type=float, default=1000, help="from coming back to the first event")


def faults(stats, options):
    """The thresholds that did not hold, in words."""
    if stats.total.num_requests == 0:
        return ["nothing was measured"]
    found = []
    if stats.total.fail_ratio > options.most_errors:
        found.append(f"{stats.total.fail_ratio:.1%} failed, {options.most_errors:.1%} may")
    limits = {
        "first token": (0.99, options.first_token_p99_ms),
        "answer": (0.95, options.answer_p95_ms),
        "resumed": (0.99, options.resumed_p99_ms),
    }
    for (name, method), entry in sorted(stats.entries.items()):
        share, most = limits.get(name, (0, 0)) if method in ("SSE", "WS", "JSON") else (0, 0)
        if share and entry.get_response_time_percentile(share) > most:
            got = entry.get_response_time_percentile(share)
            found.append(f"{method} {name}: p{share * 100:.0f} is {got:.0f} ms, {most:.0f} ms is allowed")
    return found


@events.quitting.add_listener
def judge(environment, **_):
    if isinstance(environment.runner, WorkerRunner):
        return
    found = faults(environment.stats, environment.parsed_options)
    found += [f"a scenario broke {broken['count']} times: {broken['msg']}" for broken in environment.runner.exceptions.values()]
    for fault in found:
        print(f"not held: {fault}")
    environment.process_exit_code = 1 if found else 0
