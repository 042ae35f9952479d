"""The command line. Every error of the tree is one line on standard error (a line a problem for files) and exit code 2.

Imports happen inside the commands, so that each starts fast. What must not go in: what the commands do.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bihuan.camera_commands import cameras_app
from bihuan.dead_letter_commands import letters_app
from bihuan.evidence_commands import evidence_app
from bihuan.ledger.command_line import ledger_app
from hazards.errors import BihuanError, InvalidFile

app = typer.Typer(help="闭环 bihuan: work-safety alarms, incidents and the closed loop.", no_args_is_help=True, rich_markup_mode=None,
                  pretty_exceptions_enable=False, add_completion=False)  # fmt: skip
token_app = typer.Typer(help="Tokens of machines.", no_args_is_help=True, rich_markup_mode=None)
user_app = typer.Typer(help="People who sign in.", no_args_is_help=True, rich_markup_mode=None)
site_app = typer.Typer(help="The site file.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(token_app, name="token")
app.add_typer(user_app, name="user")
app.add_typer(site_app, name="site")
policy_app = typer.Typer(help="Policy packs: what a city sets itself.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(policy_app, name="policy")
app.add_typer(ledger_app, name="ledger")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(cameras_app, name="cameras")
app.add_typer(evidence_app, name="evidence")

Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log everything.")]


def _without_rich() -> None:
    """structlog would import rich for tracebacks of several lines, which we never print: a sixth of a second of every start."""
    sys.modules["rich"] = None  # type: ignore[assignment]


def _level(verbose: bool) -> str | None:
    return "debug" if verbose else None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


@app.command()
def up(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Port of the API and the console.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    site: Annotated[Path | None, typer.Option(help="Site file to apply.", metavar="FILE")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Add a synthetic park, plainly marked synthetic.")] = False,
    verbose: Verbose = False,
) -> None:
    """Run the whole system until Ctrl-C or SIGTERM."""
    _without_rich()
    from bihuan.configuration import load
    from bihuan.system import EVERYTHING, run_system

    run_system(load(data=_text(data), port=port, host=host, site=_text(site), demo=demo or None, log=_level(verbose)), EVERYTHING)


def _alone(part: str, data: Path | None, verbose: bool) -> None:
    _without_rich()
    from bihuan.configuration import load
    from bihuan.system import ALONE, run_system
    from hazards.errors import Misconfigured

    settings = load(data=_text(data), log=_level(verbose))
    if not settings.kafka and part != "push":  # push reads the outbox only
        raise Misconfigured(
            "a part that runs alone needs a Kafka", where="BIHUAN_KAFKA", hint="`bihuan up` runs all parts on the embedded broker"
        )
    run_system(settings, ALONE[part], alone=part)


@app.command()
def ingest(data: Data = None, verbose: Verbose = False) -> None:
    """Run cameras and the forwarder alone, against BIHUAN_KAFKA and BIHUAN_DATABASE."""
    _alone("ingest", data, verbose)


@app.command()
def worker(data: Data = None, verbose: Verbose = False) -> None:
    """Run workers alone, against BIHUAN_KAFKA and BIHUAN_DATABASE."""
    _alone("worker", data, verbose)


@app.command()
def api(data: Data = None, verbose: Verbose = False) -> None:
    """Run the API, the console and the relay alone, against BIHUAN_KAFKA and BIHUAN_DATABASE."""
    _alone("api", data, verbose)


@app.command()
def store(data: Data = None, verbose: Verbose = False) -> None:
    """Run the store agent alone: telemetry and events from BIHUAN_KAFKA and BIHUAN_DATABASE to BIHUAN_INFLUX_URL."""
    _alone("store", data, verbose)


@app.command()
def push(data: Data = None, verbose: Verbose = False) -> None:
    """Run the delivery of webhooks alone, against BIHUAN_DATABASE."""
    _alone("push", data, verbose)


@app.command()
def healthy(
    part: Annotated[str, typer.Argument(help="The part that runs alone, such as worker; empty: all of the data folder.")] = "",
    data: Data = None,
) -> None:
    """Say whether a running system works: exit code 0, or 2 with the reason. For health checks of containers."""
    from bihuan.configuration import load
    from bihuan.sign_of_life import check

    print(", ".join(check(load(data=_text(data)).folder, part)))


@token_app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="What the machine may do.")],
    enterprise: Annotated[str | None, typer.Option(help="Its enterprise, for the role enterprise.")] = None,
    district: Annotated[str | None, typer.Option(help="Its district, for an authority: 510802; left out: everything.")] = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: Data = None,
) -> None:
    """Print a new bearer token, and nothing else, on standard output."""
    from bihuan.accounts import new_token
    from bihuan.configuration import load

    print(new_token(load(data=_text(data)), role=role, enterprise=enterprise, district=district, label=label))


@user_app.command("create")
def user_create(
    user: Annotated[str, typer.Argument(help="The sign-in name.")],
    role: Annotated[str, typer.Option(help="What the person may do.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    enterprise: Annotated[str | None, typer.Option(help="Enterprise, for the role enterprise.")] = None,
    district: Annotated[str | None, typer.Option(help="District, for an authority: 510802; left out: everything.")] = None,
    data: Data = None,
) -> None:
    """Create a person and print the generated password."""
    from bihuan.accounts import new_user
    from bihuan.configuration import load

    print(new_user(load(data=_text(data)), user, name=name or user, role=role, enterprise=enterprise, district=district))


@user_app.command("password")
def user_password(user: Annotated[str, typer.Argument(help="The sign-in name.")], data: Data = None) -> None:
    """Give a person a new generated password, print it, and end the person's sessions."""
    from bihuan.accounts import new_password
    from bihuan.configuration import load

    print(new_password(load(data=_text(data)), user))


@site_app.command("check")
def site_check(file: Annotated[Path, typer.Argument(help="The site file.")]) -> None:
    """Check a site file; each problem is a line with its line number."""
    from bihuan.site_file import read_site

    found = read_site(file)
    for warning in found.warnings:
        print(f"{file}: warning: {warning}", file=sys.stderr)
    site = found.site
    print(f"{file}: {len(site.enterprises)} enterprises, {len(site.zones)} zones, {len(site.devices)} devices")


@site_app.command("apply")
def site_apply(file: Annotated[Path, typer.Argument(help="The site file.")], data: Data = None) -> None:
    """Apply a site file to a running or stopped system."""
    from bihuan.accounts import apply_file
    from bihuan.configuration import load

    for line in apply_file(load(data=_text(data)), file):
        print(line)


@policy_app.command("check")
def policy_check(file: Annotated[Path, typer.Argument(help="The pack's file.")]) -> None:
    """Check a policy pack; each problem is a line with its line number."""
    from datetime import date

    from bihuan.policy_file import read_policy

    found = read_policy(file, today=date.today())
    for warning in found.warnings:
        print(f"{file}: warning: {warning}", file=sys.stderr)
    pack = found.policy
    print(f"{file}: {pack.version}, {len(pack.rules)} rules, {len(pack.grades)} grades, {len(pack.clocks)} clocks")


@policy_app.command("apply")
def policy_apply(file: Annotated[Path, typer.Argument(help="The pack's file.")], data: Data = None) -> None:
    """Apply a policy pack to a running or stopped system; hazards keep the version under which they were opened."""
    from bihuan.configuration import load
    from bihuan.policies import apply_pack

    for line in apply_pack(load(data=_text(data)), file):
        print(line)


@policy_app.command("show")
def policy_show(
    pack: Annotated[str, typer.Argument(help="A pack's id or version: what it says, for reading.")] = "", data: Data = None
) -> None:
    """List every version that was ever applied, newest first, and which is in force; or show one pack."""
    from bihuan.configuration import load
    from bihuan.policies import pack_lines, version_lines

    settings = load(data=_text(data))
    for line in pack_lines(settings, pack) if pack else version_lines(settings):
        print(line)


@app.command()
def config(markdown: Annotated[bool, typer.Option("--markdown", help="The page of the documentation.")] = False) -> None:
    """Print every configuration key with its value, default and meaning."""
    from bihuan.configuration import as_markdown, as_text, load

    print(as_markdown() if markdown else as_text(load()), end="" if markdown else "\n")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A file (.tar, .tar.gz) or a new folder.")],
    with_anchor_key: Annotated[bool, typer.Option("--with-anchor-key", help="Also the key that signs the ledger's anchors.")] = False,
    data: Data = None,
) -> None:
    """Back the whole system up, also while it runs."""
    from bihuan.backup import back_up
    from bihuan.configuration import load

    print(back_up(load(data=_text(data)), target, with_anchor_key=with_anchor_key))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="What `bihuan backup` wrote.")],
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what the data folder (and PostgreSQL) holds.")] = False,
) -> None:
    """Restore a backup into an empty data folder."""
    from bihuan.backup import restore as restore_backup
    from bihuan.configuration import load

    print(restore_backup(load(data=_text(data)), source, force=force))


@app.command()
def detect(
    source: Annotated[str, typer.Argument(help="A video file, a folder of them, or an RTSP address.")],
    detector: Annotated[list[str] | None, typer.Option(help="A detector to run; may be repeated.", metavar="NAME")] = None,
    zone: Annotated[str | None, typer.Option(help='Look only inside "x,y x,y x,y" (fractions or pixels).')] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    annotate: Annotated[Path | None, typer.Option(help="Write the video, or a folder of videos, with what is seen drawn on it.")] = None,
    evaluate: Annotated[Path | None, typer.Option(help="Compare with this list of labels (file,label,onset_s) and print figures.")] = None,
) -> None:
    """Run detectors on a video and print what they raise and clear."""
    from ingest.detect import detect as run_detect
    from ingest.evaluate import evaluate as run_evaluate

    names = detector or []
    if evaluate is None:
        run_detect(source, detectors=names, zone=zone, json_lines=json_lines, annotate=annotate)
    else:
        run_evaluate(source, evaluate, detectors=names, zone=zone, json_lines=json_lines, annotate=annotate)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="The figure to measure.")],
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a figure.")] = False,
) -> None:
    """Measure a figure of this machine, on BIHUAN_KAFKA and BIHUAN_DATABASE where they are set."""
    from benchmarks.benches import print_bench
    from bihuan.configuration import load

    settings = load()
    print_bench(name, json_lines=json_lines, kafka=settings.kafka, database=settings.database)


def explain(error: BihuanError) -> list[str]:
    """The lines for people: one an error, one a problem for a file."""
    if isinstance(error, InvalidFile) and error.problems:
        return [f"bihuan: {error.file}: {line}" for line in (*error.problems, *getattr(error, "__notes__", ()))]
    return ["bihuan: " + " ".join(str(error).split())]


def main() -> None:
    """Entry point of the ``bihuan`` command."""
    try:
        app()
    except BihuanError as e:
        print("\n".join(explain(e)), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)  # whoever read our output had enough


if __name__ == "__main__":
    main()
