"""The tree: every error has a place in it, and says what, where and what to do."""

import inspect

from hazards import errors
from hazards.errors import BihuanError, Conflict, FileProblem, InvalidFile, Throttled, Unavailable


def test_the_drawing_in_the_docstring_names_every_class() -> None:
    drawn = inspect.getdoc(errors) or ""
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, BihuanError):
            assert name in drawn, f"{name} is missing in the drawing"


def test_only_what_passes_by_itself_is_worth_trying_again() -> None:
    for _, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, BihuanError):
            assert cls.retryable == issubclass(cls, (Unavailable, Throttled))


def test_a_message_says_what_where_and_what_to_do() -> None:
    assert str(Conflict("somebody was faster", where="/version", hint="look again")) == "/version: somebody was faster (look again)"


def test_a_file_names_every_problem_by_line() -> None:
    error = InvalidFile("site.yaml", (FileProblem(3, "zones[0].grade", "'purple' is no grade", "red, orange, yellow or blue"),))
    assert str(error) == "site.yaml: line 3, zones[0].grade: 'purple' is no grade (red, orange, yellow or blue)"
    assert [str(FileProblem(*p)) for p in ((0, "", "is too large"), (4, "", "is no key"))] == ["is too large", "line 4: is no key"]
