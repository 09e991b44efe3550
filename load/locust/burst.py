"""A sale burst: a base, many users within seconds, the base again. Sizes: `--base`, `--peak`, `--hold-s`, `--calm-s`."""

from locust import LoadTestShape, between, events, task

import thresholds  # noqa: F401  registers the options and the verdict
from shopper import Shopper, question

RAMP_S = 5


@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--base", type=int, default=10, help="shoppers before and after the burst")
    parser.add_argument("--peak", type=int, default=200, help="shoppers in the burst")
    parser.add_argument("--hold-s", type=int, default=30, help="length of the burst")
    parser.add_argument("--calm-s", type=int, default=20, help="length of the time before it and of the time after")


class Burst(Shopper):
    """One question per shopper; 70 % are asked by others, too."""

    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.ask(question(0.7))


class SaleBurst(LoadTestShape):
    """The number of users and the spawn rate at each moment; None ends the run."""

    use_common_options = False

    def tick(self):
        size = self.runner.environment.parsed_options
        now, climb = self.get_run_time(), max(1, (size.peak - size.base) // RAMP_S)
        burst_ends = size.calm_s + RAMP_S + size.hold_s
        if now < size.calm_s:
            return size.base, max(1, size.base)
        if now < burst_ends:
            return size.peak, climb
        if now < burst_ends + RAMP_S + size.calm_s:
            return size.base, climb
        return None
