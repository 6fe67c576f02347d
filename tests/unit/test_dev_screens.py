"""The table of the screens, what counts as a complaint of a page, and what becomes of a picture."""

import io
import string

import pytest
from PIL import Image

from dev.devtools import complaint_of
from dev.screens import RECORDS, SCREENS, choose, names_in
from dev.screenshots import APP_PAGE, APP_PICTURES, Album, compressed


def test_each_screen_has_a_name_of_its_own():
    names = [screen.name for screen in SCREENS]
    assert len(set(names)) == len(names)
    assert all(set(name) <= {*string.ascii_lowercase, "-"} for name in names)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_path_names_jobs_that_are_known(screen):
    found = {name for _text, name, *_rest in string.Formatter().parse(screen.path) if name}
    assert found == set(names_in(screen.path)) <= set(RECORDS)
    assert "{" not in screen.action and "?" not in screen.action


def test_all_screens_are_drawn_unless_some_are_named():
    assert choose("") == SCREENS
    assert [screen.name for screen in choose("channels jobs")] == ["jobs", "channels"]
    with pytest.raises(ValueError, match="nonsense"):
        choose("jobs nonsense")


def thrown(**exception):
    return {"exceptionDetails": {"text": "Uncaught", "exception": exception}}


@pytest.mark.parametrize(
    "method, parameters, complaint",
    [
        ("Runtime.exceptionThrown", thrown(description="Error: no\n at x"), "Error: no\n at x"),
        ("Runtime.exceptionThrown", thrown(value="text"), "text"),
        ("Runtime.exceptionThrown", thrown(), "Uncaught"),
        (
            "Runtime.consoleAPICalled",
            {"type": "error", "args": [{"type": "string", "value": "a"}, {"type": "undefined"}]},
            "a undefined",
        ),
        ("Runtime.consoleAPICalled", {"type": "log", "args": [{"value": "a"}]}, ""),
        (
            "Log.entryAdded",
            {"entry": {"level": "error", "text": "not found", "url": "/font"}},
            "not found /font",
        ),
        ("Log.entryAdded", {"entry": {"level": "warning", "text": "slow"}}, ""),
        ("Page.loadEventFired", {}, ""),
    ],
)
def test_what_a_page_complains_about(method, parameters, complaint):
    assert complaint_of(method, parameters) == complaint


def picture(size=(40, 30)):
    image = Image.effect_noise(size, 80).convert("RGB")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_smaller_and_shows_the_same():
    before = picture()
    after = compressed(before)
    assert len(after) < len(before)
    image = Image.open(io.BytesIO(after))
    assert (image.size, image.mode) == ((40, 30), "P")


def test_an_album_keeps_what_was_drawn_this_time(tmp_path):
    (tmp_path / "gone-light-wide.png").write_bytes(b"old")
    album = Album(tmp_path)
    album.add("jobs-light-wide", picture())
    album.remove_others()
    assert [path.name for path in tmp_path.iterdir()] == ["jobs-light-wide.png"]
    assert album.size == (tmp_path / "jobs-light-wide.png").stat().st_size


def test_the_page_of_the_addon_gets_its_pictures_when_they_were_drawn(tmp_path):
    (tmp_path / "page").mkdir()
    album = Album(tmp_path)
    for name in ("jobs-light-wide", "jobs-dark-wide"):
        album.add(name, picture())
    album.copy(APP_PICTURES, tmp_path / "page")
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["jobs-light-wide.png"]
    assert all(f"{name}.png" in (APP_PAGE / "index.html").read_text() for name in APP_PICTURES)
