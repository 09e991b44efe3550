"""The chat page in a browser, as a shopper uses it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from chat_page import ChatPage
from model_server import ModelServer, numbered
from rushdesk import Server

EXAMPLE = re.compile("How do I return")
NewChat = Callable[..., ChatPage]


def test_a_question_is_answered_with_sources_and_a_route(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name=EXAMPLE).click()
    expect(chat.questions).to_have_count(1)
    answer = chat.answers.first
    chat.expect_complete(answer)

    chip = answer.get_by_role("group", name="Sources").get_by_role("button").first
    expect(chip).to_have_attribute("aria-expanded", "false")
    chip.click()
    expect(chip).to_have_attribute("aria-expanded", "true")
    expect(answer.locator(".source blockquote")).not_to_be_empty()
    for link in answer.locator("a").all():
        assert re.match("https?://", link.get_attribute("href") or "")


def test_a_bare_number_is_asked_back_with_buttons(chat: ChatPage) -> None:
    chat.ask("10482")
    chat.expect_complete(chat.answers.first)
    choice = chat.answers.first.get_by_role("button", name="My order")
    expect(choice).to_be_visible()
    choice.click()
    expect(chat.questions).to_have_count(2)
    expect(chat.questions.nth(1)).to_contain_text("My order: 10482")
    expect(choice).to_be_hidden()


def test_text_is_shown_while_the_model_still_writes(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(10), hold_after=30)
    chat.ask(script.question)
    prose = chat.answers.first.locator(".prose")
    expect(prose).to_contain_text("point 2")
    expect(chat.log).to_have_attribute("aria-busy", "true")
    expect(chat.stop_button).to_be_visible()
    script.release()
    chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.stop_button).to_be_hidden()


def test_a_reload_in_the_middle_shows_the_text_so_far_and_the_rest_once(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(12), hold_after=40)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 4")
    chat.page.add_init_script(_WATCH_FOR_REPEATS)
    chat.page.reload()
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 4")
    script.release()
    chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.answers).to_have_count(1)
    expect(chat.questions).to_have_count(1)
    assert chat.page.evaluate("window.repeated") is False, "a piece was shown twice on the way"
    assert script.calls == 1


def test_a_second_tab_follows_the_same_answer(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(12), hold_after=30)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    other = ChatPage(chat.context.new_page(), chat.url).open()
    expect(other.answers.first.locator(".prose")).to_contain_text("point 2")
    script.release()
    for tab in (chat, other):
        tab.expect_complete(tab.answers.first, script.answer)
    other.expect_calm()


def test_the_history_is_there_after_a_reload(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell("**Bold**, `code` and a [link](https://example.com/).\n\n- one\n- two")
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first)
    chat.page.reload()
    chat.expect_complete(chat.answers.first)
    expect(chat.questions.first.locator(".bubble")).to_have_text(script.question)
    prose = chat.answers.first.locator(".prose")
    expect(prose.locator("strong")).to_have_text("Bold")
    expect(prose.locator("li")).to_have_text(["one", "two"])
    expect(prose.get_by_role("link", name="link")).to_have_attribute("href", "https://example.com/")


def test_stop_ends_the_answer_and_frees_the_model(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(20), hold_after=30)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    chat.stop_button.click()
    expect(chat.answers.first.locator(".failure")).to_contain_text("You stopped this answer")
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    expect(chat.stop_button).to_be_hidden()
    assert script.left.wait(5), "the connection to the model must be closed"


def test_a_message_written_during_an_answer_goes_out_after_it(chat: ChatPage, model: ModelServer) -> None:
    first, second = model.tell(numbered(8), hold_after=20), model.tell(numbered(2))
    chat.ask(first.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    chat.ask(second.question)
    expect(chat.questions.nth(1)).to_contain_text("Will be sent when this answer is finished")
    first.release()
    chat.expect_complete(chat.answers.first, first.answer)
    chat.expect_complete(chat.answers.nth(1), second.answer)
    assert second.calls == 1


def test_thumbs_send_feedback_and_it_is_remembered(chat: ChatPage, model: ModelServer) -> None:
    chat.ask(model.tell().question)
    answer = chat.answers.first
    chat.expect_complete(answer)
    up, down = (answer.get_by_role("button", name=name) for name in ("Good answer", "Bad answer"))

    with chat.page.expect_response("**/feedback") as rated:
        down.click()
    assert rated.value.ok
    expect(down).to_have_attribute("aria-pressed", "true")
    answer.get_by_role("textbox", name="What was wrong").fill("It does not name a price.")
    with chat.page.expect_response("**/feedback") as rated:
        answer.get_by_role("button", name="Send comment").click()
    assert rated.value.ok
    assert rated.value.request.post_data_json == {"rating": "down", "comment": "It does not name a price."}

    chat.page.reload()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")


def test_an_answer_is_copied(new_chat: NewChat, model: ModelServer) -> None:
    chat = new_chat(permissions=["clipboard-read", "clipboard-write"])
    script = model.tell("Take the **dome** tent.")
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first)
    chat.answers.first.get_by_role("button", name="Copy answer").click()
    expect(chat.page.get_by_text("Answer copied.")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == script.answer


def test_hostile_text_of_a_model_stays_text(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(
        "<img src=x onerror=window.owned=1> <script>window.owned=1</script> [press](javascript:window.owned=1) "
        "[data](data:text/html,x) <a href='javascript:window.owned=1'>here</a> and that is all."
    )
    chat.ask(script.question)
    prose = chat.answers.first.locator(".prose")
    expect(prose).to_contain_text("and that is all.")
    chat.expect_complete(chat.answers.first)
    assert chat.log.locator("img, script, iframe, [onerror], [style]").count() == 0
    for link in chat.log.locator("a").all():
        assert re.match("https?://", link.get_attribute("href") or "")
    assert chat.page.evaluate("window.owned") is None


def test_hostile_text_of_a_shopper_stays_text(chat: ChatPage, model: ModelServer) -> None:
    chat.ask("Is <b onclick=alert(1)>this</b> jacket warm?")
    expect(chat.questions.first.locator(".bubble")).to_have_text("Is <b onclick=alert(1)>this</b> jacket warm?")
    assert chat.questions.first.locator("b").count() == 0
    chat.expect_complete(chat.answers.first)


def test_conversations_are_listed_opened_and_deleted(chat: ChatPage, model: ModelServer) -> None:
    first, second = model.tell(numbered(2)), model.tell(numbered(3))
    chat.ask(first.question)
    chat.expect_complete(chat.answers.first, first.answer)
    chat.page.get_by_role("button", name="New conversation").click()
    expect(chat.page.get_by_role("heading", name="What can we help you with?")).to_be_visible()
    expect(chat.answers).to_have_count(0)
    chat.ask(second.question)
    chat.expect_complete(chat.answers.first, second.answer)

    drawer = chat.page.get_by_role("dialog", name="Your conversations")
    chat.page.get_by_role("button", name="Your conversations").click()
    expect(drawer.locator(".past")).to_have_count(2)
    drawer.get_by_role("button", name=re.compile("^" + re.escape(first.question[:80]))).click()
    expect(drawer).to_be_hidden()
    chat.expect_complete(chat.answers.first, first.answer)

    chat.page.get_by_role("button", name="Your conversations").click()
    drawer.get_by_role("button", name=re.compile("^Delete: " + re.escape(first.question[:80]))).click()
    drawer.get_by_role("button", name="Delete", exact=True).click()
    expect(drawer.locator(".past")).to_have_count(1)
    chat.page.keyboard.press("Escape")
    expect(chat.answers).to_have_count(0)


def test_the_page_can_be_used_with_the_keyboard_alone(chat: ChatPage, model: ModelServer) -> None:
    script = model.tell(numbered(12), hold_after=30)
    keyboard = chat.page.keyboard
    expect(chat.field).to_be_focused()
    keyboard.type("First line")
    keyboard.press("Shift+Enter")
    keyboard.type(script.question)
    expect(chat.field).to_have_value(f"First line\n{script.question}")
    keyboard.press("Enter")
    expect(chat.field).to_have_value("")
    expect(chat.answers.first.locator(".prose")).to_contain_text("point 2")
    keyboard.press("Escape")
    expect(chat.answers.first.locator(".failure")).to_contain_text("You stopped this answer")

    chat.page.reload()
    expect(chat.answers.first).to_be_visible()
    chat.page.evaluate("document.activeElement.blur()")
    names = []
    for _ in range(12):
        keyboard.press("Tab")
        names.append(chat.page.evaluate(_FOCUSED_NAME))
        if names[-1] == "Your message":
            break
    expected = ["Skip to the message field", "Your conversations", "New conversation", "Messages", "Ask again"]
    assert [name for name in names if name in expected] == expected
    assert names[-1] == "Your message"


def test_the_skip_link_leads_to_the_field(chat: ChatPage) -> None:
    skip = chat.page.get_by_role("link", name="Skip to the message field")
    skip.focus()
    expect(skip).to_be_in_viewport()
    chat.page.keyboard.press("Enter")
    expect(chat.field).to_be_focused()


def test_everything_that_can_be_pressed_has_a_name(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name=EXAMPLE).click()
    chat.expect_complete(chat.answers.first)
    assert chat.page.evaluate(_NAMELESS) == []
    assert chat.page.evaluate("document.documentElement.lang").startswith("en")
    assert chat.page.get_by_role("heading", level=1).count() == 1
    assert chat.page.evaluate(_TWICE_USED_IDS) == []
    expect(chat.page.get_by_role("log")).to_have_attribute("aria-live", "polite")


def test_the_reader_is_not_pulled_down_while_reading_above(new_chat: NewChat, model: ModelServer) -> None:
    chat = new_chat(viewport={"width": 500, "height": 420})
    script = model.tell("\n\n".join(f"Paragraph {number}." for number in range(80)), hold_after=120)
    chat.ask(script.question)
    expect(chat.answers.first.locator(".prose")).to_contain_text("Paragraph 55.")
    scroller = chat.page.locator("#scroller")
    at_end = "node => node.scrollHeight - node.scrollTop - node.clientHeight < 4"
    assert scroller.evaluate(at_end), "the page follows while the reader is at the end"

    scroller.evaluate("node => { node.scrollTop = 100 }")
    jump = chat.page.get_by_role("button", name="Go to the newest message")
    expect(jump).to_be_visible()
    script.release()
    chat.expect_complete(chat.answers.first)
    assert scroller.evaluate("node => node.scrollTop") == 100
    jump.click()
    assert scroller.evaluate(at_end)


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_is_wider_than_the_screen(new_chat: NewChat, model: ModelServer, width: int) -> None:
    chat = new_chat(viewport={"width": width, "height": 640})
    script = model.tell("A " + "very" * 60 + " long word, `" + "code" * 60 + "` and\n\n```\n" + "x" * 300 + "\n```")
    chat.ask(script.question)
    chat.expect_complete(chat.answers.first)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= width
    assert chat.page.locator("#scroller").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_the_same_question_again_comes_from_the_cache(
    new_chat: NewChat, caching_server: Server, model: ModelServer
) -> None:
    script = model.tell(numbered(3))
    # Two shoppers confirm an answer of the model; the third gets it from the cache.
    for _ in range(3):
        chat = new_chat(at=caching_server)
        chat.ask(script.question)
        chat.expect_complete(chat.answers.first, script.answer)
    expect(chat.answers.first.locator(".badge")).to_have_text("from cache")
    assert script.calls == 2


_WATCH_FOR_REPEATS = """
  window.repeated = false;
  new MutationObserver(() => {
    const text = document.querySelector(".prose")?.textContent ?? "";
    window.repeated ||= text.split("point 1 of").length > 2;
  }).observe(document, { childList: true, subtree: true, characterData: true });
"""

_FOCUSED_NAME = """() => {
  const node = document.activeElement;
  return node.getAttribute("aria-label") ?? node.labels?.[0]?.textContent ?? node.textContent.trim();
}"""

_NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, textarea, [tabindex]")]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim()))
  .map((node) => node.outerHTML)"""

_TWICE_USED_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""
