#!/usr/bin/env python3
"""Asks a running service questions about the demo shop and about orders, and prints what its answers are.

    eval_model.py --url http://127.0.0.1:8080 [--every 4] [--show]

Questions are judged by the texts that a right answer has (tests/data/answers), messages about orders by the cards and the
question back that they want (tests/data/errands). `--every N` asks each Nth one only.
"""

import argparse
import collections
import json
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

DATA = Path(__file__).parent / "../tests/data"
ORDER_TOOLS = {"order_status", "order_list", "return_check", "cancel_order", "change_address", "start_return"}


class Client:
    def __init__(self, url):
        self.url = url

    def post(self, path, body, token=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=180) as response:
            return json.load(response)

    def ask(self, messages, locale):
        """The answer to the last of several messages."""
        token = self.post("/v1/auth/visitor", {"site_key": "pk_demo"})["access_token"]
        session = self.post("/v1/sessions", {"locale": locale}, token)["id"]
        for text in messages:
            key = {"Idempotency-Key": str(uuid.uuid4())}
            turn = self.post(f"/v1/sessions/{session}/messages", {"text": text}, token, **key)
            # A bounded wait ends with 202; the same key asks for the same turn, and costs quota.
            for _ in range(30):
                if turn["status"] != "running":
                    break
                time.sleep(5)
                turn = self.post(f"/v1/sessions/{session}/messages", {"text": text}, token, **key)
        return turn.get("answer") or {"text": turn["status"], "route": "failed", "cards": []}


def read(folder):
    for file in sorted((DATA / folder).glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield file.stem, json.loads(line)


def judge(row, answer):
    text = answer["text"]
    says = lambda options: any(option in text for option in options)
    if answer["route"] == "template":
        return "does not know" if row["has"] else "useful"
    if not row["has"]:
        return "useful" if says(row.get("fine", [])) else "wrong"
    if says(row.get("not", [])):
        return "wrong"
    found = sum(says(options) for options in row["has"])
    return "useful" if found == len(row["has"]) else "partly" if found else "wrong"


def judge_errand(want, answer):
    if isinstance(want, str):
        return "useful" if answer["route"] != "tool" else "wrong"
    cards = json.dumps(answer.get("cards", []), ensure_ascii=False)
    if calls := want.get("call"):
        tools = {call["tool"] for call in calls}
        numbers = [call["arguments"].get("order_number") for call in calls]
        shown = all(number in cards + answer["text"] for number in numbers if number)
        # What the shop refuses has no card, and is told in words.
        looked = answer["route"] in ("tool", "template") if tools & ORDER_TOOLS else answer["route"] == "tool"
        return "useful" if looked and (shown or not answer.get("cards")) else "wrong"
    if want.get("ask"):
        return "useful" if answer["route"] in ("template", "tool") and not answer.get("cards") else "wrong"
    raise ValueError(f"unknown wish {want}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", default="service")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    client = Client(options.url.rstrip("/"))
    answers = [row for name, row in read("answers") if name == "demo" and not row.get("today")]
    errands = [row for _, row in read("errands")]
    verdicts, routes, took = collections.defaultdict(collections.Counter), collections.Counter(), []
    for kind, rows in (("questions", answers), ("errands", errands)):
        for row in rows[:: options.every]:
            messages = [*row.get("history", []), row.get("question") or row["text"]]
            begun = time.monotonic()
            try:
                answer = client.ask(messages, row.get("language", "en"))
            except urllib.error.HTTPError as error:
                answer = {"text": f"HTTP {error.code}", "route": "failed", "cards": []}
            took.append(time.monotonic() - begun)
            verdict = judge(row, answer) if kind == "questions" else judge_errand(row["want"], answer)
            verdicts[kind][verdict] += 1
            routes[kind, answer["route"]] += 1
            if options.show and verdict != "useful":
                print(f"    {verdict} {answer['route']}: {' → '.join(messages)} | {answer['text'][:300]!r}", flush=True)
    print(f"\n| {options.name} | number | useful | partly | does not know | wrong |\n| --- | --- | --- | --- | --- | --- |")
    for kind, counts in verdicts.items():
        number = sum(counts.values())
        shares = [f"{100 * counts[name] / number:.1f} %" for name in ("useful", "partly", "does not know", "wrong")]
        print(f"| {kind} | {number} | {' | '.join(shares)} |")
    print("routes:", ", ".join(f"{kind} {route} {count}" for (kind, route), count in sorted(routes.items())))
    took.sort()
    print(f"seconds for an answer: median {took[len(took) // 2]:.1f}, longest {took[-1]:.1f}", flush=True)


if __name__ == "__main__":
    main()
