"""The command line: names, options and help. Each command imports its work when it is called."""

from typing import Annotated

import typer

app = typer.Typer(
    name="penstock",
    help="Resources of penstock.dev on this machine: check them, run them, ask why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

prices = typer.Typer(
    help="What well-known providers charge: list it, renew it, compare with it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(prices, name="prices")

cache = typer.Typer(help="Answers that sidecars keep.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache, name="cache")

Paths = Annotated[
    list[str],
    typer.Option("--filename", "-f", help="File or folder of resources; - is standard input."),
]
WatchedPaths = Annotated[
    list[str], typer.Option("--filename", "-f", help="File or folder of resources.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PriceFile = Annotated[
    str,
    typer.Option(
        "--prices", help="A price list. Default: the shipped one.", envvar="PENSTOCK_PRICES"
    ),
]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Whose pods to stand for. Default: the only one.")
]
Labels = Annotated[
    list[str],
    typer.Option(
        "--labels", "-l", help="key=value of the pod to stand for. Default: what a policy selects."
    ),
]


@app.command()
def validate(
    filename: Paths,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    json: AsJson = False,
) -> None:
    """Print every problem of the resources.

    Exit code 1 when one is an error.
    """
    from penstock_cli.validate import validate as run

    raise typer.Exit(run(tuple(filename), strict=strict, as_json=json))


@app.command()
def config(filename: Paths, namespace: Namespace = "") -> None:
    """Print the configuration that sidecars get.

    As JSON; it holds no secret.
    """
    from penstock_cli.config import config as run

    raise typer.Exit(run(tuple(filename), namespace))


@app.command()
def up(
    filename: WatchedPaths,
    port: Annotated[
        int,
        typer.Option(
            help="Where applications ask. The next two serve health and debugging.",
            min=0,
            max=65533,
        ),
    ] = 4141,
    namespace: Namespace = "",
    labels: Labels = [],  # noqa: B006  # typer copies it
    app_name: Annotated[str, typer.Option("--app", help="The workload to stand for.")] = "local",
    redis_url: Annotated[
        str, typer.Option(help="A running Redis. Default: one of our own.", envvar="REDIS_URL")
    ] = "",
) -> None:
    """Run a sidecar on this machine.

    Save a file and it follows. Ctrl-C ends it.

    A Secret that the files lack is read from PENSTOCK_SECRET_<NAME>_<KEY>.
    """
    from penstock_cli.standin import StandIn
    from penstock_cli.up import up as run

    pod = StandIn(namespace, app_name, tuple(labels))
    raise typer.Exit(run(tuple(filename), pod, port, redis_url))


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running until Ctrl-C.")] = False,
    json: AsJson = False,
) -> None:
    """Show what Penstock does.

    Two sidecars, one Redis, scripted providers, real requests.
    """
    from penstock_cli.demo.show import Show

    raise typer.Exit(Show(as_json=json, keep=keep).run())


@app.command()
def explain(  # noqa: PLR0913  # one for each option
    filename: Paths,
    *,
    model: Annotated[str, typer.Option("--model", "-m", help="As the caller sends it.")] = "auto",
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="The user's words.")] = "",
    api: Annotated[
        str, typer.Option(help="What the caller speaks: openai-chat, anthropic-messages, ...")
    ] = "openai-chat",
    namespace: Namespace = "",
    labels: Labels = [],  # noqa: B006  # typer copies it
    user: Annotated[str, typer.Option(help="Sent as x-penstock-user.")] = "",
    header: Annotated[list[str], typer.Option("--header", "-H", help="name: value")] = [],  # noqa: B006
    json: AsJson = False,
) -> None:
    """Say which way a request would take, and why; nothing is sent."""
    from penstock_cli.explain import explain as run
    from penstock_cli.question import Question
    from penstock_cli.standin import StandIn

    question = Question(model, prompt, user, tuple(header), api)
    standin = StandIn(namespace, labels=tuple(labels))
    raise typer.Exit(run(tuple(filename), standin, question, as_json=json))


@app.command("simulate-gpus")
def simulate_gpus(
    filename: Annotated[
        str, typer.Option("--filename", "-f", help="A file of kind GpuSimulation; - is stdin.")
    ],
    *,
    plan: Annotated[str, typer.Option(help="ours, naive or both.")] = "both",
    seeds: Annotated[int, typer.Option(help="Traces to draw.", min=1, max=1000)] = 20,
    png: Annotated[str, typer.Option(help="Draw into this file.")] = "",
    html: Annotated[str, typer.Option(help="Write a page with all of it.")] = "",
    json: AsJson = False,
) -> None:
    """Say how well GPUs would be used.

    Nodes, models and traffic of a file, under the operator's plan and under a naive one:
    utilisation, waits, time-outs, loads and costs. No GPU is needed; pictures need the extra
    [simulate].
    """
    from penstock_cli.simulate_gpus import Outputs
    from penstock_cli.simulate_gpus import simulate_gpus as run

    raise typer.Exit(run(filename, plan, seeds, Outputs(json, png, html)))


@prices.command("list")
def list_prices(
    *,
    provider: Annotated[str, typer.Option(help="A preset's name. Default: all.")] = "",
    file: PriceFile = "",
    json: AsJson = False,
) -> None:
    """Print the price list: US dollars a million tokens."""
    from penstock_cli.prices import list_prices as run

    raise typer.Exit(run(file, provider, as_json=json))


@prices.command("show")
def show_price(
    model: Annotated[str, typer.Argument(help="Its name, or <preset>/<name>.")],
    *,
    file: PriceFile = "",
    json: AsJson = False,
) -> None:
    """Print what a model costs, at each provider that has it."""
    from penstock_cli.prices import show as run

    raise typer.Exit(run(model, file, as_json=json))


@prices.command("refresh")
def refresh_prices(
    source: Annotated[
        str, typer.Argument(help="File or URL: a price list, or LiteLLM's map of models.")
    ],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="The price list to write.", envvar="PENSTOCK_PRICES"),
    ],
    json: AsJson = False,
) -> None:
    """Write a price list of today.

    Prints what is different from the former one.
    """
    from penstock_cli.prices import refresh as run

    raise typer.Exit(run(source, output, as_json=json))


@prices.command("check")
def check_prices(filename: Paths, *, file: PriceFile = "", json: AsJson = False) -> None:
    """Compare the prices of resources with the list.

    Exit code 1 where one differs or is missing.
    """
    from penstock_cli.prices import check as run

    raise typer.Exit(run(tuple(filename), file, as_json=json))


@cache.command("purge")
def purge_cache(  # noqa: PLR0913  # one for each option
    *,
    id_: Annotated[str, typer.Option("--id", help="As x-penstock-cache-key said it.")] = "",
    model: Annotated[str, typer.Option(help="All answers of this model.")] = "",
    similar: Annotated[str, typer.Option(help="Answers to questions that mean about this.")] = "",
    least: Annotated[str, typer.Option(help="How similar at least. Default: 0.9.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All answers.")] = False,
    sidecar: Annotated[
        str, typer.Option(help="Where it listens.", envvar="PENSTOCK_SIDECAR")
    ] = "http://127.0.0.1:4141",
    user: Annotated[str, typer.Option(help="Whose, where each user has his own.")] = "",
    json: AsJson = False,
) -> None:
    """Remove answers that a sidecar would give.

    Those of its own scope alone: by default, those of its app. Other sidecars of the scope forget
    them within seconds.
    """
    from penstock_cli.cache import purge as run

    which = {
        "id": id_,
        "model": model,
        "similar": similar,
        "least": least,
        "all": "true" if everything else "",
    }
    raise typer.Exit(run(sidecar, which, user, as_json=json))
