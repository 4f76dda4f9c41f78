"""Does the switching survive? Active Sleep on held-out text, against its absence and against everything else.

    python tests/benchmarks/forgetting.py --profile quick --json FILE     3 domains, 1 seed, at most 10 minutes
    python tests/benchmarks/forgetting.py --profile full --json FILE      5 domains, 3 seeds, 2 orders, some hours
    python tests/benchmarks/forgetting.py --profile ten --routing-alone   10 domains, where no adapter is trained

Goes on where it was cut off: adapters, features and finished runs stay in the work folder. ``--shard 1/2`` takes every
second run, for two processes on one folder; the report holds whatever is finished. ``--markdown FILE`` writes the
tables.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch
from laboratory import CONTEXT, PROFILES, Laboratory
from lines import LINES, SOURCE, source_method

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.events import TrainStep
from tlora_gui.engine.protocol.metrics import (
    average_accuracy,
    backward_transfer,
    forgetting,
    gain_kept,
    plasticity_cost,
)
from tlora_gui.engine.training.epoch_run import EVAL_FEATURE_TOKENS, KEPT_HELD_OUT, train_epoch
from tlora_gui.paths import cache_dir

PASSES = 3
MERGES = (
    "PEFT linear 1/K", "PEFT linear 1", "PEFT TIES", "PEFT DARE", "PEFT DARE 1/K", "PEFT cat 1/K", "PEFT SVD 1/K",
)  # fmt: skip
ORDERLESS = ("oracle", "sum of adapters", "average of adapters", "PEFT Arrow", "PEFT X-LoRA", *MERGES)
"""Lines in which the order of domains changes nothing."""

TRAINING_LINES = ("shared LoRA", "joint objective", SOURCE)
"""Lines that train adapters of their own, in the first order only; most of the time goes into them."""

LIKELIHOODS = "adapters' likelihoods"
"""The line that routes by the adapters themselves."""


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    lab = Laboratory(PROFILES[options.profile], options.work, routing_alone=options.routing_alone)
    started = time.monotonic()
    if not options.report_only:
        for run in _mine(list(_runs(lab, options.lines)), options.shard):
            do_run(lab, *run)
        if _index(options.shard) == 0 and not lab.routing_alone:
            _kept_json(lab.work / "passes.json", lambda: passes(lab))
    report = collect(lab)
    report["seconds_of_this_call"] = round(time.monotonic() - started)
    text = json.dumps(report, indent=1)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    table = markdown(report)
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="quick")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--work", type=Path, default=cache_dir() / "benchmarks" / "forgetting")
    parser.add_argument("--shard", default="0/1", help="this process's share of the runs, like 0/2 and 1/2")
    parser.add_argument("--lines", nargs="*", help="only these lines")
    parser.add_argument("--routing-alone", action="store_true", help="only lines that route; no losses, no adapters")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report-only", action="store_true", help="run nothing; report what is finished")
    return parser.parse_args()


# -- running ------------------------------------------------------------------------------------------------------


def _runs(lab: Laboratory, wanted: list[str] | None) -> Iterator[tuple[str, int, int]]:
    """Every (line, order, seed); the quick ones first, one order after the other."""
    quick = [line for line in LINES if line not in TRAINING_LINES]
    for lines in (quick, TRAINING_LINES):
        for order in range(lab.profile.orders):
            for seed in range(lab.profile.seeds):
                mine = [line for line in lines if not order or line not in (*ORDERLESS, *TRAINING_LINES)]
                if lab.routing_alone:
                    mine = [line for line in mine if line not in (*ORDERLESS, *TRAINING_LINES, LIKELIHOODS)]
                yield from ((line, order, seed) for line in mine if not wanted or line in wanted)


def _mine(runs: list[Any], shard: str) -> list[Any]:
    return runs[_index(shard) :: int(shard.partition("/")[2])]


def _index(shard: str) -> int:
    return int(shard.partition("/")[0])


def do_run(lab: Laboratory, line: str, order: int, seed: int) -> None:
    """Run one line and keep what it found, unless that was done."""
    started = time.monotonic()
    names = lab.order(order)
    if line == SOURCE:
        if not _place(lab, "source, as published", order, seed).exists():
            for name, found in source_method(lab, names, seed).items():
                _write(lab, name, order, seed, found.as_json())
            _say(line, order, seed, started)
    elif not _place(lab, line, order, seed).exists():
        _write(lab, line, order, seed, LINES[line](lab, names, seed).as_json())
        _say(line, order, seed, started)


def _say(line: str, order: int, seed: int, started: float) -> None:
    print(f"{line}, order {order}, seed {seed}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _place(lab: Laboratory, line: str, order: int, seed: int) -> Path:
    return _records(lab) / f"{re.sub(r'[^a-z0-9]+', '-', line.lower())}-{order}-{seed}.json"


def _records(lab: Laboratory) -> Path:
    return lab.work / ("routing" if lab.routing_alone else "runs")


def _write(lab: Laboratory, line: str, order: int, seed: int, found: dict[str, Any]) -> None:
    record = {"line": line, "order": list(lab.order(order)), "order_number": order, "seed": seed, **found}
    _kept_json(_place(lab, line, order, seed), lambda: record)


def _kept_json(place: Path, make: Any) -> None:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".partial")
        partial.write_text(json.dumps(make()), encoding="utf-8")
        partial.replace(place)


def passes(lab: Laboratory) -> list[dict[str, Any]]:
    """Phases 1 and 2 as the source runs them: adapter loss and distill loss, pass by pass."""
    settings = replace(lab.settings(0), num_passes=PASSES, max_tokens=lab.profile.pass_tokens)
    model, table = lab.blank(), []
    for phase, name in enumerate(lab.profile.domains[:2], 1):
        blocks = lab.blocks(name, 0)
        kept = replace(blocks, train_NT=blocks.train_NT[: settings.max_tokens // settings.block_size])
        model.add_adapter(name)
        events = list(train_epoch(model, name, kept, settings, CancelToken()))
        steps = [event for event in events if isinstance(event, TrainStep)]
        share = len(steps) // PASSES
        for turn in range(PASSES):
            part = steps[turn * share : (turn + 1) * share]
            table.append(
                {
                    "phase": phase,
                    "epoch": name,
                    "pass": turn + 1,
                    "adapter_loss": fmean(step.adapter_loss for step in part),
                    "mixer_distill_loss": fmean(step.mixer_distill_loss for step in part),
                }
            )
    return table


# -- reporting ----------------------------------------------------------------------------------------------------


def collect(lab: Laboratory) -> dict[str, Any]:
    """Every finished run, and each line's figures as means over its runs."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_records(lab).glob("*.json"))]
    seeds = set() if lab.routing_alone else {record["seed"] for record in records}
    references = {seed: lab.references(seed) for seed in seeds}
    off = {seed: lab.off_domain_references(seed) for seed in seeds}
    lines: dict[str, Any] = {}
    for line in [*LINES, "source, phase by phase", "source, as published"]:
        mine = [record for record in records if record["line"] == line]
        if mine:
            figures = [
                _figures(record, records, references.get(record["seed"], {}), off.get(record["seed"], {}))
                for record in mine
            ]
            means = {key: _mean([figure[key] for figure in figures]) for key in figures[0]}
            spread = [figure["aa"] for figure in figures if figure["aa"] is not None]
            lines[line] = {**means, "aa_range": [min(spread), max(spread)] if spread else None, "runs": mine}
    table = lab.work / "passes.json"
    return {
        "profile": lab.profile.name,
        "domains": lab.profile.domains,
        "training_tokens_per_epoch": lab.profile.tokens,
        "held_out_context": CONTEXT,
        "memory_megabytes_per_epoch": (
            (lab.settings(0).sleep.memory_tokens + EVAL_FEATURE_TOKENS) * lab.dreams.replay_NWH.shape[-1] * 2
            + KEPT_HELD_OUT * 4
        )
        / 1e6,
        "references": {str(seed): found for seed, found in references.items()},
        "control": {str(seed): lab.control(seed) for seed in seeds},
        "off_domain_references": {str(seed): found for seed, found in off.items()},
        "margin_over_best_merge": _margins(records),
        "lines": lines,
        "passes": json.loads(table.read_text(encoding="utf-8")) if table.exists() else [],
    }


def _figures(
    record: dict[str, Any],
    records: list[dict[str, Any]],
    references: dict[str, dict[str, float]],
    off: dict[str, float],
) -> dict[str, Any]:
    """One run's figures; None where the line has no such thing."""
    order, routing, figures = record["order"], record["routing"], record["figures"]
    kept = [
        gain_kept(references[name]["backbone"], references[name]["own"], loss)
        for name, loss in zip(order, record["final"], strict=False)
    ]
    whole = len(routing) == len(order)
    negative = [[-loss for loss in row] for row in record["loss"]]
    lags = figures.get("switch_lags")
    return {
        "aa": average_accuracy(routing) if routing else None,
        "bwt": backward_transfer(routing) if whole else None,
        "forgetting": forgetting(routing) if whole else None,
        "forgetting_nats": forgetting(negative) if len(negative) == len(order) else None,
        "gain_kept_worst": min(kept, default=None),
        "gain_kept_mean": fmean(kept) if kept else None,
        "loss_mean": fmean(record["final"]) if kept else None,
        "plasticity": _plasticity(record, records, references) if whole else None,
        "slot0_offdomain": fmean(figures["slot0_weight"].values()) if figures else None,
        **{f"slot0_{name}": share for name, share in (figures.get("slot0_weight") or {}).items()},
        **{f"loss_over_backbone_{name}": _ratio(record["off_domain"].get(name), loss) for name, loss in off.items()},
        "off_domain_auroc": figures.get("off_domain_auroc"),
        "switch_lag_median": median(lags) if lags else None,
        "calibration_error": figures.get("calibration_error"),
    }


def _plasticity(record: dict[str, Any], records: list[dict[str, Any]], references: Any) -> float | None:
    """Mean over later phases of what the protected mix loses on the newest epoch against the unprotected one."""
    key = ("unprotected", record["order_number"], record["seed"])
    beside = next((r for r in records if (r["line"], r["order_number"], r["seed"]) == key), None)
    if beside is None or not record["loss"]:
        return None
    costs = []
    for phase, name in list(enumerate(record["order"]))[1:]:
        gain = references[name]["backbone"] - references[name]["own"]
        costs.append(plasticity_cost(record["loss"][phase][phase], beside["loss"][phase][phase], gain))
    return fmean(costs)


def _margins(records: list[dict[str, Any]]) -> dict[str, float]:
    """Per domain, mean nats per token by which the default's mix beats the best PEFT merge of the same adapters."""
    margins: dict[str, list[float]] = {}
    for record in records:
        if record["line"] == "Active Sleep + memory labels":
            same = [
                dict(zip(other["order"], other["final"], strict=True))
                for other in records
                if other["line"] in MERGES and other["seed"] == record["seed"]
            ]
            for name, loss in zip(record["order"] if same else [], record["final"], strict=False):
                margins.setdefault(name, []).append(min(final[name] for final in same) - loss)
    return {name: fmean(found) for name, found in margins.items()}


def _ratio(value: float | None, reference: float) -> float | None:
    return None if value is None else value / reference


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


COLUMNS = (
    ("AA", "aa", "{:.3f}"),
    ("BWT", "bwt", "{:+.3f}"),
    ("F", "forgetting", "{:.3f}"),
    ("gain kept, worst", "gain_kept_worst", "{:.0%}"),
    ("mean loss", "loss_mean", "{:.3f}"),
    ("plasticity cost", "plasticity", "{:.1%}"),
    ("slot 0 off domain", "slot0_offdomain", "{:.2f}"),
    ("AUROC", "off_domain_auroc", "{:.3f}"),
    ("lag", "switch_lag_median", "{:.0f}"),
    ("ECE", "calibration_error", "{:.3f}"),
)


def markdown(report: dict[str, Any]) -> str:
    """The tables of a report."""
    rows = [["line", *(name for name, _, _ in COLUMNS), "runs"], ["---"] * (len(COLUMNS) + 2)]
    for line, found in report["lines"].items():
        cells = ["–" if found[key] is None else form.format(found[key]) for _, key, form in COLUMNS]
        rows.append([line, *cells, str(len(found["runs"]))])
    tables = [_table(rows)]
    if report["control"]:
        rows = [["domain", "backbone", "text of no domain", "own", "any text's share of the gain"], ["---"] * 5]
        for name in report["domains"]:
            found = [each[name] for each in report["references"].values()]
            backbone, own = (fmean(each[kind] for each in found) for kind in ("backbone", "own"))
            control = fmean(each[name] for each in report["control"].values())
            share = (backbone - control) / (backbone - own)
            rows.append([name, *(f"{loss:.3f}" for loss in (backbone, control, own)), f"{share:.0%}"])
        tables.append(_table(rows))
    if report["passes"]:
        rows = [["phase", "epoch", "pass", "adapter loss", "mixer-distill loss"], ["---"] * 5]
        for row in report["passes"]:
            numbers = [f"{row['adapter_loss']:.3f}", f"{row['mixer_distill_loss']:.4f}"]
            rows.append([str(row["phase"]), row["epoch"], str(row["pass"]), *numbers])
        tables.append(_table(rows))
    return "\n".join(tables)


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
