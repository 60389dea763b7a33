"""The product's images: small, run as nobody in particular, on a root that cannot be written."""

import json

import pytest

from tests.e2e.objects import OURS, TEAM_A
from tests.e2e.stage import Stage

SIDECAR_BYTES = 120e6
WHO = (
    "import json, os, pathlib\n"
    "def tried(path):\n"
    "    try: pathlib.Path(path).write_text('x'); return 'written'\n"
    "    except OSError as error: return error.strerror\n"
    "print(json.dumps([os.getuid(), os.getgid(), tried('/x'), tried('/usr/x')]))\n"
)
PARTS = [
    (OURS, "app.kubernetes.io/component=operator", "operator", 65532),
    (OURS, "app.kubernetes.io/component=injector", "injector", 65532),
    (TEAM_A, "app=app", "penstock", 41414),
]


def test_the_sidecars_image_is_small(stage: Stage) -> None:
    base = stage.place.image_bytes(stage.place.base)
    megabytes = (stage.place.image_bytes(stage.images.sidecar) - base) / 1e6
    stage.figures.within("sidecar image, beyond its base", megabytes, SIDECAR_BYTES / 1e6, "MB")


@pytest.mark.parametrize(("namespace", "selector", "container", "uid"), PARTS)
def test_parts_run_as_nobody_in_particular_and_write_nowhere(
    stage: Stage, namespace: str, selector: str, container: str, uid: int
) -> None:
    (pod, *_) = stage.pod_names(namespace, selector)
    said = stage.kubectl.program_in(pod, namespace, "python", "-c", WHO, container=container)
    assert json.loads(said) == [uid, uid, "Read-only file system", "Read-only file system"]
