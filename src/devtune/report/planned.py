"""A plan as a table for people, or as JSON. Writes to stdout."""

import json
from dataclasses import asdict

from devtune.plan import HEADROOM, Plan


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print a table for people, or one JSON object."""
    if as_json:
        print(json.dumps(asdict(plan), sort_keys=True))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"memory of one device ({plan.basis})", title_justify="left")
    table.add_column("component")
    table.add_column("GiB", justify="right")
    for name, value in asdict(plan.memory).items():
        table.add_row(name.removesuffix("_gib"), f"{value:,.2f}")
    table.add_section()
    if plan.loading_gib:
        table.add_row("weights while loading", f"{plan.loading_gib:,.2f}")
    table.add_row("total (the larger)" if plan.loading_gib else "total", f"{plan.total_gib:,.2f}")
    table.add_row(f"limit, {HEADROOM:.0%} left free", f"{plan.limit_gib:,.2f}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"text model       {plan.text_parameters:>19,} parameters")
    console.print(
        f"trained ({plan.method})".ljust(17) + f"{plan.trained_parameters:>19,} parameters"
    )
    console.print(f"optimiser step   {plan.tokens_per_step:>19,} tokens when rows are full")
    console.print(f"ranks            {plan.ranks:>19,} with ZeRO-{plan.zero_stage}")
    console.print(table)
    if plan.host_gib:
        console.print(f"offloaded to each machine's memory: {plan.host_gib:,.1f} GiB")
    for note in plan.notes:
        console.print(f"note: {note}")
    console.print(
        "it fits" if plan.fits else "it does not fit", style="green" if plan.fits else "red"
    )
