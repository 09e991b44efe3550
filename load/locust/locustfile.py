"""The scenarios; name one on the command line: `locust -f load/locust/locustfile.py Steady --headless ...`.

The sale burst has a file of its own, since a shape rules every run of its file: `burst.py`.
"""

import random
import uuid

from locust import between, task

import thresholds  # noqa: F401  registers the options and the verdict
from shopper import ONE, Shopper, question


class Steady(Shopper):
    """An ordinary day: a few questions per shopper, of which half are asked by others, too."""

    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        for _ in range(3):
            self.ask(question(0.5))
            self.wait()


class Long(Shopper):
    """Conversations of fifteen turns."""

    wait_time = between(0.2, 0.8)

    @task
    def visit(self):
        self.arrive()
        for _ in range(15):
            self.ask(question(0.5))
            self.wait()


class Hot(Shopper):
    """All shoppers ask the same question, in five wordings."""

    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.ask(random.choice(ONE))


class Reconnect(Shopper):
    """Streams that are cut after the first words and resumed from their last position."""

    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        for _ in range(3):
            self.ask(question(0), reading="cut")
            self.wait()


class Slow(Shopper):
    """Readers that take an event every 100 ms."""

    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.ask(question(0), reading="slow")


class Login(Shopper):
    """Visitors, registrations, sign-ins and refreshed tokens, without questions."""

    wait_time = between(0.1, 0.5)

    @task
    def visit(self):
        site = {"site_key": self.environment.parsed_options.site_key}
        self.visitor()
        customer = {**site, "email": f"{uuid.uuid4()}@load.example.com", "password": str(uuid.uuid4())}
        self.send("POST", "/v1/auth/register", "register", json=customer)
        tokens = self.send("POST", "/v1/auth/login", "login", json=customer).json()
        refresh = {"refresh_token": tokens["refresh_token"]}
        self.send("POST", "/v1/auth/refresh", "refresh", json=refresh)


class Streams(Shopper):
    """With `Json` and `Sockets`: all kinds of requests at the same time."""

    weight = 2
    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.ask(question(0.5))


class Json(Shopper):
    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.ask(question(0.5), reading="json")


class Sockets(Shopper):
    wait_time = between(1, 3)

    @task
    def visit(self):
        self.arrive()
        self.follow([question(0.5), question(0.5)])
