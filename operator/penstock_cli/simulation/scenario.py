"""What a simulation is about, as users write it: `kind: GpuSimulation`. Data alone."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel, Name, ObjectMeta, UsdAmount
from penstock_operator.api.lists import BY_NAME
from penstock_operator.api.ollama import Gpu, OllamaModel, Product
from penstock_operator.api.provider_model import ModelName
from penstock_operator.api.rules import Rule

API_VERSION: Final = "simulation.penstock.dev/v1alpha1"
KIND: Final = "GpuSimulation"
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=0, le=1_000_000)]


class Between(ApiModel):
    """A number that is different each time. Of tokens, short ones are as likely as long ones are:
    the logarithm is what is uniform."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.least <= self.most", "most must not be below least", lambda b: b.least <= b.most
        ),
    )
    least: int = Field(ge=0, le=1_000_000, description="The smallest.")
    most: int = Field(ge=0, le=1_000_000, description="The largest.")


class MigProfile(ApiModel):
    """Hardware partitions of one profile. Their share of the GPU's speed goes with them."""

    profile: str = Field(pattern=r"^[1-7]g\.[1-9][0-9]{0,2}gb$", description="Such as `3g.20gb`.")
    count: int = Field(ge=1, le=7, description="How many of them.")
    memory_mib: int = Field(ge=1, le=10_000_000, alias="memoryMiB", description="Memory of each.")
    bandwidth_share: Positive = Field(le=1, description="Of the GPU's bandwidth, what each has.")
    tflops_share: Positive = Field(le=1, description="Of the GPU's arithmetic, what each has.")


class SimulatedGpu(ApiModel):
    """Equal GPUs of a node: what they hold, and how fast they are."""

    product: Product = Field(description="As in label `nvidia.com/gpu.product`.")
    count: int = Field(1, ge=1, le=16, description="How many. Default: 1.")
    memory_mib: int = Field(ge=1, le=10_000_000, alias="memoryMiB", description="As NVML says it.")
    bandwidth_gbs: Positive = Field(alias="bandwidthGBs", description="Data sheet: GB/s of memory.")
    bandwidth_share: Positive = Field(
        0.8, le=1, description="Of it, what decoding reaches. Default: 0.8."
    )
    tflops: Positive = Field(description="Data sheet: dense FP16 tensor TFLOPS.")
    usd_per_hour: UsdAmount = Field("0", description='Its price, used or not. Default: "0".')
    mig: tuple[MigProfile, ...] = Field((), max_length=7, description="Partitions. Default: none.")


class SimulatedNode(ApiModel):
    """A machine with GPUs."""

    name: Name = Field(description="Its name.")
    zone: str = Field("", max_length=63, description="Its failure domain. Default: none.")
    load_gbs: Positive = Field(
        2.0, alias="loadGBs", description="GB/s from disk into GPU memory. Default: 2."
    )
    start_seconds: Annotated[float, Field(ge=0, le=600)] = Field(
        1.0, description="What a load takes besides: process, context, buffers. Default: 1."
    )
    gpus: tuple[SimulatedGpu, ...] = Field(min_length=1, max_length=16, description="Its GPUs.")


class ServedModel(OllamaModel):
    """A model as `LLMProvider.spec.ollama.models` has it, and what the simulation adds."""

    active_billions: Positive | None = Field(
        None, description="Parameters in use per token, of a mixture of experts. Default: all."
    )
    cloud: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[a-z0-9-]+/.+$",
        description="`<preset>/<model>` of the price list that would serve it. Default: none.",
    )


class WeightedModel(ApiModel):
    """A model, and how often it is asked beside the others."""

    name: ModelName = Field(description="Its name.")
    weight: Positive = Field(1.0, description="Its weight. Default: 1.")


class Stream(ApiModel):
    """Requests of one kind. Each asks `members` models at once: more than one is an ensemble."""

    name: Name = Field(description="What it is called in results.")
    per_hour: Positive = Field(description="Conversations that begin in an hour on average.")
    burst: Positive = Field(1.0, ge=1, le=1000, description="How many begin together. Default: 1.")
    turns: Between = Field(Between(least=1, most=1), description="Of each. Default: 1.")
    think_seconds: Between = Field(
        Between(least=5, most=40), description="From one turn to the next. Default: 5 to 40."
    )
    members: Between = Field(Between(least=1, most=1), description="Models asked. Default: 1.")
    models: Annotated[tuple[WeightedModel, ...], BY_NAME] = Field(
        min_length=1, max_length=64, description="Those that may be asked."
    )
    prompt_tokens: Between = Field(description="Of a turn; earlier turns come on top.")
    output_tokens: Between = Field(description="Of an answer.")
    timeout_seconds: float = Field(gt=0, le=86_400, description="The tier's time-out.")


class Traffic(ApiModel):
    """Who asks what, and when."""

    duration_seconds: int = Field(1800, ge=60, le=604_800, description="Default: 1800.")
    shape: Annotated[
        tuple[Annotated[float, Field(ge=0, le=100)], ...], Field(min_length=1, max_length=1440)
    ] = Field((1.0,), description="Load in equal parts of the time, as a multiple of the average.")
    streams: Annotated[tuple[Stream, ...], BY_NAME] = Field(
        min_length=1, max_length=64, description="Who asks."
    )


class ManagedProvider(ApiModel):
    """An `LLMProvider` with `ollama`, as far as the planner asks."""

    name: Name = Field(description="Its name.")
    models: Annotated[tuple[ServedModel, ...], BY_NAME] = Field(
        min_length=1, max_length=64, description="What it runs."
    )
    loading: Literal["Always", "OnDemand"] = Field("Always", description="Default: Always.")
    replicas: int = Field(1, ge=0, le=1000, description="Pods. Default: 1.")
    gpu: Gpu = Field(Gpu(), description="What a replica needs.")
    priority: int = Field(0, ge=0, le=1000, description="More may take the place of less.")


class Fallback(ApiModel):
    """A tier's candidates elsewhere, which our plan alone makes use of."""

    after_share: float = Field(
        0.8,
        gt=0,
        lt=1,
        description="Of its time-out, how long a request waits for a GPU to begin. Default: 0.8.",
    )


class Specification(ApiModel):
    """Hardware, models, traffic."""

    nodes: Annotated[tuple[SimulatedNode, ...], BY_NAME] = Field(min_length=1, max_length=512)
    providers: Annotated[tuple[ManagedProvider, ...], BY_NAME] = Field(min_length=1, max_length=64)
    traffic: Traffic
    fallback: Fallback | None = None
    """Default: none; who waits for a GPU waits until his time is over."""

    @property
    def models(self) -> tuple[ServedModel, ...]:
        """Each once, as the last provider has it."""
        found = {model.name: model for provider in self.providers for model in provider.models}
        return tuple(found.values())


class GpuSimulation(ApiModel):
    """A file of `penstock simulate-gpus -f`."""

    api_version: Literal["simulation.penstock.dev/v1alpha1"]
    kind: Literal["GpuSimulation"]
    metadata: ObjectMeta
    spec: Specification

    @property
    def name(self) -> str:
        return self.metadata.name
