"""What an interrupted step leaves must never be taken for a finished one."""

import os

import pytest

from dev import cache


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "built"


def filler(calls):
    def fill(place):
        calls.append(place)
        (place / "content").write_text(f"made by call {len(calls)}")

    return fill


def test_a_step_is_done_once_for_a_key(folder):
    calls = []
    for _time in range(2):
        cache.build(folder, "one", filler(calls))
    assert len(calls) == 1
    assert cache.stamped(folder) == "one"


def test_another_key_builds_anew(folder):
    calls = []
    cache.build(folder, "one", filler(calls))
    cache.build(folder, "two", filler(calls))
    assert (folder / "content").read_text() == "made by call 2"


def test_an_interrupted_step_is_done_again(folder):
    def interrupted(place):
        (place / "half").write_text("a half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.build(folder, "one", interrupted)
    assert not folder.exists()
    cache.build(folder, "one", filler([]))
    assert not (folder / "half").exists()


def test_an_interrupted_step_leaves_the_older_one_in_place(folder):
    def interrupted(place):
        raise KeyboardInterrupt

    cache.build(folder, "one", filler([]))
    with pytest.raises(KeyboardInterrupt):
        cache.build(folder, "two", interrupted)
    assert cache.stamped(folder) == "one"


def test_a_folder_without_a_stamp_is_unfinished(folder):
    cache.build(folder, "one", filler([]))
    cache.unstamp(folder)
    assert cache.stamped(folder) == ""


def test_keys_tell_apart_what_only_looks_the_same():
    assert cache.key_of(["ab", "c"]) != cache.key_of(["a", "bc"])


def test_the_key_of_files_follows_names_and_contents(tmp_path):
    (tmp_path / "one").write_text("1")
    first = cache.key_of_files([tmp_path])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "one.pyc").write_text("compiled")
    assert cache.key_of_files([tmp_path]) == first
    (tmp_path / "one").write_text("2")
    assert cache.key_of_files([tmp_path]) != first


def test_each_claim_gets_a_folder_of_its_own(tmp_path):
    first, lock = cache.claim_slot(tmp_path, 2)
    second, other = cache.claim_slot(tmp_path, 2)
    assert first != second
    assert cache.claimant(first / cache.CLAIM) == os.getpid()
    with pytest.raises(BlockingIOError):
        cache.claim_slot(tmp_path, 2)
    os.close(lock)
    assert cache.claimant(first / cache.CLAIM) is None
    again, lock = cache.claim_slot(tmp_path, 2)
    assert again == first
    os.close(lock)
    os.close(other)


def test_the_cache_folder_follows_the_convention(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "queue_job"
