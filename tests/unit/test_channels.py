"""The channel string: what it means, and that every mistake is named with its remedy."""

import pytest
from core.channels import (
    DEFAULT_CHANNELS,
    FLAGS,
    KEYS,
    ROOT,
    ChannelConfig,
    ChannelError,
    Override,
    ancestors,
    full_name,
    is_disabled,
    override,
    parse_channels,
    write_channels,
)
from hypothesis import given
from hypothesis import strategies as st

NAME_PARTS = st.text(
    st.characters(exclude_characters=".:,=", exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]),
    min_size=1,
    max_size=6,
).filter(lambda part: part != ROOT)
NAMES = st.lists(NAME_PARTS, max_size=3).map(lambda parts: ".".join([ROOT, *parts]))
SECONDS = st.floats(0, 1e6, allow_nan=False)
SPACES = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def configs(draw):
    """A channel as an entry can describe it."""
    sequential = draw(st.booleans())
    return ChannelConfig(
        name=draw(NAMES),
        capacity=1 if sequential else draw(st.integers(1, 10**6)),
        sequential=sequential,
        throttle=draw(SECONDS),
        paused=draw(st.booleans()),
    )


@st.composite
def written(draw, config):
    """An entry that says what ``config`` is, in one of the ways in which it can be said."""
    short = config.name.removeprefix("root.")
    tokens = [draw(st.sampled_from([config.name, short])), str(config.capacity)]
    if config.sequential:
        tokens.append(draw(st.sampled_from(["sequential", "sequential=1", "sequential=Yes"])))
    if config.throttle or draw(st.booleans()):
        tokens.append(f"throttle={config.throttle!r}")
    if config.paused:
        tokens.append(draw(st.sampled_from(["paused", "paused=true", "paused = 1"])))
    space = draw(SPACES)
    return space + f"{space}:{space}".join(tokens) + space


def one(text):
    """Return the configuration of the last channel that ``text`` describes."""
    return list(parse_channels(text).values())[-1]


# What an entry means


def test_the_example_of_the_documentation():
    assert parse_channels("root:4,root.csv:1,root.magento:3:throttle=0.5") == {
        "root": ChannelConfig("root", 4),
        "root.csv": ChannelConfig("root.csv", 1),
        "root.magento": ChannelConfig("root.magento", 3, throttle=0.5),
    }


def test_the_default_runs_one_job_at_a_time():
    assert parse_channels(DEFAULT_CHANNELS) == {"root": ChannelConfig("root", 1)}


@pytest.mark.parametrize("text", ["", "  ", ",", "\n", ",\n ,"])
def test_nothing_configured_is_the_default(text):
    assert parse_channels(text) == parse_channels(DEFAULT_CHANNELS)


def test_a_channel_without_capacity_runs_one_job_at_a_time():
    assert one("root.csv").capacity == 1


def test_root_not_named_gets_a_capacity_of_one():
    assert parse_channels("csv:5")["root"] == ChannelConfig("root", 1)


def test_channels_in_between_are_added_without_a_limit_of_their_own():
    channels = parse_channels("root:4,root.a.b.c:2")
    assert channels["root.a"] == ChannelConfig("root.a", None)
    assert channels["root.a.b"] == ChannelConfig("root.a.b", None)
    assert channels["root.a.b.c"].capacity == 2


def test_parents_come_first_even_when_a_sibling_sorts_between_them():
    names = list(parse_channels("root.a-b:1,root.a.c:1,root.a:1,root:1"))
    assert names == ["root", "root.a", "root.a.c", "root.a-b"]


def test_the_root_prefix_may_be_left_out():
    assert parse_channels("root:2,csv.big:3") == parse_channels("root:2,root.csv.big:3")


def test_a_name_that_only_begins_like_root_is_below_root():
    assert one("roots:2").name == "root.roots"


def test_entries_are_separated_by_commas_or_new_lines_and_trimmed():
    text = "  root : 4 \r\n\tcsv:2 : sequential = 0 ,\n\n magento:3:throttle = 0.5,"
    assert parse_channels(text) == parse_channels("root:4,csv:2,magento:3:throttle=0.5")


def test_capacity_may_be_given_by_its_key():
    assert one("csv:capacity=3:paused") == ChannelConfig("root.csv", 3, paused=True)


def test_keys_may_stand_in_any_order():
    assert one("csv:throttle=2:capacity=1:sequential") == one("csv:1:sequential:throttle=2")


def test_sequential_zero_is_not_sequential():
    assert one("csv:5:sequential=0") == ChannelConfig("root.csv", 5)


@pytest.mark.parametrize("text", FLAGS)
@pytest.mark.parametrize("key", ["sequential", "paused"])
def test_a_flag_says_yes_or_no_in_any_case(key, text):
    assert getattr(one(f"csv:1:{key}={text.upper()}"), key) is FLAGS[text]


def test_a_throttle_without_a_value_is_one_second():
    assert one("csv:4:throttle").throttle == 1.0


@pytest.mark.parametrize("text, seconds", [("0", 0.0), ("0.25", 0.25), (".5", 0.5), ("1e2", 100.0)])
def test_a_throttle_has_fractions(text, seconds):
    assert one(f"csv:4:throttle={text}").throttle == seconds


def test_root_zero_turns_the_jobrunner_off():
    assert is_disabled(parse_channels("root:0"))
    assert is_disabled(parse_channels("root:0,csv:2"))


@pytest.mark.parametrize("text", ["", "root:1", "root:1:paused", "csv:2"])
def test_nothing_else_turns_the_jobrunner_off(text):
    assert not is_disabled(parse_channels(text))


def test_ancestors_are_the_channel_and_all_above_it_nearest_first():
    assert list(ancestors("root.a.b")) == ["root.a.b", "root.a", "root"]
    assert list(ancestors("")) == []


@pytest.mark.parametrize(
    "name, full",
    [
        ("root", "root"),
        ("csv", "root.csv"),
        (" csv.big ", "root.csv.big"),
        ("root.csv", "root.csv"),
    ],
)
def test_full_name(name, full):
    assert full_name(name) == full


# What a mistake is told: the token, and what to write instead


MISTAKES = {
    "root:2,root:3": ["'root' is given twice", "keep one entry"],
    "csv:1,root.csv:2": ["'root.csv' is given twice", "keep one entry"],
    "csv:0": ["capacity '0'", "'csv:0'", "below 1", "root.csv:1:paused", "root:0"],
    "csv:-1": ["capacity '-1'", "below 1", "root.csv:1:paused"],
    "root:-1": ["capacity '-1'", "below 1", "root:0"],
    "csv:two": ["capacity 'two'", "'csv:two'", "not a whole number", "root.csv:1"],
    "csv:1.5": ["capacity '1.5'", "not a whole number"],
    "csv:": ["capacity ''", "'csv:'", "not a whole number"],
    "csv:sequential": ["capacity 'sequential'", "not a whole number", "root.csv:1"],
    "csv:1:limit=3": ["unknown key 'limit'", "'csv:1:limit=3'", *KEYS],
    "csv:1:": ["unknown key ''", *KEYS],
    "csv:1:2": ["unknown key '2'", *KEYS],
    "csv:1:capacity=2": ["'capacity' is given twice", "keep one"],
    "csv:1:paused:paused=0": ["'paused' is given twice", "keep one"],
    "csv:2:sequential": ["'root.csv'", "capacity 2", "needs a capacity of 1"],
    "root:0:sequential": ["'root'", "capacity 0", "needs a capacity of 1"],
    "csv:1:sequential=maybe": ["sequential 'maybe'", "use 1 or 0"],
    "csv:1:paused=": ["paused ''", "use 1 or 0"],
    "csv:1:throttle=fast": ["throttle 'fast'", "throttle=0.5"],
    "csv:1:throttle=": ["throttle ''", "throttle=0.5"],
    "csv:1:throttle=-1": ["throttle '-1'", "throttle=0.5"],
    "csv:1:throttle=nan": ["throttle 'nan'", "throttle=0.5"],
    "csv:1:throttle=inf": ["throttle 'inf'", "throttle=0.5"],
    "my csv:1": ["'my csv'", "no space"],
    "root..csv:1": ["'root..csv'", "''", "at least one character"],
    ".csv:1": ["'.csv'", "''", "at least one character"],
    ":1": ["''", "at least one character"],
    "csv=1": ["'csv=1'", "equals sign"],
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_with_its_remedy(text):
    with pytest.raises(ChannelError) as caught:
        parse_channels(text)
    for words in MISTAKES[text]:
        assert words in str(caught.value)


def test_a_mistake_in_one_entry_is_found_among_good_ones():
    with pytest.raises(ChannelError, match="'bad:x'"):
        parse_channels("root:4,bad:x,csv:1")


def test_a_channel_error_is_a_value_error():
    assert issubclass(ChannelError, ValueError)


# Laws


@given(st.data())
def test_what_is_written_is_read_back(data):
    wanted = data.draw(st.lists(configs(), max_size=5, unique_by=lambda config: config.name))
    entries = [data.draw(written(config)) for config in wanted]
    text = entries[0] if entries else ""
    for entry in entries[1:]:
        text += data.draw(st.sampled_from([",", "\n", ",\n", "\r\n"])) + entry
    found = parse_channels(text)
    for config in wanted:
        assert found[config.name] == config
    added = [config for name, config in found.items() if name not in {w.name for w in wanted}]
    assert all(config in (ChannelConfig(config.name), ChannelConfig(ROOT, 1)) for config in added)


@given(st.lists(NAMES, unique=True))
def test_every_channel_stands_after_the_one_above_it(names):
    found = list(parse_channels(",".join(names)))
    assert found[0] == ROOT
    for position, name in enumerate(found):
        assert set(ancestors(name)) <= set(found[: position + 1])


@given(NAMES)
def test_the_full_name_of_a_full_name_is_itself(name):
    assert full_name(name) == name
    assert full_name(name.removeprefix("root.")) == name


@given(st.text(st.sampled_from("root.a:,=10-5xn \n") | st.characters(), max_size=40))
def test_any_text_is_either_understood_or_refused_with_a_message(text):
    try:
        channels = parse_channels(text)
    except ChannelError as error:
        assert str(error)
    else:
        assert all(config.capacity is None or config.capacity >= 0 for config in channels.values())
        assert all(name == config.name for name, config in channels.items())


# What operators set


def overridden(text, **wanted):
    names = {f"root.{name}" if name != ROOT else ROOT: value for name, value in wanted.items()}
    return override(parse_channels(text), names)


def test_what_is_set_by_hand_replaces_what_is_configured():
    channels = overridden("root:4,a:1:throttle=2", a=Override(capacity=3, throttle=0.5))
    assert (channels["root.a"].capacity, channels["root.a"].throttle) == (3, 0.5)
    assert channels[ROOT].capacity == 4


def test_what_is_not_set_stays():
    channels = overridden("root:4,a:1:throttle=2", a=Override(paused=True))
    assert channels["root.a"] == ChannelConfig("root.a", 1, throttle=2.0, paused=True)


def test_a_configured_pause_cannot_be_lifted_by_hand():
    assert overridden("root:4,a:1:paused", a=Override(capacity=2))["root.a"].paused


def test_a_sequential_channel_keeps_its_capacity():
    assert overridden("root:4,a:1:sequential", a=Override(capacity=9))["root.a"].capacity == 1


def test_a_channel_that_is_not_configured_gets_its_place_in_the_tree():
    channels = override(parse_channels("root:4"), {"root.b.c": Override(capacity=2)})
    assert list(channels) == [ROOT, "root.b", "root.b.c"]
    assert channels["root.b"].capacity is None


@given(st.lists(configs(), unique_by=lambda config: config.name))
def test_a_configuration_is_written_as_it_is_read(listed):
    known = {config.name: config for config in listed}
    read = parse_channels(",".join(map(_entry, listed)))
    assert parse_channels(write_channels(read)) == read
    assert set(known) <= set(read)


def _entry(config):
    return write_channels({config.name: config})


@pytest.mark.parametrize("name", ["a\0b", "a\x1b[31m", "a\u2028b", "a\ud800", "a\x7f"], ids=ascii)
def test_a_name_that_no_log_or_database_takes_is_refused(name):
    for read in (full_name, parse_channels):
        with pytest.raises(ChannelError) as refused:
            read(name)
        assert str(refused.value).isprintable()
