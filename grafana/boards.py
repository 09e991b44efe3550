"""The dashboards: the queries of each panel, and what it is good for.

`{@}` in an expression stands for the chosen job and instances; `[$r]` for Grafana's rate interval.
"""

from dataclasses import dataclass, field

MESSAGES = 'route="/v1/sessions/{id}/messages",method="POST"'


@dataclass
class Panel:
    title: str
    unit: str
    # (expression, legend); a legend names labels as Grafana does, `{{lane}}`.
    queries: list[tuple[str, str]]
    why: str
    width: int = 8
    stack: bool = False
    kind: str = "timeseries"
    # A line is drawn and the value turns red here.
    limit: float | None = None
    # Why the panel may have no data in a healthy service.
    quiet: str = ""


@dataclass
class Board:
    uid: str
    title: str
    about: str
    rows: list[tuple[str, list[Panel]]] = field(default_factory=list)


def quantiles(metric, by="", which=(0.5, 0.95, 0.99), selector="{@}"):
    label = f"{{{{{by}}}}} " if by else ""
    group = f"le, {by}" if by else "le"
    return [
        (
            f"histogram_quantile({q}, sum by ({group}) (rate({metric}_bucket{selector}[$r])))",
            f"{label}p{q * 100:g}",
        )
        for q in which
    ]


def per(by, metric, selector="{@}"):
    return f"sum by ({by}) (rate({metric}{selector}[$r]))"


SALE_DAY = Board(
    "rushdesk-sale-day",
    "Rushdesk: sale day",
    "For the day of a sale: do shoppers get answers, how long do they wait, how much capacity is left.",
    [
        (
            "Do shoppers get answers?",
            [
                Panel("Turns by route and outcome", "reqps",
                      [(per("route", "rushdesk_turns_total", '{@,outcome="completed"}'), "{{route}}"),
                       (per("outcome", "rushdesk_turns_total", '{@,outcome!="completed"}'), "{{outcome}}")],
                      "Completed turns by route, and turns that failed or were cancelled.", 12, stack=True),
                Panel("Share of turns that failed", "percentunit",
                      [("rushdesk:turn_errors:ratio_rate5m", "turns that failed, 5 min")],
                      "Failed turns and server errors on messages, as a share of all. The objective is 0.5 % over 30 days.", 6,
                      limit=0.005),
                Panel("First piece of the answer within 3 s", "percentunit",
                      [("rushdesk:first_token_fast:ratio_rate5m", "within 3 s, 5 min")],
                      "The objective is 95 % over 30 days.", 6),
                Panel("First piece of the answer", "s",
                      quantiles("rushdesk_turn_first_token_seconds"),
                      "From the message to the first piece that the shopper sees, over all routes."),
                Panel("Service level", "short", [("max(rushdesk_service_level{@})", "level")],
                      "0 full, 1 short answers, 2 small model, 3 knowledge first, 4 tickets for the rest.", limit=2),
                Panel("Refused", "reqps",
                      [(per("reason", "rushdesk_inference_refusals_total"), "no slot: {{reason}}"),
                       (per("scope", "rushdesk_limits_refused_total"), "limit: {{scope}}")],
                      "Requests without a slot (most of them are answered another way) and requests over a rate limit.",
                      stack=True),
            ],
        ),
        (
            "How long do they wait?",
            [
                Panel("Waiting for a slot", "short",
                      [("sum by (lane) (rushdesk_inference_queue_entries{@})", "{{lane}}")],
                      "Requests in the queue, by lane.", stack=True),
                Panel("Oldest request in the queue", "s",
                      [("max by (lane) (rushdesk_inference_queue_oldest_seconds{@})", "{{lane}}")],
                      "The service level follows this wait and the forecast.", limit=5),
                Panel("Forecast wait of a new request", "s",
                      [("max by (lane) (rushdesk_inference_predicted_wait_seconds{@})", "{{lane}}")],
                      "If it is longer than the service level accepts, a turn is answered another way."),
                Panel("Promised and actual wait, p95", "s",
                      quantiles("rushdesk_inference_promised_wait_seconds", "lane", (0.95,))
                      + [(e, "actual " + legend) for e, legend in
                         quantiles("rushdesk_inference_queue_wait_seconds", "lane", (0.95,))],
                      "Actual waits far above the promised ones mean that the forecast is wrong.", 12),
                Panel("Tickets", "short",
                      [("max(rushdesk_tickets_open{@})", "open"),
                       ("sum(increase(rushdesk_tickets_opened_total{@}[$r]))", "opened"),
                       ("sum(increase(rushdesk_tickets_answered_total{@}[$r]))", "answered")],
                      "Questions kept for later; they are answered when slots are free.", 12),
            ],
        ),
        (
            "How much capacity is left?",
            [
                Panel("Slots", "short",
                      [("sum(rushdesk_inference_requests_in_flight{@})", "in use"),
                       ("sum(rushdesk_inference_slots{@})", "learned"),
                       ("sum(rushdesk_inference_slots_configured{@})", "configured")],
                      "Learned below configured: a backend handles less than configured."),
                Panel("Turns, sessions and streams", "short",
                      [("sum(rushdesk_turns_running{@})", "turns running"),
                       ("sum(rushdesk_http_streams_open{@})", "streams open"),
                       ("sum(rushdesk_sessions_live{@})", "sessions live")],
                      "[sessions] configures the limits of one replica."),
                Panel("Processor", "short",
                      [("rate(process_cpu_seconds_total{@}[$r])", "{{instance}}")],
                      "Cores in use, by replica."),
                Panel("Memory", "bytes", [("process_resident_memory_bytes{@}", "{{instance}}")],
                      "Resident memory, by replica."),
                Panel("HTTP requests", "reqps",
                      [(per("status", "rushdesk_http_requests_total"), "{{status}}")],
                      "By status class.", stack=True),
                Panel("HTTP response head, p99 by route", "s",
                      quantiles("rushdesk_http_response_seconds", "route", (0.99,)),
                      "A message that is answered as JSON takes as long as its answer."),
            ],
        ),
        (
            "Do the shop's systems answer?",
            [
                Panel("Calls of tools", "reqps",
                      [(per("tool, outcome", "rushdesk_tools_calls_total"), "{{tool}} {{outcome}}")],
                      "`in_doubt` writes are asked about later; `too_many_tries` are guesses of orders.", stack=True,
                      quiet="no site has a shop or tools"),
                Panel("Time of a call", "s", quantiles("rushdesk_tools_call_seconds", "tool", (0.95,)),
                      "With waiting for a place, and with results that were kept.",
                      quiet="no tool was called"),
                Panel("Breakers of targets", "short",
                      [("max by (target) (rushdesk_tools_breaker_open{@})", "{{target}}")],
                      "1: the target failed several times in a row and is asked once a second.", limit=1,
                      quiet="no site has a shop or tools"),
                Panel("Changes of shoppers", "short",
                      [("sum by (step) (increase(rushdesk_actions_total{@}[$r]))", "{{step}}")],
                      "Proposed, decided, and what became of those confirmed.", stack=True,
                      quiet="no shopper changed anything"),
                Panel("Changes that are open", "short",
                      [("max(rushdesk_actions_unsettled{@})", "nobody knows"),
                       ("max(rushdesk_actions_waiting{@})", "wait for a person")],
                      "Nobody knows: the shop was asked, has not answered, and is asked about the key."),
                Panel("Time until it was known, p95", "s",
                      quantiles("rushdesk_action_doubt_seconds", which=(0.95,)),
                      "Of changes whose call had no answer.",
                      quiet="no call of a change was without an answer"),
            ],
        ),
    ],
)

POOL = Board(
    "rushdesk-pool",
    "Rushdesk: inference pool",
    "Each backend: is it slow or out of service, and what does its work cost.",
    [
        (
            "Backends",
            [
                Panel("Requests in flight", "short",
                      [("sum by (backend) (rushdesk_inference_requests_in_flight{@})", "{{backend}}")],
                      "Never above the slots."),
                Panel("Learned slots", "short",
                      [("sum by (backend) (rushdesk_inference_slots{@})", "{{backend}}"),
                       ("sum by (backend) (rushdesk_inference_slots_configured{@})", "{{backend}} configured")],
                      "A backend that returns to service starts with one slot."),
                Panel("Slots in use", "percentunit",
                      [("rushdesk:inference_busy:ratio_rate5m", "{{backend}}")],
                      "Busy share of the configured slots over 5 minutes."),
                Panel("Breaker", "short",
                      [("max by (backend) (rushdesk_inference_breaker_state{@})", "{{backend}}")],
                      "0 passing, 1 probing, 2 refusing.", limit=2),
                Panel("Healthy", "short",
                      [("min by (backend) (rushdesk_inference_backend_healthy{@})", "{{backend}}")],
                      "1 if its health check succeeds and its requests make progress."),
                Panel("How requests ended", "reqps",
                      [(per("backend, outcome", "rushdesk_inference_outcomes_total"), "{{backend}} {{outcome}}")],
                      "`client_gone` means that the shopper left; it is not a fault.", stack=True),
                Panel("Ejections, retries, restarts", "short",
                      [("sum by (backend) (increase(rushdesk_inference_ejections_total{@}[$r]))", "{{backend}} ejected"),
                       ("sum by (backend) (increase(rushdesk_inference_restarts_total{@}[$r]))", "{{backend}} restarted"),
                       ("sum(increase(rushdesk_inference_retries_total{@}[$r]))", "retried elsewhere")],
                      "Reactions to failures; shoppers notice only restarts."),
                Panel("Hedges", "short",
                      [("sum by (backend, result) (increase(rushdesk_inference_hedges_total{@}[$r]))",
                        "{{backend}} {{result}}")],
                      "Second attempts next to a late request, and which one answered first.",
                      quiet="a hedge needs a first token that is late for this backend"),
            ],
        ),
        (
            "Speed",
            [
                Panel("First token, p50 and p95", "s",
                      quantiles("rushdesk_inference_first_token_seconds", "backend", (0.5, 0.95)),
                      "From the request to its first token, reasoning included."),
                Panel("First token of the answer, p50 and p95", "s",
                      quantiles("rushdesk_inference_first_answer_token_seconds", "backend", (0.5, 0.95)),
                      "If it is far above the first token, the model reasons first."),
                Panel("Gap between tokens, p50 and p95", "s",
                      quantiles("rushdesk_inference_token_gap_seconds", "backend", (0.5, 0.95)),
                      "Grows when a backend has more requests than it can batch."),
                Panel("Whole requests, p50 and p95", "s",
                      quantiles("rushdesk_inference_request_seconds", "backend", (0.5, 0.95)),
                      "How long a slot is held."),
                Panel("Wait for a slot, p95 by lane", "s",
                      quantiles("rushdesk_inference_queue_wait_seconds", "lane", (0.95,)),
                      "Only requests that got a slot."),
                Panel("Refused", "reqps",
                      [(per("reason", "rushdesk_inference_refusals_total"), "{{reason}}")],
                      "Why there was no slot.", stack=True),
            ],
        ),
        (
            "What does it cost?",
            [
                Panel("Tokens", "short",
                      [(per("backend, kind", "rushdesk_inference_tokens_total"), "{{backend}} {{kind}}")],
                      "Per second, as counted by the backends."),
                Panel("GPU seconds per second", "short",
                      [("rushdesk:inference_gpu_seconds:rate5m", "{{backend}}")],
                      "Busy time of the slots × `gpus` / slots: GPUs at work."),
                Panel("Cost per hour", "currencyUSD",
                      [("rushdesk:inference_cost:rate1h", "{{backend}}")],
                      "Cost of the busy time in the currency of `gpu_hour_cost` (shown as dollars); idle GPUs are not included."),
            ],
        ),
    ],
)

CACHE = Board(
    "rushdesk-cache",
    "Rushdesk: cache",
    "What the cache saves, what it refuses to share, and whether it is ever wrong.",
    [
        (
            "What does it save?",
            [
                Panel("Hit rate by tier", "percentunit", [("rushdesk:cache_hits:ratio_rate5m", "{{tier}}")],
                      "Share of look-ups that hit, over 5 minutes; the semantic tier is asked after the exact one misses."),
                Panel("Look-ups", "reqps",
                      [(per("tier, result", "rushdesk_cache_lookups_total"), "{{tier}} {{result}}")],
                      "By tier and result.", stack=True),
                Panel("Questions that share a generation", "reqps",
                      [(per("role", "rushdesk_flights_total"), "{{role}}")],
                      "`follow`: the same words; `similar`: the same meaning. Each saves a generation.", stack=True),
                Panel("Tokens saved", "short",
                      [(per("kind", "rushdesk_cache_saved_tokens_total"), "{{kind}}")],
                      "Per second, as counted when the answers were generated."),
                Panel("GPU seconds saved per second", "short",
                      [("rushdesk:cache_saved_gpu_seconds:rate5m", "saved")],
                      "Saved answer tokens × recent GPU seconds of a token."),
            ],
        ),
        (
            "Is it right?",
            [
                Panel("Hits rated down", "percentunit", [("rushdesk:cache_wrong_hits:ratio_rate1h", "of all hits, 1 h")],
                      "Known wrong hits; not every shopper rates, so there may be more. The budget is 1 %.",
                      limit=0.01),
                Panel("Similar questions kept apart", "reqps",
                      [(per("guard", "rushdesk_cache_guarded_total"), "{{guard}}")],
                      "Similar questions that differ in numbers, names or meaning, so the cached answer was not used.", stack=True,
                      quiet="two questions must be similar and still differ"),
                Panel("New answers by what they confirmed", "reqps",
                      [(per("result", "rushdesk_cache_votes_total"), "{{result}}")],
                      "`first`: waits for another visitor. `shared`: serves others from now on. `quota`: one visitor brought in too many.",
                      stack=True),
                Panel("Doubts", "reqps", [("sum(rate(rushdesk_cache_doubts_total{@}[$r]))", "doubts")],
                      "Bad ratings of cached answers, and questions repeated after one."),
                Panel("Answers not cached", "reqps",
                      [(per("reason", "rushdesk_cache_refused_total"), "{{reason}}")],
                      "Answers that must not be shared, by reason.", stack=True,
                      quiet="complete answers to first questions may all be shared"),
            ],
        ),
        (
            "What does it hold?",
            [
                Panel("Entries", "short",
                      [("rushdesk_cache_entries{@}", "{{instance}}"),
                       ("rushdesk_cache_unconfirmed_entries{@}", "{{instance}} unconfirmed")],
                      "By replica; replicas agree within about a second. Unconfirmed ones are not served."),
                Panel("Memory", "bytes", [("rushdesk_cache_bytes{@}", "{{instance}}")], "Estimated."),
                Panel("Entries removed, by reason", "reqps",
                      [(per("reason", "rushdesk_cache_removed_total"), "{{reason}}")],
                      "`evicted`: it is full. `distrusted`: rated down.", stack=True),
                Panel("Replication", "reqps",
                      [(per("direction", "rushdesk_cache_replicated_total"), "{{direction}}"),
                       ("sum(rate(rushdesk_cache_replication_dropped_total{@}[$r]))", "dropped")],
                      "Changes between replicas."),
                Panel("Follows the shared log", "short",
                      [("min(rushdesk_cache_replication_connected{@})", "connected")], "1 if every replica reads the shared log of the cache."),
                Panel("Embedding: wait and time of a batch, p95", "s",
                      [(e, "wait " + legend) for e, legend in quantiles("rushdesk_embedding_wait_seconds", which=(0.95,))]
                      + [(e, "batch " + legend) for e, legend in quantiles("rushdesk_embedding_batch_seconds", which=(0.95,))],
                      "Every question that is not an exact hit waits for its vector."),
                Panel("Embedding: texts", "reqps",
                      [(per("outcome", "rushdesk_embedding_texts_total"), "{{outcome}}")],
                      "`refused` and `expired` texts continue without a vector.", stack=True),
                Panel("Knowledge searches", "reqps",
                      [(per("outcome", "rushdesk_knowledge_searches_total"), "{{outcome}}")],
                      "By result.", stack=True),
            ],
        ),
    ],
)

STORES = Board(
    "rushdesk-sessions-stores",
    "Rushdesk: sessions and stores",
    "Can messages be acknowledged, who owns the sessions, and where is time spent.",
    [
        (
            "Sessions",
            [
                Panel("Live sessions", "short", [("rushdesk_sessions_live{@}", "{{instance}}")], "Sessions in memory, by replica."),
                Panel("Sessions opened and unloaded", "reqps",
                      [("sum(rate(rushdesk_sessions_opened_total{@}[$r]))", "opened"),
                       ("sum(rate(rushdesk_sessions_passivated_total{@}[$r]))", "unloaded"),
                       ("sum(rate(rushdesk_sessions_evicted_total{@}[$r]))", "evicted")],
                      "Sessions that came into memory, new ones too, and idle ones that left it, on their own or to make room."),
                Panel("Wait in the mailboxes, p99", "s",
                      quantiles("rushdesk_actor_mailbox_wait_seconds", "actor", (0.99,)),
                      "Of messages to sessions, and of probes to other actors.", limit=0.5),
                Panel("Failed turns by code", "reqps",
                      [(per("code", "rushdesk_turn_failures_total"), "{{code}}")],
                      "The error code that clients got.", stack=True,
                      quiet="no turn fails while backends, knowledge and tickets work"),
                Panel("Interrupted turns and panics", "short",
                      [("sum(increase(rushdesk_turns_interrupted_total{@}[$r]))", "interrupted"),
                       ("sum(increase(rushdesk_turn_panics_total{@}[$r]))", "panics"),
                       ("sum(increase(rushdesk_embedding_panics_total{@}[$r]))", "panics of the embedder")],
                      "Interrupted: the replica died while the turn ran."),
                Panel("Messages between replicas that were dropped", "short",
                      [("sum(increase(rushdesk_relay_dropped_total{@}[$r]))", "dropped")],
                      "Readers on other replicas notice a change up to a second later; the archive decides."),
            ],
        ),
        (
            "Can messages be acknowledged?",
            [
                Panel("Acknowledging a message", "s", quantiles("rushdesk_journal_append_seconds"),
                      "Time until a message or the end of an answer is committed to the archive, or refused."),
                Panel("Messages in doubt", "short",
                      [("sum by (instance) (rushdesk_journal_in_doubt{@})", "{{instance}}")],
                      "The archive may have taken them without an answer. They are sent again, and their sessions wait."),
                Panel("Erasures that wait", "short",
                      [("max(rushdesk_erasures_open{@})", "customers")],
                      "Customers who asked to be erased, and a store or a replica has not confirmed it."),
                Panel("Stores", "short",
                      [("min(rushdesk_archive_up{@})", "archive"), ("min(rushdesk_hot_up{@})", "Redis")],
                      "1 if every replica reaches the store. Without the archive messages are refused; without Redis they are not."),
            ],
        ),
        (
            "Who owns the sessions?",
            [
                Panel("Sessions that changed their owner", "reqps",
                      [("sum by (instance) (rate(rushdesk_sessions_taken_over_total{@}[$r]))", "{{instance}}")],
                      "They moved to this replica, or came back after a while. A rolling restart moves many."),
                Panel("Appends that came second", "reqps",
                      [("sum by (instance) (rate(rushdesk_journal_outrun_total{@}[$r]))", "{{instance}}")],
                      "Another replica was faster: nothing was written, and the session is read again."),
                Panel("Owners changed per turn", "percentunit",
                      [("sum(rate(rushdesk_sessions_taken_over_total{@}[$r])) / sum(rate(rushdesk_turns_total{@}[$r]))",
                        "share")],
                      "Near 1: nothing keeps a session on one replica.", limit=0.5,
                      quiet="no turn ended within the interval"),
            ],
        ),
        (
            "How fast are the stores?",
            [
                Panel("Redis, p99 by operation", "s",
                      quantiles("rushdesk_hot_operation_seconds", "operation", (0.99,)),
                      "Messages between replicas, and leases."),
                Panel("Redis, calls", "reqps",
                      [(per("operation", "rushdesk_hot_operation_seconds_count"), "{{operation}}")],
                      "By operation. Cache and limits have connections of their own, which are not counted.",
                      stack=True),
                Panel("Archive", "s",
                      quantiles("rushdesk_archive_operation_seconds", which=(0.5, 0.99))
                      + [(e, "commit " + legend) for e, legend in
                         quantiles("rushdesk_archive_commit_seconds", which=(0.99,))],
                      "Reads and commits, including the wait for a connection."),
                Panel("Appends in one commit", "short",
                      [("sum(rate(rushdesk_archive_committed_total{@}[$r]))"
                        " / sum(rate(rushdesk_archive_commit_seconds_count{@}[$r]))", "appends")],
                      "Appends that wait at the same time share a transaction; more under load.",
                      quiet="nothing was written within the interval"),
                Panel("Errors of the stores", "reqps",
                      [(per("kind", "rushdesk_hot_errors_total"), "Redis: {{kind}}"),
                       (per("error", "rushdesk_archive_errors_total"), "archive: {{error}}")],
                      "An unreachable store is tried once a second.",
                      quiet="healthy stores have no errors"),
                Panel("Limits", "reqps",
                      [(per("scope", "rushdesk_limits_refused_total"), "refused: {{scope}}"),
                       ("sum(rate(rushdesk_limits_fallback_total{@}[$r]))", "decided without Redis")],
                      "Requests over a rate limit."),
            ],
        ),
        (
            "Process",
            [
                Panel("Open files", "percentunit", [("process_open_fds{@} / process_max_fds{@}", "{{instance}}")],
                      "A stream uses one or two.", limit=0.8),
                Panel("Disk of the data folder", "percentunit",
                      [("rushdesk_data_dir_free_bytes{@} / rushdesk_data_dir_size_bytes{@}", "{{instance}} free")],
                      "In embedded mode every message is written there."),
                Panel("Threads", "short", [("process_threads{@}", "{{instance}}")], "The number does not grow with the load."),
                Panel("Version", "short", [("count by (version) (rushdesk_build_info{@})", "{{version}}")],
                      "There are two while a release rolls out."),
            ],
        ),
    ],
)

BOARDS = [SALE_DAY, POOL, CACHE, STORES]
