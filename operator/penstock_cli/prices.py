"""`penstock prices`: the list that ships, another one, and how resources compare with it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from penstock_cli.failure import WrongUsage
from penstock_cli.finding import Finding
from penstock_cli.output import counted, print_json, stdout, table_of
from penstock_cli.price_sources import price_list, read
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.workspace import Workspace, compile_files
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.preset import PRESETS
from penstock_operator.api.provider_model import ProviderModel
from penstock_operator.catalogue.prices import (
    ListedModel,
    NoPriceList,
    PriceList,
    parse,
    render,
    shipped,
)
from penstock_operator.compile.offer import is_free
from penstock_operator.compile.parse import ref_of

Flat = Mapping[str, str]
ALL: Final = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two lists, or of a resource and a list. Empty: there is none on this side."""

    model: str
    """`<preset>/<name>`."""
    field: str
    former: str
    latter: str

    def __str__(self) -> str:
        if not self.field:
            return f"{'+' if self.latter else '-'} {self.model}"
        return f"~ {self.model}: {self.field} {self.former or 'unset'} -> {self.latter or 'unset'}"


def chosen(path: str) -> PriceList:
    """The list in a file, or the one that ships; raises `WrongUsage`."""
    if not path:
        return shipped()
    try:
        return parse(read(path))
    except NoPriceList as error:
        msg = f"{path} is no price list ({error}): `penstock prices refresh` writes one"
        raise WrongUsage(msg) from None


def list_prices(path: str, provider: str, *, as_json: bool) -> int:
    """Every model, or those of one provider; 1 when there is none."""
    prices = chosen(path)
    found = [
        (preset, name, model)
        for preset, name, model in _entries(prices)
        if provider in (ALL, preset)
    ]
    return _print(prices, found, as_json=as_json)


def show(name: str, path: str, *, as_json: bool) -> int:
    """A model by its name, at every provider that has it; `<preset>/<name>` is one of them."""
    prices = chosen(path)
    found = [each for each in _entries(prices) if name in (each[1], f"{each[0]}/{each[1]}")]
    return _print(prices, found, as_json=as_json)


def refresh(source: str, output: str, *, as_json: bool) -> int:
    """Write the list that `source` holds, and say what is different from the former one."""
    today = datetime.now(UTC).date()
    latter = price_list(read(source), source, today)
    path = Path(output)
    former = chosen(output) if path.exists() else shipped()
    differences = tuple(differences_between(former, latter))
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(render(latter), "utf-8")
    scratch.replace(path)
    if as_json:
        print_json({"date": str(latter.date), "file": output, "changes": [*map(str, differences)]})
        return 0
    for difference in differences:
        stdout().print(str(difference), markup=False)
    models = sum(map(len, latter.providers.values()))
    stdout().print(
        f"{output}: {counted(models, 'model')} as of {latter.date},"
        f" {counted(len(differences), 'change')} since {former.date}"
    )
    return 0


def check(paths: tuple[str, ...], path: str, *, as_json: bool) -> int:
    """Compare the prices of resources with the list; 1 where one differs or is missing."""
    prices, workspace = chosen(path), compile_files(paths, taken_for_granted)
    found = (
        *workspace.errors,
        *(each for of in workspace.snapshot.providers for each in _compared(of, prices, workspace)),
    )
    if as_json:
        problems = [finding.as_json() for finding in found]
        print_json({"date": str(prices.date), "same": not found, "problems": problems})
    else:
        if found:
            stdout().print(table_of(found))
        stdout().print(f"{counted(len(found), 'finding')}; {_origin(prices)}")
    return 1 if found else 0


def differences_between(former: PriceList, latter: PriceList) -> Iterator[Difference]:
    """Model by model, in order."""
    before = {f"{preset}/{name}": model for preset, name, model in _entries(former)}
    after = {f"{preset}/{name}": model for preset, name, model in _entries(latter)}
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after:
            yield from _changes(name, _flat(before[name]), _flat(after[name]))
        else:
            yield Difference(
                name, "", name if name in before else "", name if name in after else ""
            )


def _compared(provider: LLMProvider, prices: PriceList, workspace: Workspace) -> Iterator[Finding]:
    """Of a preset; or of an address that is a preset's. What a free plan has costs nothing."""
    spec, ref = provider.spec, ref_of(provider)
    own = (name for name, preset in PRESETS.items() if preset.base_url == spec.base_url)
    preset = spec.preset or (next(own, None) if spec.base_url else None)
    for index, model in enumerate(spec.models):
        listed = prices.find(preset, model.upstream_name or model.name)
        if listed and not is_free(spec, model):
            at = f"spec.models[{index}].price"
            for reason, text in _judged(model, listed):
                place = workspace.place_of(ref, at)
                yield Finding("warning", reason, text, place, str(ref), at)


def _judged(model: ProviderModel, listed: ListedModel) -> Iterator[tuple[str, str]]:
    theirs = _flat(ListedModel(price=listed.price))
    if model.price is None:
        said = ", ".join(f"{field} {value}" for field, value in theirs.items())
        yield "PriceUnset", f"{model.name} has no price; listed: {said}"
        return
    for each in _changes(model.name, _flat(ListedModel(price=model.price)), theirs):
        said = f"{each.field} is {each.former or 'unset'}, listed {each.latter or 'unset'}"
        yield "PriceDiffers", f"{model.name}: {said}"


def _changes(name: str, former: Flat, latter: Flat) -> Iterator[Difference]:
    for field in sorted(former.keys() | latter.keys()):
        before, after = former.get(field, ""), latter.get(field, "")
        if before != after:
            yield Difference(name, field, before, after)


def _flat(model: ListedModel) -> Flat:
    """Every figure by its name, without zeros at its end: `2.50` is `2.5`."""
    document = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    price = document.pop("price")
    long = price.pop("longContext", {})
    figures = {**price, **{f"longContext.{k}": v for k, v in long.items()}, **document}
    return {name: _plain(str(value)) for name, value in figures.items()}


def _plain(figure: str) -> str:
    whole, _, decimals = figure.partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def _entries(prices: PriceList) -> Iterator[tuple[str, str, ListedModel]]:
    for preset, models in sorted(prices.providers.items()):
        for name, model in sorted(models.items()):
            yield preset, name, model


def _print(prices: PriceList, found: list[tuple[str, str, ListedModel]], *, as_json: bool) -> int:
    if as_json:
        models = [
            {
                "provider": preset,
                "model": name,
                **model.model_dump(by_alias=True, exclude_unset=True),
            }
            for preset, name, model in found
        ]
        print_json({"date": str(prices.date), "source": prices.source, "models": models})
    else:
        stdout().print(_table(found))
        stdout().print(f"{counted(len(found), 'model')}; {_origin(prices)}")
    return 0 if found else 1


def _table(found: list[tuple[str, str, ListedModel]]) -> Table:
    """US dollars a million tokens."""
    table = Table(box=None, pad_edge=False)
    for name in ("provider", "model"):
        table.add_column(name, overflow="fold")
    for name in ("input", "cached", "output", "window", "most output"):
        table.add_column(name, justify="right")
    for preset, name, model in found:
        price = model.price
        figures = (
            price.input_per_million,
            price.cached_input_per_million,
            price.output_per_million,
        )
        counts = (model.context_window, model.max_output_tokens)
        table.add_row(preset, name, *(str(each or "") for each in (*figures, *counts)))
        if long := price.long_context:
            row = (long.input_per_million, long.cached_input_per_million, long.output_per_million)
            table.add_row("", f"  above {long.above_tokens} tokens", *(each or "" for each in row))
    return table


def _origin(prices: PriceList) -> str:
    return f"prices of {prices.date}, {prices.source} ({prices.licence})"
