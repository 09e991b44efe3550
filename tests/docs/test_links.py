"""Links between the files of the repository have targets. Links to other sites are counted, not requested."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from pages import ROOT, anchors, links, pages

# Links that the server resolves, not the repository, and documents of the demo shop's own website.
SERVED = ("http://localhost", "http://127.0.0.1")


def test_no_link_is_dead() -> None:
    dead = []
    outside = 0
    for page in pages():
        for line, target in links(page):
            parts = urlsplit(target)
            if parts.scheme:
                outside += not target.startswith(SERVED)
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            where = f"{page.relative_to(ROOT)}:{line}: {target}"
            if not file.is_relative_to(ROOT) or not file.exists():
                dead.append(where)
            elif parts.fragment and (file.suffix != ".md" or parts.fragment not in anchors(file)):
                dead.append(f"{where} (no such heading)")
    print(f"{outside} links lead to other sites")
    assert not dead, "\n".join(dead)


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / unquote(urlsplit(target).path)).resolve() for _, target in links(index)}
    missing = [str(page.relative_to(ROOT)) for page in pages() if page.parent == index.parent and page not in linked]
    assert set(missing) <= {"docs/README.md"}
