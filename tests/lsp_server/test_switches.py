"""What the user turned off for now: all, a language, a while; through the commands, and in the status."""

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import pytest

from lsp_server.answering import Answering
from lsp_server.dismissals import Dismissals
from lsp_server.feedback import Feedback
from lsp_server.handlers import execute_command
from lsp_server.pipeline import Pipeline
from lsp_server.pygls_fixes import HardenedServer
from lsp_server.settings import InlineSettings, LanguagesSettings, Settings
from lsp_server.status import Kind, Status, StatusValue
from lsp_server.switches import Switches
from wire import Wire, open_wire


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def switches_with(
    clock: Clock, *, is_enabled: bool = True, disabled: tuple[str, ...] = ()
) -> tuple[Switches, list[str]]:
    """Switches, and what `is_off` said at each change."""
    settings = Settings(inline=InlineSettings(enabled=is_enabled), languages=LanguagesSettings(disabled))
    switches = Switches(clock, lambda: settings)
    seen: list[str] = []
    switches.on_change = lambda: seen.append(switches.is_off(None))
    return switches, seen


# Toggling


def test_where_nobody_said_anything_the_settings_rule(clock: Clock) -> None:
    assert not switches_with(clock)[0].is_off("python")
    assert switches_with(clock, is_enabled=False)[0].is_off("python")
    assert switches_with(clock, disabled=("python",))[0].is_off("python")
    assert not switches_with(clock, disabled=("python",))[0].is_off("go")


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_toggle_turns_everything_over_and_back(clock: Clock, is_enabled: bool) -> None:
    switches, seen = switches_with(clock, is_enabled=is_enabled)

    switches.toggle(None)
    assert bool(switches.is_off("python")) == is_enabled
    switches.toggle(None)
    assert bool(switches.is_off("python")) != is_enabled
    assert len(seen) == 2


@pytest.mark.parametrize("disabled", [(), ("python",)])
def test_a_language_is_toggled_alone(clock: Clock, disabled: tuple[str, ...]) -> None:
    switches, _ = switches_with(clock, disabled=disabled)

    switches.toggle("python")
    assert bool(switches.is_off("python")) == (not disabled)
    assert not switches.is_off("go")
    assert not switches.is_off(None)
    switches.toggle("python")
    assert bool(switches.is_off("python")) == bool(disabled)


def test_a_language_never_goes_off_behind_what_is_off_already(clock: Clock) -> None:
    """Who toggles a language while everything is off wants it on."""
    switches, _ = switches_with(clock)
    switches.toggle(None)

    switches.toggle("python")
    assert switches.is_off("python") == "Inline completion is off."
    switches.toggle(None)
    assert not switches.is_off("python")


def test_new_settings_rule_where_nobody_toggled(clock: Clock) -> None:
    settings = Settings()
    switches = Switches(clock, lambda: settings)
    switches.toggle("go")

    settings = Settings(languages=LanguagesSettings(("python",)))

    assert switches.is_off("python")
    assert switches.is_off("go")
    assert not switches.is_off("c")


# Snoozing


async def test_a_snooze_lasts_as_long_as_it_was_asked_for(clock: Clock) -> None:
    switches, _ = switches_with(clock)

    switches.snooze(5)
    assert switches.seconds_left == 300
    assert switches.is_off("python")
    clock.seconds += 299.9
    assert switches.is_off("python")
    clock.seconds += 0.1
    assert not switches.is_off("python")
    assert switches.seconds_left == 0
    switches.close()


async def test_a_second_snooze_counts_from_now_and_none_ends_it(clock: Clock) -> None:
    switches, seen = switches_with(clock)
    switches.snooze(5)
    clock.seconds += 60
    switches.snooze(2)
    assert switches.seconds_left == 120

    switches.snooze(0)

    assert not switches.is_off(None)
    assert seen == ["Inline completion is snoozed."] * 2 + [""]


async def test_a_toggle_wakes_from_a_snooze(clock: Clock) -> None:
    switches, _ = switches_with(clock)
    switches.snooze(5)

    switches.toggle(None)

    assert not switches.is_off(None)
    assert switches.seconds_left == 0


async def test_the_end_of_a_snooze_is_told() -> None:
    loop = asyncio.get_running_loop()
    switches = Switches(loop.time, Settings)
    is_on = asyncio.Event()
    switches.on_change = lambda: switches.is_off(None) or is_on.set()

    switches.snooze(0.001)
    assert switches.is_off(None)

    await asyncio.wait_for(is_on.wait(), 20)


async def test_a_timer_that_comes_early_waits_for_the_rest(clock: Clock) -> None:
    """The timer counts the loop's seconds, the snooze those of its own clock."""
    switches, seen = switches_with(clock)
    is_on = asyncio.Event()
    switches.snooze(0.0001)
    switches.on_change = is_on.set
    await asyncio.sleep(0.03)
    assert switches.is_off(None)
    assert not is_on.is_set()

    clock.seconds += 1

    await asyncio.wait_for(is_on.wait(), 20)
    assert seen == ["Inline completion is snoozed."]


async def test_an_ended_snooze_is_not_told_again(clock: Clock) -> None:
    switches, seen = switches_with(clock)
    switches.snooze(0.0001)
    switches.snooze(0)
    clock.seconds += 1

    await asyncio.sleep(0.03)

    assert seen == ["Inline completion is snoozed.", ""]


# The status


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def status(told: list[dict[str, Any]]) -> Status:
    status = Status(told.append)
    status.is_wanted = True
    return status


def test_a_pause_is_inactive_and_hides_what_happens_meanwhile(
    status: Status, told: list[dict[str, Any]]
) -> None:
    status.set(Kind.NORMAL, "model on cpu")
    status.pause("Inline completion is off.")
    status.busy(+1)
    status.set(Kind.ERROR, "the engine died")

    assert told[1:] == [{"kind": "Inactive", "busy": False, "message": "Inline completion is off."}]
    assert status.value.kind is Kind.INACTIVE


def test_after_a_pause_the_status_is_what_was_set_last(status: Status, told: list[dict[str, Any]]) -> None:
    status.set(Kind.NORMAL, "model on cpu")
    status.pause("Inline completion is off.")
    status.busy(+1)
    status.set(Kind.WARNING, "no infill")

    status.resume()

    assert told[-1] == {"kind": "Warning", "busy": True, "message": "no infill"}


def test_the_reason_of_a_pause_may_change(status: Status, told: list[dict[str, Any]]) -> None:
    status.pause("snoozed")
    status.pause("off")
    status.pause("off")

    assert [value["message"] for value in told] == ["snoozed", "off"]


def test_who_was_not_paused_is_told_nothing(status: Status, told: list[dict[str, Any]]) -> None:
    status.resume()

    assert told == []
    assert status.value == StatusValue()


# The commands


@pytest.fixture
def session(clock: Clock) -> SimpleNamespace:
    dismissals, feedback = Dismissals(), Mock(spec_set=Feedback)
    answering = Answering(Mock(spec_set=Pipeline), feedback, dismissals, None)
    return SimpleNamespace(
        switches=switches_with(clock)[0], dismissals=dismissals, feedback=feedback, answering=answering
    )


@pytest.fixture
async def wire(session: SimpleNamespace) -> Wire:
    server: Any = HardenedServer("switches", "1")
    server.session = session
    execute_command.register(server)
    return await open_wire(server)


def command(name: str, *arguments: Any) -> dict[str, Any]:
    return {"command": f"ghostfill.{name}", "arguments": list(arguments)}


async def run(wire: Wire, name: str, *arguments: Any) -> Any:
    return await wire.result("workspace/executeCommand", command(name, *arguments))


@pytest.mark.parametrize("argument", [[], [None], [{}], [{"language": None}]], ids=str)
async def test_toggle_without_a_language_is_for_all(
    wire: Wire, session: SimpleNamespace, argument: list[Any]
) -> None:
    off = {"enabled": False, "message": "Inline completion is off."}
    assert await run(wire, "toggle", *argument) == off
    assert session.switches.is_off("go")
    on = {"enabled": True, "message": "Inline completion is on."}
    assert await run(wire, "toggle", *argument) == on
    assert not session.switches.is_off("go")


@pytest.mark.parametrize("argument", ["python", {"language": "python"}], ids=str)
async def test_toggle_with_a_language(wire: Wire, session: SimpleNamespace, argument: Any) -> None:
    off = {"enabled": False, "message": "Inline completion is off for python."}
    assert await run(wire, "toggle", argument) == off
    assert not session.switches.is_off("go")
    on = {"enabled": True, "message": "Inline completion is on for python."}
    assert await run(wire, "toggle", argument) == on


async def test_toggle_without_an_arguments_field(wire: Wire) -> None:
    answer = await wire.result("workspace/executeCommand", {"command": "ghostfill.toggle"})

    assert answer["enabled"] is False


@pytest.mark.parametrize(
    ("arguments", "minutes"),
    [([], 5), ([None], 5), ([{}], 5), ([30], 30), ([0.5], 0.5), ([{"minutes": 1440}], 1440)],
    ids=str,
)
async def test_snooze(wire: Wire, session: SimpleNamespace, arguments: list[Any], minutes: float) -> None:
    answer = await run(wire, "snooze", *arguments)

    assert answer == {"enabled": False, "message": f"Inline completion is snoozed for {minutes:g} minutes."}
    assert session.switches.seconds_left == minutes * 60


async def test_one_minute_is_singular_and_no_minutes_end_the_snooze(wire: Wire) -> None:
    assert "for 1 minute." in (await run(wire, "snooze", 1))["message"]

    assert await run(wire, "snooze", 0) == {"enabled": True, "message": "Inline completion is on."}


async def test_a_snooze_while_everything_is_off_says_so(wire: Wire) -> None:
    await run(wire, "toggle")

    assert await run(wire, "snooze") == {"enabled": False, "message": "Inline completion is off."}


async def test_dismissed_names_a_completion_or_means_the_last(wire: Wire, session: SimpleNamespace) -> None:
    for number, argument in enumerate([[{"id": "0"}], ["1"], []]):
        session.dismissals.note_shown(str(number), "file:///a", "text", number)
        assert await run(wire, "dismissed", *argument) is None
        assert session.dismissals.is_dismissed("file:///a", "text", number)
        assert session.feedback.rejected.call_args == call(str(number))


async def test_a_dismissal_of_something_forgotten_is_only_counted(
    wire: Wire, session: SimpleNamespace
) -> None:
    assert await run(wire, "dismissed", {"id": "long ago"}) is None
    assert await run(wire, "dismissed") is None

    assert session.feedback.rejected.call_args_list == [call("long ago")]


async def test_accepted_counts_what_the_item_names_and_passes_over_the_rest(
    wire: Wire, session: SimpleNamespace
) -> None:
    for arguments in ([{"id": "one"}], [], [None], [5], [{"id": 7}], [{"id": "two"}, "more"]):
        assert await run(wire, "accepted", *arguments) is None

    assert session.feedback.accepted.call_args_list == [call("one"), call("two")]


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("toggle", 5),
        ("toggle", ""),
        ("toggle", ["python"]),
        ("toggle", {"language": True}),
        ("snooze", "5"),
        ("snooze", True),
        ("snooze", -1),
        ("snooze", 1441),
        ("snooze", 10**400),
        ("snooze", float("nan")),
        ("snooze", float("inf")),
        ("snooze", {"minutes": []}),
        ("dismissed", 7),
        ("dismissed", {"id": {}}),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_bad_argument_is_an_error_that_says_what_is_right(
    wire: Wire, session: SimpleNamespace, name: str, argument: Any
) -> None:
    error = await wire.error("workspace/executeCommand", command(name, argument))

    assert error["code"] == -32803
    assert error["message"].startswith(f"ghostfill.{name} takes nothing, ")
    assert not session.switches.is_off("python")
