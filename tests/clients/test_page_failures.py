"""The chat page with failing networks and servers, and at its limits: no text is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from chat_page import ChatPage
from model_server import ModelServer, numbered
from rushdesk import Server, Shopper

MESSAGES_POST = re.compile(r"/v1/sessions/[^/]+/messages$")


def test_an_answer_goes_on_after_the_network_was_gone(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(12), hold_after=30)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    chat.context.set_offline(True)
    expect(chat.page.get_by_text("You are offline.")).to_be_visible()
    script.release()
    chat.context.set_offline(False)
    chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.page.locator("#connection")).to_be_hidden()
    expect(chat.answers).to_have_count(1)


def test_a_message_written_offline_goes_out_when_the_network_is_back(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(3))
    chat.context.set_offline(True)
    chat.ask(script.question)
    expect(chat.questions.first).to_contain_text("No connection. Trying again in")
    chat.context.set_offline(False)
    chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.questions).to_have_count(1)


def test_a_frozen_server_delays_a_message_and_loses_nothing(
    chat: ChatPage, server: Server, model: ModelServer
) -> None:
    script = model.tell(numbered(3))
    chat.ask(model.tell().question)
    chat.expect_complete(chat.answers.first)
    server.freeze()
    try:
        chat.ask(script.question)
        expect(chat.questions.nth(1)).to_contain_text("Sending…")
    finally:
        server.thaw()
    chat.expect_complete(chat.answers.nth(1), script.answer)
    assert script.calls == 1


def test_a_message_whose_reply_was_lost_is_sent_again_under_the_same_key(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(3))
    keys: list[str] = []

    def lose_the_first_reply(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    # Without events the page cannot know that the message arrived.
    chat.page.route("**/events**", lambda route: route.abort() if len(keys) < 2 else route.continue_())
    chat.page.route(MESSAGES_POST, lose_the_first_reply)
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first, script.answer)
    assert len(keys) == 2 and keys[0] == keys[1]
    assert script.calls == 1
    expect(chat.questions).to_have_count(1)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(429, "rate_limited", "You have sent many messages."), (503, "overloaded", "We are very busy right now.")],
)
def test_a_full_service_is_shown_as_a_countdown_and_tried_again(
    chat: ChatPage, model: ModelServer, status: int, code: str, words: str
) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(3))
    _answer_first_post(chat, _problem(status, code, "Please wait.", retry_after_s=2))
    chat.ask(script.question)
    expect(chat.questions.first).to_contain_text(re.compile(re.escape(words) + " Trying again in [12] seconds?"))
    chat.expect_complete(chat.answers.first, script.answer)


def test_a_turn_that_is_active_elsewhere_is_waited_for(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(3))
    _answer_first_post(chat, _problem(409, "turn_active", "An answer is still being written."))
    chat.ask(script.question)
    expect(chat.questions.first).to_contain_text("Will be sent when this answer is finished")
    chat.expect_complete(chat.answers.first, script.answer)


def test_a_refused_message_keeps_its_text_for_another_try_and_for_editing(
    chat: ChatPage, model: ModelServer
) -> None:
    chat.expects_network_noise = True
    script = model.tell(numbered(3))
    refused = _problem(422, "schema_violation", "Some fields of the request are not valid.")
    chat.page.route(MESSAGES_POST, refused)
    chat.ask(script.question)
    bubble = chat.questions.first
    expect(bubble).to_contain_text("Not sent. Some fields of the request are not valid.")
    bubble.get_by_role("button", name="Edit").click()
    expect(chat.field).to_have_value(script.question)
    expect(chat.questions).to_have_count(0)

    chat.page.keyboard.press("Enter")
    expect(bubble).to_contain_text("Not sent.")
    chat.page.unroute(MESSAGES_POST, refused)
    bubble.get_by_role("button", name="Try again").click()
    chat.expect_complete(chat.answers.first, script.answer)


def test_a_draft_survives_a_reload(chat: ChatPage) -> None:
    chat.field.fill("Half a thought")
    chat.page.reload()
    expect(chat.field).to_have_value("Half a thought")


def test_an_expired_token_is_refreshed_once_for_all_calls(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    chat.ask(model.tell().question)
    chat.expect_complete(chat.answers.first)
    stale = chat.page.evaluate("JSON.parse(localStorage['rushdesk:tokens']).access")
    refreshes: list[str] = []

    def expired_for_the_old_token(route: Route) -> None:
        if route.request.headers.get("authorization") == f"Bearer {stale}":
            _problem(401, "token_expired", "Your sign-in has expired.")(route)
        else:
            route.continue_()

    chat.page.on("request", lambda request: refreshes.append(request.url) if "/refresh" in request.url else None)
    chat.page.route("**/v1/sessions/**", expired_for_the_old_token)
    chat.page.reload()
    chat.expect_complete(chat.answers.first)
    assert len(refreshes) == 1


def test_a_visitor_who_cannot_be_continued_starts_anew_and_is_told(chat: ChatPage, model: ModelServer) -> None:
    chat.expects_network_noise = True
    chat.ask(model.tell().question)
    chat.expect_complete(chat.answers.first)
    chat.page.evaluate(
        """() => localStorage["rushdesk:tokens"] = JSON.stringify({ access: "x", refresh: "x", expiresAt: 0 })"""
    )
    chat.page.reload()
    expect(chat.page.get_by_text("Your earlier visit has ended.")).to_be_visible()
    expect(chat.answers).to_have_count(0)
    script = model.tell(numbered(2))
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first, script.answer)


def test_the_place_in_the_queue_is_shown(
    new_chat: Callable[..., ChatPage], one_slot_server: Server, model: ModelServer
) -> None:
    other = Shopper(one_slot_server)
    held = model.tell(numbered(5), hold_after=10)
    other.ask(held.question)
    assert held.held.wait(20)
    chat = new_chat(one_slot_server)
    script = model.tell(numbered(3))
    chat.ask(script.question)
    expect(chat.answers.first.locator(".progress")).to_contain_text("You are next in line", timeout=20_000)
    held.release()
    chat.expect_complete(chat.answers.first, script.answer)
    other.http.close()


def test_a_reset_stream_reads_the_history_again(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(12), hold_after=30)
    resets = [b'event: stream.reset\ndata: {"v":1}\n\n']

    def reset_once(route: Route) -> None:
        if resets:
            route.fulfill(status=200, content_type="text/event-stream", body=resets.pop())
        else:
            route.continue_()

    chat.page.route("**/events**", reset_once)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    script.release()
    chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.answers).to_have_count(1)


def _answer_first_post(chat: ChatPage, answer: Callable[[Route], None]) -> None:
    posts: list[Route] = []

    def handle(route: Route) -> None:
        posts.append(route)
        answer(route) if len(posts) == 1 else route.continue_()

    chat.page.route(MESSAGES_POST, handle)


def _problem(status: int, code: str, detail: str, retry_after_s: int | None = None) -> Callable[[Route], None]:
    body = {"type": f"/docs/errors#{code}", "title": code, "status": status, "detail": detail, "code": code}
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/problem+json", headers=headers, body=json.dumps(body))

    return answer


def test_a_visitor_of_a_flooded_shop_works_for_a_moment_and_chats(
    new_chat: Callable[..., ChatPage], flooded_server: Server, model: ModelServer
) -> None:
    chat = new_chat(flooded_server)
    chat.expects_network_noise = True
    proofs = []

    def flood(route: Route) -> None:
        proof = route.request.post_data_json.get("proof")
        proofs.append(proof)
        if proof:
            route.continue_()
            return
        while (reply := route.fetch()).ok:
            pass
        route.fulfill(response=reply)

    chat.page.route("**/v1/auth/visitor", flood)
    script = model.tell(numbered(3))
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first, script.answer)
    assert [bool(proof) for proof in proofs] == [False, True]


def test_the_page_of_a_link_sets_the_password_and_forgets_the_link(chat: ChatPage) -> None:
    sent = []

    def reset(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=204)

    chat.page.route("**/v1/auth/reset", reset)
    chat.page.goto(f"{chat.url}/reset#pk_demo/the-token")
    chat.page.get_by_label("8 to 256 characters").fill("battery staple")
    chat.page.get_by_role("button", name="Set the password").click()
    expect(chat.page.get_by_text("Your new password is set.")).to_be_visible()
    expect(chat.page.get_by_label("8 to 256 characters")).to_be_hidden()
    assert sent == [{"site_key": "pk_demo", "reset_token": "the-token", "new_password": "battery staple"}]
    assert chat.page.url == f"{chat.url}/reset"
