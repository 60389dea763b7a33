"""Models on the cluster's own GPUs: `LLMProvider.spec.ollama`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel, Name
from penstock_operator.api.lists import BY_NAME, DISTINCT
from penstock_operator.api.provider_model import ModelName
from penstock_operator.api.reference import LabelKey, LabelValue
from penstock_operator.api.rules import Rule, at_most_one, ordered, sibling

Product = Annotated[str, Field(min_length=1, max_length=63)]


class Parameter(ApiModel):
    """One PARAMETER line of a Modelfile."""

    name: str = Field(
        min_length=1, max_length=64, pattern=r"^[a-z_]+$", description="Such as `temperature`."
    )
    value: str = Field(
        max_length=1024, pattern=r"^[^\r\n]*$", description='Its value, as text: "0.2".'
    )


class Modelfile(ApiModel):
    """A model made from another one: custom and fine-tuned models."""

    from_: str = Field(
        alias="from",
        min_length=1,
        max_length=512,
        pattern=r"^[^\s]+$",
        description="FROM: the model it is made from, or a path in the models volume.",
    )
    adapter: str | None = Field(
        None,
        min_length=1,
        max_length=512,
        pattern=r"^[^\s]+$",
        description="ADAPTER: path of a LoRA adapter in the models volume. Default: none.",
    )
    parameters: tuple[Parameter, ...] = Field(
        (), max_length=32, description="PARAMETER lines, in order. Default: none."
    )
    system: str | None = Field(None, max_length=16_384, description="SYSTEM text. Default: none.")
    template: str | None = Field(
        None, max_length=16_384, description="TEMPLATE text. Default: that of FROM."
    )


class GgufFile(ApiModel):
    """Weights that lie in a volume."""

    claim_name: Name = Field(description="PersistentVolumeClaim of the same namespace.")
    path: str = Field(
        min_length=1,
        max_length=512,
        pattern=r"^[^/\s][^\s]*\.gguf$",
        description="Path of the file inside the volume, such as `tuned/model.gguf`.",
    )


class OllamaModel(ApiModel):
    """A model to run, and what it needs."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        sibling("modelfile", "source", "modelfile"),
        sibling("gguf", "source", "gguf"),
    )

    name: ModelName = Field(description="Ollama's name for it, such as `llama3.2:3b`.")
    source: Literal["pull", "modelfile", "gguf"] = Field(
        "pull",
        description="pull: from the registry. modelfile: made from another. gguf: from a volume."
        " Default: pull.",
    )
    modelfile: Modelfile | None = Field(
        None, description="How it is made; with `source: modelfile` only."
    )
    gguf: GgufFile | None = Field(None, description="Where it lies; with `source: gguf` only.")
    parameter_count: str | None = Field(
        None,
        max_length=12,
        pattern=r"^[0-9]{1,5}(\.[0-9]{1,3})?[MBT]$",
        description='Number of parameters, such as "8B". Default: by its name.',
    )
    quantisation: str | None = Field(
        None,
        max_length=16,
        pattern=r"^[A-Z0-9]+(_[A-Z0-9]+)*$",
        description='Format of the weights, such as "Q4_K_M". Default: by its name.',
    )
    size_mib: int | None = Field(
        None,
        alias="sizeMiB",
        ge=1,
        le=10_000_000,
        description="Size of the weights. Default: estimated.",
    )
    context_length: int = Field(
        4096, ge=128, le=10_000_000, description="Tokens of context of one request. Default: 4096."
    )
    parallel: int = Field(
        1, ge=1, le=256, description="Requests it serves at once; memory grows with it. Default: 1."
    )


class Gpu(ApiModel):
    """What a replica needs of a GPU."""

    vendor: Literal["nvidia"] = Field("nvidia", description="Whose GPUs. Default: nvidia.")
    count: int = Field(1, ge=1, le=64, description="GPUs of one replica. Default: 1.")
    products: Annotated[tuple[Product, ...], DISTINCT] = Field(
        (),
        max_length=32,
        description="Products that will do, as in label `nvidia.com/gpu.product`. Default: all.",
    )
    min_memory_mib: int | None = Field(
        None,
        alias="minMemoryMiB",
        ge=1,
        le=10_000_000,
        description="Least memory of one GPU. Default: what the models need.",
    )
    headroom_mib: int = Field(
        1024,
        alias="headroomMiB",
        ge=0,
        le=1_000_000,
        description="Memory of a GPU that stays unplanned. Default: 1024.",
    )
    sharing: Literal["Exclusive", "TimeSliced", "MIG"] = Field(
        "Exclusive",
        description="Exclusive: whole GPUs. TimeSliced: shared in time. MIG: a hardware partition."
        " Default: Exclusive.",
    )
    cpu_fallback: bool = Field(
        default=False,
        description="Whether a replica runs on CPU where no GPU has room. Default: false.",
    )


class Autoscaling(ApiModel):
    """Between how many replicas, and by what."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        ordered("min", "max"),
        Rule(
            "!has(self.scaleToZeroAfterSeconds) || (has(self.min) && self.min == 0)",
            "scaleToZeroAfterSeconds needs min: 0",
            lambda scale: scale.scale_to_zero_after_seconds is None or scale.min == 0,
        ),
    )

    min: int = Field(1, ge=0, le=1000, description="Fewest replicas. Default: 1.")
    max: int = Field(ge=1, le=1000, description="Most replicas.")
    target_in_flight_per_replica: int = Field(
        4,
        ge=1,
        le=10_000,
        description="Requests in flight that one replica should have. Default: 4.",
    )
    scale_to_zero_after_seconds: int | None = Field(
        None,
        ge=60,
        le=604_800,
        description="Idle time after which no replica is left; needs `min: 0`. Default: never.",
    )
    cooldown_seconds: int = Field(
        120,
        ge=0,
        le=86_400,
        description="How long fewer replicas must have been enough before one is taken away."
        " Default: 120.",
    )
    on_cold: Literal["Wait", "Fallback"] = Field(
        "Wait",
        description="What a request does while no replica is ready. Wait: it waits for the first,"
        " within its time. Fallback: the tier's other candidates serve it. Default: Wait.",
    )


class Storage(ApiModel):
    """Where pulled models are kept."""

    size: str = Field(
        max_length=16, pattern=r"^[1-9][0-9]{0,6}(Mi|Gi|Ti)$", description='Such as "100Gi".'
    )
    class_name: str | None = Field(
        None, min_length=1, max_length=253, description="StorageClass. Default: the cluster's."
    )


class Toleration(ApiModel):
    """A taint that the pods bear, as Kubernetes means it."""

    key: LabelKey | None = Field(None, description="Key of the taint. Default: all, with Exists.")
    operator: Literal["Equal", "Exists"] = Field(
        "Equal", description="Exists: any value will do. Default: Equal."
    )
    value: LabelValue | None = Field(None, description="Value of the taint; with Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Effect of the taint. Default: all."
    )
    toleration_seconds: int | None = Field(
        None, ge=0, le=31_536_000, description="How long NoExecute is borne. Default: for ever."
    )


class Ollama(ApiModel):
    """An Ollama that we run."""

    invariants: ClassVar[tuple[Rule, ...]] = (at_most_one("replicas", "autoscaling"),)

    image: str | None = Field(
        None,
        min_length=1,
        max_length=512,
        pattern=r"^[^\s]+$",
        description="Container image. Default: the one the operator is set up with.",
    )
    replicas: int | None = Field(None, ge=0, le=1000, description="Number of pods. Default: 1.")
    autoscaling: Autoscaling | None = Field(
        None, description="Number of pods by load, in place of `replicas`. Default: off."
    )
    models: Annotated[tuple[OllamaModel, ...], BY_NAME] = Field(
        min_length=1, max_length=64, description="What it runs."
    )
    gpu: Gpu | None = Field(
        None, description="What a replica needs. Default: none, it runs on CPU."
    )
    loading: Literal["Always", "OnDemand"] = Field(
        "Always",
        description="Always: all models stay in GPU memory, over several pods where one has not"
        " room for all. OnDemand: one pod serves more than fit at once, and loads what is asked"
        " for in the place of the least used. Default: Always.",
    )
    keep_alive_seconds: int | None = Field(
        None,
        ge=0,
        le=31_536_000,
        description="Idle time after which a model leaves the GPU. Default: never.",
    )
    storage: Storage | None = Field(
        None, description="Volume for pulled models. Default: one that goes with the pod."
    )
    priority_class_name: Name | None = Field(None, description="PriorityClass. Default: none.")
    tolerations: tuple[Toleration, ...] = Field(
        (), max_length=32, description="Taints that the pods bear. Default: none."
    )
    node_selector: dict[str, LabelValue] = Field(
        default_factory=dict, max_length=32, description="Labels that a node must have."
    )
