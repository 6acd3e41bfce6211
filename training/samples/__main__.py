"""`python -m training.samples stream|product|show`: makes sets of samples, and prints one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from engine.errors import GhostfillError
from training.samples.encoder import BUILTIN_FOLDER, Encoder
from training.samples.errors import SamplesError
from training.samples.sample import SampleFolder
from training.samples.show import show
from training.samples.source import languages_of
from training.samples.stream import StreamMix
from training.samples.stream_set import make_stream


def main(argv: list[str] | None = None) -> int:
    """Run one of the commands; errors are one sentence."""
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], None] = options.run
    try:
        command(options)
    except GhostfillError as error:
        print(f"training.samples: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training.samples: stopped; nothing was kept.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.samples", description=__doc__)
    commands = parser.add_subparsers(required=True)
    stream = commands.add_parser("stream", help="whole repositories with holes in a share of their files")
    stream.set_defaults(run=_stream)
    stream.add_argument("--length", type=int, default=4096, help="tokens of a sample, at most")
    stream.add_argument("--fim", type=float, default=0.5, help="share of the pieces with a hole")
    stream.add_argument("--spm", type=float, default=0.5, help="share of holes with the suffix first")
    product = commands.add_parser("product", help="cursor sites in the product's own prompts")
    product.set_defaults(run=_product)
    product.add_argument("--spm", type=float, default=0.75, help="share of samples with the suffix first")
    product.add_argument("--plan", type=float, default=0.55, help="weight of the product's own plans")
    product.add_argument("--definition", type=float, default=0.2, help="weight of the very definitions")
    product.add_argument("--none", type=float, default=0.25, help="weight of samples without context")
    product.add_argument("--context", help="context budgets and weights, as 256:2,1024:1")
    product.add_argument("--prefix", help="prefix budgets and weights")
    product.add_argument("--suffix", help="suffix budgets and weights")
    product.add_argument("--max-samples", type=int, default=40, metavar="N", help="of one repository")
    product.add_argument("--twins", action="store_true", help="also the same branches without context")
    product.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    for command in (stream, product):
        command.add_argument("--work", type=Path, help="the training folder (default: the user's cache)")
        command.add_argument("--repositories", type=Path, help="default: repositories/ in there")
        command.add_argument("--out", type=Path, help="default: samples/stream or samples/product in there")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--only", default="", metavar="LANG,...", help="files in these languages alone")
        command.add_argument("--limit", type=int, default=0, metavar="N", help="so many repositories")
        command.add_argument("--tokenizer", type=Path, default=BUILTIN_FOLDER, help="a model's folder")
    shown = commands.add_parser("show", help="print one sample")
    shown.set_defaults(run=_show)
    shown.add_argument("folder", type=Path)
    shown.add_argument("number", type=int, nargs="?", default=0)
    shown.add_argument("--branch", type=int, help="only this one, counted from 1")
    shown.add_argument("--tokenizer", type=Path, default=BUILTIN_FOLDER, help="a model's folder")
    shown.add_argument("--plain", action="store_true", help="no colours")
    return parser


def _stream(options: argparse.Namespace) -> None:
    mix = StreamMix(options.length, options.fim, options.spm)
    encoder = Encoder.from_folder(options.tokenizer)
    repositories, out = _folders(options, "stream")
    languages = languages_of(options.only)
    _tell(make_stream(repositories, out, encoder, mix, options.seed, languages, options.limit), out)


def _product(options: argparse.Namespace) -> None:
    # Here, as a machine that only makes streams need not have what the product's context needs.
    from training.samples.mix import ContextKind, ProductMix
    from training.samples.product_set import ProductOrder, make_product

    usual = ProductMix()
    mix = ProductMix(
        kinds=(
            (ContextKind.PLAN, options.plan),
            (ContextKind.DEFINITION, options.definition),
            (ContextKind.NONE, options.none),
        ),
        spm=options.spm,
        context=_weights(options.context) or usual.context,
        prefix=_weights(options.prefix) or usual.prefix,
        suffix=_weights(options.suffix) or usual.suffix,
        max_samples=options.max_samples,
        twins=options.twins,
    )
    repositories, out = _folders(options, "product")
    order = ProductOrder(
        repositories, mix, options.seed, options.tokenizer, languages_of(options.only), options.limit
    )
    for folder in make_product(order, out, options.workers):
        _tell(folder, out)


def _show(options: argparse.Namespace) -> None:
    try:
        sample = SampleFolder(options.folder)[options.number]
    except (ValueError, IndexError) as error:
        why = str(error) if isinstance(error, ValueError) else f"there is no sample {options.number}"
        raise SamplesError(why if why.endswith(".") else f"{options.folder}: {why}.") from None
    encoder = Encoder.from_folder(options.tokenizer)
    if options.branch and not 1 <= options.branch <= int(sample.branches[-1]):
        raise SamplesError(f"Sample {options.number} has no branch {options.branch}.")
    show(sample, encoder, options.branch, colours=not options.plain and sys.stdout.isatty())


def _folders(options: argparse.Namespace, name: str) -> tuple[Path, Path]:
    """Where repositories come from and samples go; the user's cache is only asked for if it is needed."""
    work: Path | None = options.work
    if work is None and (options.repositories is None or options.out is None):
        from platformdirs import user_cache_path

        work = user_cache_path("ghostfill", appauthor=False) / "training"
    base = work or Path()
    return options.repositories or base / "repositories", options.out or base / "samples" / name


def _weights(text: str | None) -> tuple[tuple[int, float], ...]:
    """`256:2,1024:1` as pairs; a number alone weighs 1."""
    try:
        pairs = [part.partition(":") for part in (text or "").split(",") if part.strip()]
        return tuple((int(value), float(weight or 1)) for value, _, weight in pairs)
    except ValueError:
        raise SamplesError(f"{text!r} is no list of budgets and weights: write 256:2,1024:1.") from None


def _tell(folder: SampleFolder, out: Path) -> None:
    about = folder.about
    print(f"{out}: {about['samples']} samples, {about['branches']} branches, {about['tokens']:,} tokens")


if __name__ == "__main__":
    sys.exit(main())
